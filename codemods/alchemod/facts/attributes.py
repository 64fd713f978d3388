"""The attributes that the body of a mapped class or mixin declares: columns, relationships, hybrids and the rest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from alchemod.facts.module import Assigned, ClassFacts, FunctionFacts, FunctionNode, Module, last_name

Kind = Literal[
    "column",
    "relationship",
    "synonym",
    "hybrid",
    "proxy",
    "column_property",
    "composite",
    "property",
    "method",
    "other",
]

_CONSTRUCTORS: dict[str, Kind] = {
    "Column": "column",
    "mapped_column": "column",
    "Field": "column",
    "deferred": "column",
    "relationship": "relationship",
    "relation": "relationship",
    "dynamic_loader": "relationship",
    "Relationship": "relationship",
    "synonym": "synonym",
    "association_proxy": "proxy",
    "column_property": "column_property",
    "composite": "composite",
    "query_expression": "column_property",
    "hybrid_property": "hybrid",
    "hybrid_method": "hybrid",
}
_WRAPPERS = {"Mapped", "DynamicMapped", "WriteOnlyMapped"}


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One attribute of a mapped class. `value` is the expression that declares it, None for a bare `Mapped[...]`."""

    name: str
    kind: Kind
    owner: ClassFacts
    value: ast.expr | None
    annotation: ast.expr | None = None
    reverse_of: Attribute | None = None
    """The relationship whose `backref` makes this attribute."""
    partner: ClassFacts | None = None
    """The mapped class that relationship was found on, for an attribute that a `backref` makes."""

    @property
    def call(self) -> ast.Call | None:
        """The constructor call, `deferred(Column(...))` opened."""
        value = self.value
        if isinstance(value, ast.Call) and last_name(value) == "deferred" and value.args:
            value = value.args[0]
        return value if isinstance(value, ast.Call) else None

    def keyword(self, name: str) -> ast.expr | None:
        """The value of a keyword of the constructor call."""
        call = self.call
        if call is None:
            return None
        return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)

    @property
    def has_unpacked_keywords(self) -> bool:
        """Whether the constructor call takes `**options` that cannot be read."""
        call = self.call
        return call is not None and any(keyword.arg is None for keyword in call.keywords)


def declared(facts: ClassFacts, *, by_annotation: bool = False) -> Iterator[Attribute]:
    """The attributes that the body of one class declares.

    `by_annotation` says that every annotated name is a column, as in SQLModel.
    """
    for name, assigned in facts.attributes.items():
        if not name.startswith("__"):
            kind = _kind_of(assigned.value, assigned.annotation)
            if by_annotation and kind == "other" and _is_field(assigned):
                kind = "column"
            yield Attribute(name, kind, facts, assigned.value, assigned.annotation)
    for name, function in facts.methods.items():
        if not name.startswith("__"):
            yield _of_method(facts, name, function)
    for name in facts.opaque:
        yield Attribute(name, "other", facts, None)
    yield from _of_table(facts)
    yield from added(facts.module, facts.qualname, facts)


def added(module: Module, name: str, owner: ClassFacts) -> Iterator[Attribute]:
    """The attributes that the module sets on `name` from outside, as attributes of `owner`."""
    for attribute, assigned in module.added.get(name, {}).items():
        yield Attribute(attribute, _kind_of(assigned.value, None), owner, assigned.value)


def evaluated(annotation: ast.expr) -> ast.expr:
    """The expression inside a quoted annotation, the annotation itself when it is none."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            return annotation
    return annotation


def names_of_columns(call: ast.Call) -> Iterator[ast.Call]:
    """The `Column("name", ...)` calls of a `Table(...)` call, those with a literal name."""
    for argument in call.args[2:]:
        match argument:
            case ast.Call(args=[ast.Constant(value=str()), *_]) if last_name(argument) in {"Column", "column"}:
                yield argument


def _of_method(facts: ClassFacts, name: str, function: FunctionFacts) -> Attribute:
    body = facts.bodies.get(name)
    if body is None:
        return Attribute(name, "method", facts, None)
    decorators = {part for decorator in function.decorators for part in _parts(decorator)}
    if "declared_attr" in decorators:
        value = returned(body)
        return Attribute(name, _kind_of(value, body.returns), facts, value, body.returns)
    if decorators & {"hybrid_property", "hybrid_method"}:
        return Attribute(name, "hybrid", facts, None)
    return Attribute(name, "synonym" if "synonym_for" in decorators else "property", facts, None)


def _parts(decorator: ast.expr) -> Iterator[str]:
    """The names of a decorator, its calls opened: `declared_attr` and `cascading` of `@declared_attr.cascading`."""
    while True:
        match decorator:
            case ast.Call(func=inner):
                decorator = inner
            case ast.Attribute(value=inner, attr=name):
                yield name
                decorator = inner
            case ast.Name(id=name):
                yield name
                return
            case _:
                return


def _of_table(facts: ClassFacts) -> Iterator[Attribute]:
    """The columns of `__table__ = Table("name", metadata, Column("id", ...), ...)`, named as in the table."""
    table = facts.attributes.get("__table__")
    if table is not None and isinstance(table.value, ast.Call):
        for column in names_of_columns(table.value):
            name = ast.literal_eval(column.args[0])
            if name not in facts.attributes:
                yield Attribute(name, "column", facts, column)


def _kind_of(value: ast.expr | None, annotation: ast.expr | None) -> Kind:
    if isinstance(value, ast.Call):
        name = last_name(value)
        if name in _CONSTRUCTORS:
            return _CONSTRUCTORS[name]
        return "column" if name == "wraps" or name.endswith(("Column", "column")) else "other"
    node = evaluated(annotation) if annotation is not None else None
    if value is None and isinstance(node, ast.Subscript):
        wrapper = last_name(node.value)
        if wrapper in _WRAPPERS:
            return "column" if wrapper == "Mapped" else "relationship"
    return "other"


def _is_field(assigned: Assigned) -> bool:
    """Whether an annotated name is a field of a SQLModel class."""
    if assigned.annotation is None or isinstance(assigned.value, ast.Call):
        return False
    note = evaluated(assigned.annotation)
    return last_name(note.value if isinstance(note, ast.Subscript) else note) != "ClassVar"


def returned(body: FunctionNode) -> ast.expr | None:
    """The expression of the only `return` of a short function."""
    returns = [statement for statement in body.body if isinstance(statement, ast.Return)]
    return returns[0].value if len(returns) == 1 and body.body[-1] is returns[0] else None
