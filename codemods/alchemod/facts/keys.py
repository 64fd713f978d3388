"""Tables of mapped classes and the foreign keys between them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.facts.attributes import Attribute, names_of_columns, returned
from alchemod.facts.model import Model
from alchemod.facts.module import ClassFacts, last_name


def refers(column: Attribute) -> bool:
    """Whether a column is declared with a foreign key."""
    return column.call is not None and any(last_name(part) == "ForeignKey" for part in column.call.args)


def references(source: Model, target: Model) -> bool:
    """Whether a column of `source` is seen to have a foreign key to a table of `target`.

    The key that joins a class to its own parent ("Joined Table Inheritance") does not count.
    """
    tables = set(tables_of(target))
    classes = {facts.name for facts in target.family}
    inherited = set(tables_of(source)[1:]) | {facts.name for facts in source.ancestors}
    for column, reference in _foreign_keys(source):
        named = _referred(reference)
        if named in inherited and column is not None and _is_true(column.keyword("primary_key")):
            continue
        if named in tables or (isinstance(reference, ast.Attribute) and named in classes):
            return True
    return False


def refers_to_itself(model: Model) -> bool:
    """Whether a column of the class is seen to have a foreign key to the class's own table."""
    tables = set(tables_of(model))
    parents = set(tables_of(model)[1:])
    for column, reference in _foreign_keys(model):
        named = _referred(reference)
        joins_parent = named in parents and column is not None and _is_true(column.keyword("primary_key"))
        if not joins_parent and (named in tables or (isinstance(reference, ast.Attribute) and named == model.name)):
            return True
        # A column of the same class body, by its bare name: ForeignKey(id).
        if isinstance(reference, ast.Name) and reference.id in model.facts.attributes:
            return True
    return False


def key_to(source: Model, target: Model) -> tuple[str, str] | None:
    """The column of `source` that refers to `target`, and the column of `target` that it refers to.

    None unless just one column does, and refers to a column that is known.
    """
    tables = set(tables_of(target))
    pairs = [(column, reference) for column, reference in _foreign_keys(source) if _referred(reference) in tables]
    if len(pairs) != 1 or pairs[0][0] is None:
        return None
    column, reference = pairs[0]
    assert column is not None
    match reference:
        case ast.Constant(value=str(text)):
            key = text.rpartition(".")[2]
        case _:
            return None
    found = target.attributes.get(key)
    return (column.name, key) if found is not None and found.kind == "column" else None


def has_foreign_key(column: Attribute) -> bool:
    """Whether a column is declared with a foreign key."""
    return next(_of_column(column), None) is not None


def tables_of(model: Model) -> list[str]:
    """The names of the tables of a mapped class, its own first, then those of its parents; unknown ones left out."""
    named = [name for facts in model.family if (name := table_of(facts)) is not None]
    if "__tablename__" in model.facts.attributes or "__table__" in model.facts.attributes:
        return named if table_of(model.facts) is not None else []
    method = next((facts for facts in model.family if "__tablename__" in facts.methods), None)
    if method is not None:
        body = returned(method.bodies["__tablename__"]) if "__tablename__" in method.bodies else None
        is_lower = body is not None and ast.unparse(body) == "cls.__name__.lower()"
        return [model.name.lower(), *named] if is_lower else []
    if named or not (model.is_flask or model.is_sqlmodel):
        return named
    return [_snake_case(model.name) if model.is_flask else model.name.lower()]


def table_of(facts: ClassFacts) -> str | None:
    """The table that the class body names."""
    assigned = facts.attributes.get("__tablename__")
    value = assigned.value if assigned is not None else None
    if value is None and (table := facts.attributes.get("__table__")) is not None:
        value = table.value.args[0] if isinstance(table.value, ast.Call) and table.value.args else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _foreign_keys(model: Model) -> Iterator[tuple[Attribute | None, ast.expr]]:
    """What the foreign keys of a class refer to: a string or an expression, and the column that has the key."""
    for attribute in model.attributes.values():
        if attribute.kind == "column":
            for reference in _of_column(attribute):
                yield attribute, reference
    for facts in model.family:
        for assigned in (facts.attributes.get("__table_args__"), facts.attributes.get("__table__")):
            if assigned is not None and assigned.value is not None:
                yield from ((None, reference) for reference in _of_constraints(assigned.value))


def _of_column(column: Attribute) -> Iterator[ast.expr]:
    call = column.call
    if call is None:
        return
    for argument in call.args:
        if isinstance(argument, ast.Call) and last_name(argument) == "ForeignKey" and argument.args:
            yield argument.args[0]
    if (given := column.keyword("foreign_key")) is not None:  # SQLModel's Field
        yield given


def _of_constraints(value: ast.expr) -> Iterator[ast.expr]:
    """The columns that `ForeignKeyConstraint([...], ["table.a", ...])` and the columns of a `Table` refer to."""
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    for part in parts:
        if not isinstance(part, ast.Call):
            continue
        if last_name(part) == "Table":
            for column in names_of_columns(part):
                yield from (key.args[0] for key in column.args if isinstance(key, ast.Call) and _is_key(key))
        elif last_name(part) == "ForeignKeyConstraint" and len(part.args) > 1:
            second = part.args[1]
            if isinstance(second, ast.List | ast.Tuple):
                yield from second.elts[:1]


def _is_key(call: ast.Call) -> bool:
    return last_name(call) == "ForeignKey" and bool(call.args)


def _referred(reference: ast.expr) -> str:
    """The table of `"schema.table.column"`, the class or table of `User.id` and `users.c.id`; `""` when not known."""
    match reference:
        case ast.Constant(value=str(text)):
            return text.rpartition(".")[0].rpartition(".")[2]
        case ast.Attribute(value=ast.Attribute(value=table, attr="c" | "columns")):
            return last_name(table)
        case ast.Attribute(value=owner):
            return last_name(owner)
    return ""


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _snake_case(name: str) -> str:
    """Flask-SQLAlchemy's table name of a class (its documentation, "Models and Tables")."""
    letters: list[str] = []
    for index, letter in enumerate(name):
        before = name[index - 1] if index else ""
        after_word = letter.isupper() and (before.islower() or before.isdigit())
        starts_word = bool(before) and letter.isupper() and name[index + 1 : index + 2].islower()
        if after_word or (starts_word and before != "_"):
            letters.append("_")
        letters.append(letter.lower())
    return "".join(letters)
