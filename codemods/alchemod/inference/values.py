"""What an expression can be: the few kinds of value the analysis knows, and how sure an answer is."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from alchemod.facts.attributes import Attribute
from alchemod.facts.lookup import External
from alchemod.facts.model import Model
from alchemod.facts.module import ClassFacts, FunctionFacts, Module
from alchemod.facts.tables import Table, TableColumn
from alchemod.inference.scoping.scopes import Scope

Certainty = Literal["proved", "inferred"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where code stands: the module and the innermost scope."""

    module: Module
    scope: Scope


@dataclass(frozen=True, slots=True)
class Outside:
    """A class, function, module or constant of a library."""

    definition: External

    @property
    def canonical(self) -> str | None:
        """SQLAlchemy's short name for it, None for other libraries."""
        return self.definition.canonical


@dataclass(frozen=True, slots=True)
class ProjectModule:
    """A module of the project."""

    module: Module


@dataclass(frozen=True, slots=True)
class ClassObject:
    """A class of the project that is not mapped."""

    facts: ClassFacts


@dataclass(frozen=True, slots=True)
class FunctionObject:
    """A function or method of the project. `receiver` is what a method was taken from.

    `is_manager`: wrapped by `contextmanager()` where it is used, so that a call gives a context manager.
    """

    facts: FunctionFacts
    receiver: Value | None = None
    is_manager: bool = False


@dataclass(frozen=True, slots=True)
class LocalFunction:
    """A function or lambda defined inside another function."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    place: Place


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A mapped class, or an alias of one made by `aliased()`."""

    model: Model
    alias: ast.expr | None = None
    """The `aliased(...)` call, None for the class itself."""
    is_open: bool = field(default=False, compare=False)
    """Whether a subclass may stand for it: the class is `cls`, or that of `self`."""


@dataclass(frozen=True, slots=True)
class ModelAttribute:
    """An attribute read from a mapped class or an alias: a column, relationship and so on."""

    owner: ModelClass
    attribute: Attribute


@dataclass(frozen=True, slots=True)
class TableObject:
    """A `Table` of SQLAlchemy Core, that of a mapped class (`Model.__table__`) included, or an alias of one."""

    table: Table
    alias: ast.expr | None = None
    """The call that makes the alias, None for the table itself."""


@dataclass(frozen=True, slots=True)
class ColumnsOf:
    """The columns of a table: `table.c`, `table.columns`."""

    owner: TableObject


@dataclass(frozen=True, slots=True)
class ColumnObject:
    """A column read from a table: `table.c.name`. `column` is None when the declaration is not seen."""

    owner: TableObject
    key: str
    column: TableColumn | None


FromKind = Literal["join", "subquery", "cte", "alias", "lateral"]


@dataclass(frozen=True, slots=True)
class FromClause:
    """What stands in FROM and is no table: a join, or a statement made a subquery, a CTE, an alias, a lateral."""

    kind: FromKind
    statement: Statement | None = None


@dataclass(frozen=True, slots=True)
class Exists:
    """An EXISTS clause."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A SQL expression; `owners` are the classes whose attributes it is made of, in order.

    `is_whole` says that it is made of nothing else that belongs to a class.
    """

    owners: tuple[ModelClass, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Object:
    """An instance of a class: a mapped object, or any object of a project class."""

    of: ModelClass | ClassObject


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, set or other iterable of equal elements; `lazy` when it is consumed once."""

    element: Value
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """A tuple of different things; an element that is not known is None. `blank` are the places of constants None."""

    elements: tuple[Answer | None, ...]
    blank: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Plain:
    """A value without ties to a session: a number, a string, a DTO."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An Engine or Connection."""

    is_async: bool = False
    is_connection: bool = False


@dataclass(frozen=True, slots=True)
class LibraryObject:
    """An object of a class of SQLAlchemy that the analysis does not follow further: `URL`, `Inspector`."""

    name: str


@dataclass(frozen=True, slots=True)
class FlaskDatabase:
    """A Flask-SQLAlchemy object, `db`."""


FactoryKind = Literal["plain", "scoped", "committing", "unknown"]


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """Something that makes sessions when it is called.

    `plain` makes sessions whose `with` block closes and does nothing else. `scoped` is a registry that hands out a
    shared session. `committing` makes sessions of a class with its own `__enter__`, `__exit__` or `close`. `unknown`
    has arguments that cannot be read. `reason` says why it is not plain.
    """

    kind: FactoryKind
    is_async: bool
    name: str
    reason: str = ""
    expire_on_commit: bool = True
    query_class: bool = False
    """Whether a custom query class is given."""
    reopens: bool = True
    """Whether a closed session may be used again (false with `close_resets_only=False`, SQLAlchemy 2.0.22)."""
    shares_connection: bool = False
    """Whether its sessions run on a migration's connection."""
    is_read: bool = True
    """Whether all its settings are seen; those of a registry may be given elsewhere."""
    overrides: frozenset[str] = frozenset()
    """The methods that ask for rows which a class of the project has of its own."""

    @property
    def has_plain_queries(self) -> bool:
        """Whether `query()` of its sessions is seen to give SQLAlchemy's own Query."""
        return self.kind == "plain" and not self.query_class and "query" not in self.overrides


@dataclass(frozen=True, slots=True)
class Session:
    """A Session, AsyncSession or scoped registry. `factory` is None when it is not known who made it."""

    is_async: bool = False
    scoped: bool = False
    factory: SessionFactory | None = None


@dataclass(frozen=True, slots=True)
class Managed:
    """A context manager; entering it gives `inner`."""

    inner: Value


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator; each turn gives `inner`."""

    inner: Value


@dataclass(frozen=True, slots=True)
class Coroutine:
    """An awaitable; awaiting it gives `inner`."""

    inner: Value


@dataclass(frozen=True, slots=True)
class Entity:
    """A mapped class that a statement speaks of, and where it is written (`node` in `place`), if anywhere."""

    cls: ModelClass
    node: ast.expr | None = None
    place: Place | None = None

    @property
    def model(self) -> Model:
        """The mapped class."""
        return self.cls.model


TermKind = Literal["entity", "column", "table", "expression", "unknown"]
"""`table` stands for all columns of a Core table."""


@dataclass(frozen=True, slots=True)
class Term:
    """One element of the column list of a statement."""

    kind: TermKind
    entity: Entity | None
    node: ast.expr | None = None


Style = Literal["query", "select", "update", "delete", "insert", "text"]


@dataclass(frozen=True, slots=True)
class Statement:
    """A Query, or a select, update or delete construct, as its chain of calls has built it so far; `text` is SQL whose
    columns are not known.

    `terms` is the column list. `joined` is the last joined entity, `selected_from` the first argument of
    `select_from`; `lost` names the step after which neither is known. `steps` are the methods called, with their calls.
    """

    style: Style
    terms: tuple[Term, ...]
    joined: Entity | None = None
    outer: bool = False
    selected_from: Entity | None = None
    lost: str = ""
    steps: tuple[tuple[str, ast.Call], ...] = ()
    custom_class: str = ""
    """Why a custom query class may stand behind the methods; "" when none does."""
    session: Session | None = None
    node: ast.expr | None = field(default=None, compare=False)
    place: Place | None = field(default=None, compare=False)
    """The latest expression of the chain, and where it stands."""
    dynamic: bool = False
    """Whether the chain starts at a dynamic relationship."""

    def has_step(self, *names: str) -> bool:
        """Whether one of these methods was called."""
        return any(name in names for name, _ in self.steps)


@dataclass(frozen=True, slots=True)
class Rows:
    """What executing a statement gives: a Result, a ScalarResult, or the rows of a list.

    `scalars` says whether an element is the first column itself, not a row. `lazy` is a result consumed once.
    """

    statement: Statement
    scalars: bool
    lazy: bool
    mappings: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of several columns."""

    statement: Statement


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a known value, not yet called."""

    owner: Value
    name: str


Value: TypeAlias = (
    Outside | Method | ProjectModule | ClassObject | FunctionObject | LocalFunction | ModelClass | ModelAttribute |
    TableObject | ColumnsOf | ColumnObject | FromClause | Exists | Expression | Object | Collection | Parts | Plain
    | Engine | LibraryObject | FlaskDatabase | SessionFactory | Session | Managed | Generator | Coroutine |
    Statement | Rows | Row
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """A value, how sure it is, and why.

    `missing` names the fact that would make an inferred answer proved.
    """

    value: Value
    certainty: Certainty = "proved"
    why: tuple[str, ...] = ()
    missing: str | None = None

    def then(self, value: Value, *why: str) -> Answer:
        """The answer `value`, resting on this one."""
        return Answer(value, self.certainty, (*self.why, *why), self.missing)

    def weakened(self, missing: str) -> Answer:
        """This answer, no more than inferred because `missing` is not known."""
        return Answer(self.value, "inferred", self.why, self.missing or missing)


def resting_on(value: Value, answers: Iterable[Answer], *why: str) -> Answer:
    """An answer that is as sure as the weakest it rests on."""
    missing = None
    certainty: Certainty = "proved"
    reasons: list[str] = []
    for answer in answers:
        reasons.extend(reason for reason in answer.why if reason not in reasons)
        if answer.certainty == "inferred":
            certainty = "inferred"
            missing = missing or answer.missing
    return Answer(value, certainty, (*reasons, *why), missing)
