"""What the database demands of the rows of a mapped class: which attributes are unique together (keys, unique columns,
constraints, unique indexes), and which have to be given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.facts.attributes import Attribute, evaluated
from alchemod.facts.mapper_arguments import may_have_mapper_argument
from alchemod.facts.model import Model
from alchemod.facts.module import last_name

_DEFAULTS: Final = ("default", "server_default", "insert_default", "default_factory")
_GIVING: Final = frozenset({"Sequence", "Identity", "Computed", "FetchedValue"})


def unique_sets(model: Model) -> list[frozenset[str]]:
    """The sets of attributes that no two rows of a mapped class share.

    SQLAlchemy, "Defining Constraints and Indexes": `unique=True`, primary keys, `UniqueConstraint`, unique indexes.
    """
    columns = {name: one for name, one in model.attributes.items() if one.kind == "column"}
    key = primary_key(model)
    found = [frozenset([name]) for name, column in columns.items() if _says(column, "unique")]
    by_column = {_column_name(column): name for name, column in columns.items()}
    found += [
        frozenset(by_column[name] for name in names)
        for names in _constraints(model)
        if all(name in by_column for name in names)
    ]
    return [*([key] if key else []), *found]


def names_own_key(model: Model) -> bool:
    """Whether the mapping may say what its primary key is, which the database need not keep unique.

    `__mapper_args__ = {"primary_key": [...]}` ("Mapping to an Explicit Set of Primary Key Columns").
    """
    return may_have_mapper_argument(model, "primary_key")


def primary_key(model: Model) -> frozenset[str]:
    """The attributes that are the primary key of a mapped class."""
    return frozenset(
        name for name, one in model.attributes.items() if one.kind == "column" and _says(one, "primary_key")
    )


def required(model: Model) -> frozenset[str]:
    """The attributes without which a row cannot be inserted: NOT NULL columns that nothing gives a value.

    SQLAlchemy, "Column INSERT/UPDATE Defaults"; an integer that is the only primary key counts up by itself.
    """
    key = primary_key(model)
    return frozenset(
        name
        for name, one in model.attributes.items()
        if one.kind == "column" and _refuses_null(one) and not _has_value(one) and key != frozenset([name])
    )


def _refuses_null(column: Attribute) -> bool:
    """Whether a column is NOT NULL: said so, or annotated as what is never None."""
    said = column.keyword("nullable")
    if isinstance(said, ast.Constant):
        return said.value is False
    if _says(column, "primary_key"):
        return True
    annotation = evaluated(column.annotation) if column.annotation is not None else None
    match annotation:
        case ast.Subscript(value=mapped, slice=inner) if last_name(mapped) == "Mapped":
            text = ast.unparse(evaluated(inner))
            return "Optional" not in text and "None" not in text
    return False


def _has_value(column: Attribute) -> bool:
    """Whether a column may get a value that the object is not given."""
    if column.has_unpacked_keywords or any(column.keyword(name) is not None for name in _DEFAULTS):
        return True
    arguments = column.call.args if column.call is not None else []
    return any(last_name(argument) in _GIVING for argument in arguments)


def _says(column: Attribute, keyword: str) -> bool:
    value = column.keyword(keyword)
    return isinstance(value, ast.Constant) and value.value is True


def _column_name(column: Attribute) -> str:
    call = column.call
    first = call.args[0] if call is not None and call.args else column.keyword("name")
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else column.name


def _constraints(model: Model) -> Iterator[list[str]]:
    """The column names of the unique constraints and indexes in the class bodies."""
    for facts in model.family:
        assigned = facts.attributes.get("__table_args__")
        value = assigned.value if assigned is not None else None
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        for part in parts:
            if isinstance(part, ast.Call) and (named := _unique_columns(part)):
                yield named


def _unique_columns(call: ast.Call) -> list[str]:
    match last_name(call):
        case "UniqueConstraint":
            columns = call.args
        case "Index" if any(
            keyword.arg == "unique" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            for keyword in call.keywords
        ) and not any(keyword.arg is not None and keyword.arg.endswith("_where") for keyword in call.keywords):
            columns = call.args[1:]
        case _:
            return []
    names = [_named(column) for column in columns]
    return [] if "" in names else names


def _named(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(name)) | ast.Name(id=name):
            return name
    return ""
