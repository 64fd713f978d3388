"""The column list of a statement: whether its rows are objects, tuples with objects, or tuples of values.

"Selecting ORM Entities and Attributes" in the ORM Querying Guide; the keys of rows were verified by execution: a Query
keeps equal names as they are and gives none to an expression without a label, `select()` tells equal names apart and
names every expression.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from alchemod.facts.attributes import Attribute
from alchemod.facts.module import last_name
from alchemod.facts.nodes import is_dotted
from alchemod.inference.names.assigned import spelled_out
from alchemod.inference.querying.filtering import may_be_class
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.uses.aggregates import may_aggregate
from alchemod.inference.values import (
    Answer,
    ClassObject,
    ColumnObject,
    Exists,
    Expression,
    FromClause,
    ModelAttribute,
    ModelClass,
    Outside,
    Place,
    Plain,
    Statement,
    TableObject,
    Term,
)

ColumnKind = Literal["entity", "column", "expression", "relationship", "bundle", "unknown"]
PlaceOf = Callable[[ast.expr], Place]
RowKind = Literal["entity", "rows", "columns"]
"""`entity`: one mapped class, whose objects come alone. `rows`: rows with a class among them. `columns`: without."""

_TYPED: Final = frozenset({"count", "sum", "min", "max"})
"""Functions whose result has a type; a Query tells values without one apart by identity."""
_EXPRESSIONS: Final = frozenset(
    {
        "func", "case", "cast", "literal", "literal_column", "text", "exists", "distinct", "null", "true", "false",
        "and_", "or_", "not_", "extract", "type_coerce", "desc", "asc", "bindparam", "column", "tuple_", "over",
    }
)  # fmt: skip
_LABELLING: Final = ("with_labels", "apply_labels", "set_label_style")
_UNHASHABLE: Final = frozenset(
    {"JSON", "JSONB", "ARRAY", "PickleType", "HSTORE", "as_mutable", "MutableDict", "MutableList", "JSONType"}
)
_HASHABLE: Final = frozenset(
    {
        "Integer", "BigInteger", "SmallInteger", "String", "Text", "Unicode", "UnicodeText", "Boolean", "Date",
        "DateTime", "Time", "Float", "Double", "Numeric", "Enum", "LargeBinary", "Interval", "Uuid", "UUID", "INTEGER",
        "VARCHAR", "CHAR", "TEXT", "TIMESTAMP", "DATETIME", "BIGINT", "BOOLEAN", "BINARY", "VARBINARY",
    }
)  # fmt: skip
_HASHABLE_ANNOTATIONS: Final = frozenset(
    {"int", "str", "bool", "float", "bytes", "datetime", "date", "time", "timedelta", "Decimal", "UUID"}
)


@dataclass(frozen=True, slots=True)
class Column:
    """One element of a column list. `name` is its key in the rows of a `select()`, None when that is made up.

    `owners` are the classes whose attributes it is made of.
    """

    kind: ColumnKind
    node: ast.expr | None
    name: str | None = None
    owners: tuple[ModelClass, ...] = ()
    is_aggregate: bool = False
    is_hashable: bool = True
    is_nameless: bool = False
    """Whether it has no key in the rows of a Query, and one in those of a `select()`."""
    is_guessed: bool = False
    """Whether it is made of something that is not known: an attribute of a class that is not seen to be mapped."""
    is_expression: bool = False
    """Whether it is a mapped expression, which has its key in rows only, not in a subquery."""


@dataclass(frozen=True, slots=True)
class ColumnList:
    """The column list of a statement. `runtime` is the code of a class that is known at run time only."""

    columns: tuple[Column, ...]
    runtime: str | None = None

    @property
    def kind(self) -> RowKind:
        """What the rows are."""
        entities = sum(column.kind == "entity" for column in self.columns)
        if entities and len(self.columns) == 1:
            return "entity"
        return "rows" if entities else "columns"

    @property
    def unknown(self) -> Column | None:
        """The first element of which it is not known what it is."""
        return next((column for column in self.columns if column.kind == "unknown"), None)

    @property
    def relationship(self) -> Column | None:
        """A relationship among the columns, which renders as a criterion."""
        return next((column for column in self.columns if column.kind == "relationship"), None)

    @property
    def entities(self) -> tuple[ModelClass, ...]:
        """The mapped classes among the elements."""
        return tuple(owner for column in self.columns if column.kind == "entity" for owner in column.owners)

    @property
    def is_aggregate(self) -> bool:
        """Whether all of it are aggregates, so that without GROUP BY there is one row."""
        return all(column.is_aggregate for column in self.columns)

    @property
    def is_exists(self) -> bool:
        """Whether it is one EXISTS and nothing else."""
        return len(self.columns) == 1 and last_name(self.columns[0].node or ast.Name("")) == "exists"

    @property
    def repeated(self) -> tuple[str, ...]:
        """The names that stand there more than once."""
        counted = Counter(column.name for column in self.columns if column.name is not None)
        return tuple(name for name, count in counted.items() if count > 1)

    @property
    def nameless(self) -> tuple[Column, ...]:
        """The elements that have no key in the rows of a Query, but one in those of a `select()`."""
        return tuple(column for column in self.columns if column.is_nameless)

    @property
    def unhashable(self) -> Column | None:
        """A column whose values may not be hashable, so that rows with it cannot be told apart by hashing."""
        return next((column for column in self.columns if not column.is_hashable), None)


def column_list(terms: Sequence[Term], place_of: PlaceOf, resolver: Resolver, *, is_class: bool = False) -> ColumnList:
    """The column list that the terms of a statement make. `place_of` says where a node is written.

    `is_class` says that a single element can only be a class, whatever it looks like.
    """
    columns = tuple(_column(term, place_of, resolver) for term in terms)
    if len(columns) == 1 and columns[0].kind == "unknown":
        written = terms[0].node
        for node in (columns[0].node, written):
            looks_so = node is not None and (_may_be_class(node) or (is_class and is_dotted(node)))
            if node is not None and looks_so and _is_out_of_sight(node, place_of(node), resolver):
                return ColumnList((Column("entity", written),), runtime=ast.unparse(node))
    guessed = next((column.node for column in columns if column.is_guessed and column.node is not None), None)
    return ColumnList(columns, runtime=ast.unparse(guessed) if guessed is not None else None)


def _may_be_class(node: ast.expr) -> bool:
    """Whether code looks like a class, `type(one)` included."""
    match node:
        case ast.Call(func=ast.Name(id="type"), args=[_], keywords=[]):
            return True
    return may_be_class(node)


def _is_of_class(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    """Whether code is an attribute of a class of the project, by its name no class itself."""
    if not isinstance(node, ast.Attribute) or not node.attr.islower() or may_be_class(node):
        return False
    match resolver.value(node.value, place):
        case Answer(value=ModelClass() | ClassObject()):
            return True
    return False


def _is_out_of_sight(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    """Whether what looks like a class may be any: not known, of a library, or a mixin that stands for its heirs."""
    match resolver.value(node, place):
        case None | Answer(value=ClassObject()):
            return True
        case Answer(value=Outside() as outside):
            return outside.canonical is None
    return False


def _column(term: Term, place_of: PlaceOf, resolver: Resolver) -> Column:
    node = term.node
    if term.kind == "entity" and term.entity is not None:
        cls = term.entity.cls
        return Column("entity", node, cls.model.name if cls.alias is None else None, (cls,))
    if node is None:
        return Column("unknown", node)
    answer = resolver.value(node, place_of(node))
    written, node = node, spelled_out(node, place_of(node))
    place = place_of(node)
    match answer:
        case Answer(value=ModelAttribute(owner=owner, attribute=attribute)):
            if attribute.kind == "relationship":
                return Column("relationship", node, attribute.name, (owner,))
            if attribute.kind not in {"column", "hybrid", "column_property", "synonym"}:
                return Column("unknown", node)
            is_mapped = attribute.kind != "column"
            return Column(
                "column", node, attribute.name, (owner,), is_hashable=_is_hashable(attribute), is_expression=is_mapped
            )
        case Answer(value=Expression(owners=owners)):
            return _expression(node, place, resolver, owners)
        case Answer(value=Statement() | Exists()):
            return _expression(node, place, resolver, ())
        case Answer(value=FromClause(statement=Statement() as statement)):
            is_nameless = _has_made_up_names(statement, place_of, resolver)
            return Column("bundle", written, is_hashable=False, is_nameless=is_nameless)
        case Answer(value=TableObject() | FromClause()):
            return Column("bundle", written, is_hashable=False)
        case Answer(value=ColumnObject(key=key)):
            return Column("column", node, key, is_hashable=False)
        case None | Answer(value=Plain()) if _is_of_class(node, place, resolver):
            return Column("column", node, last_name(node), is_hashable=False, is_guessed=True)
        case Answer():
            return Column("unknown", node)
    match node:
        case ast.Attribute(value=ast.Attribute(attr="c" | "columns"), attr=name):
            return Column("column", node, name, is_hashable=False)
        case ast.Call() if (made := _made(node, place, resolver)) is not None:
            return made
        case ast.Call(func=ast.Attribute(attr="label"), args=[ast.Constant(value=str() as name)], keywords=[]):
            return Column("column", node, name, is_hashable=False, is_guessed=True)
    return Column("unknown", node)


def _expression(node: ast.expr, place: Place, resolver: Resolver, owners: tuple[ModelClass, ...]) -> Column:
    name = None
    inner = node
    match node:
        case ast.Call(func=ast.Attribute(value=labelled, attr="label"), args=[given, *_]):
            if not (isinstance(given, ast.Constant) and isinstance(given.value, str)):
                return Column("unknown", node)
            name, inner = given.value, labelled
    is_aggregate = _is_aggregate(inner, place, resolver)
    is_hashable = is_aggregate and last_name(inner) in _TYPED
    match resolver.value(inner, place):
        case Answer(value=ModelAttribute(attribute=attribute)):
            is_hashable = _is_hashable(attribute)
    unique = tuple(dict.fromkeys(owners))
    return Column("expression", node, name, unique, is_aggregate, is_hashable, is_nameless=name is None)


def _is_aggregate(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    if not (isinstance(node, ast.Call) and may_aggregate(node)):
        return False
    match resolver.value(node.func, place):
        case Answer(value=Outside(definition=definition)):
            return _makes_functions(definition.name)
    return False


def _made(call: ast.Call, place: Place, resolver: Resolver) -> Column | None:
    """A column made by a function of SQLAlchemy's, or by a method of something that is made so."""
    root: ast.expr = call
    while isinstance(root, ast.Call | ast.Attribute):
        if isinstance(root, ast.Call):
            if last_name(root) == "Bundle" and _canonical(root.func, place, resolver) == "Bundle":
                return Column("bundle", call) if root is call and not root.keywords else None
            if _canonical(root.func, place, resolver) in _EXPRESSIONS or _is_function(root.func, place, resolver):
                return _expression(call, place, resolver, ())
            if isinstance(getattr(resolver.value(root, place), "value", None), Statement | Expression):
                return _expression(call, place, resolver, ())
            root = root.func
        else:
            match root:
                case ast.Attribute(value=ast.Attribute(attr="c" | "columns")):
                    return _expression(call, place, resolver, ())
            if isinstance(getattr(resolver.value(root, place), "value", None), ModelAttribute | Expression):
                return _expression(call, place, resolver, ())
            root = root.value
    return None


def _is_function(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    match resolver.value(node, place):
        case Answer(value=Outside(definition=definition)):
            return definition.canonical is not None and _makes_functions(definition.name)
    return False


def _makes_functions(dotted: str) -> bool:
    """Whether something of SQLAlchemy's is a SQL function, of `func` or of the module behind it."""
    return ".func." in dotted or ".sql.functions." in dotted


def _canonical(node: ast.expr, place: Place, resolver: Resolver) -> str | None:
    match resolver.value(node, place):
        case Answer(value=Outside() as outside):
            return outside.canonical
    return None


def _has_made_up_names(statement: Statement, place_of: PlaceOf, resolver: Resolver) -> bool:
    """Whether a column of a subquery may have a name that SQLAlchemy makes up."""
    inner = column_list(statement.terms, place_of, resolver)
    if inner.nameless or inner.repeated or inner.unknown is not None:
        return True
    if any(column.is_expression for column in inner.columns):
        return True
    if inner.entities and len(inner.columns) > 1:
        return True  # columns of two classes may have equal names
    return statement.has_step(*_LABELLING) or any(map(_has_expression, inner.entities))


def _has_expression(cls: ModelClass) -> bool:
    """Whether a class maps an expression, which has no name of its own in a subquery."""
    return any(attribute.kind == "column_property" for attribute in cls.model.attributes.values())


def _is_hashable(attribute: Attribute) -> bool:
    """Whether the type that a column is declared with has hashable values, as far as is seen."""
    call = attribute.call
    if call is None or not (call.args or call.keywords):
        return bool(_names(attribute.annotation) & _HASHABLE_ANNOTATIONS) if attribute.annotation is not None else False
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in {"type_", "sa_type"})]
    names = {name for argument in given for name in _names(argument)} | _names(attribute.annotation)
    return not names & _UNHASHABLE and bool(names & (_HASHABLE | _HASHABLE_ANNOTATIONS | {"ForeignKey"}))


def _names(node: ast.expr | None) -> set[str]:
    return {last_name(part) for part in ast.walk(node) if isinstance(part, ast.expr)} if node is not None else set()
