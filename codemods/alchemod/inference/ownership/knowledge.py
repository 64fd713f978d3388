"""What the life of a session asks of the rest of inference: openings, products of expressions, what callees
do."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from alchemod.inference.summaries.vocabulary import Certain, Given, Treatment

if TYPE_CHECKING:
    from alchemod.inference.summaries.providers import Provider

FactoryKind: TypeAlias = Literal["plain", "never", "unknown"]
"""`plain`: leaving a `with` block of its session closes it and does nothing else. `never`: a registry, a class with its
own `__exit__` or `close`, a session of a migration, fixture or framework. `unknown`: not known to be SQLAlchemy's."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What the end of a `with` block does to the session that its context manager gave."""

    commits: Certain = "no"
    closes: bool = True


@dataclass(frozen=True, slots=True)
class Opening:
    """A call that opens a session."""

    factory: FactoryKind
    is_async: bool = False
    proved: bool = True
    reason: str = ""
    """Why the factory is `never`, or what an inferred answer lacks."""
    enterable: bool = True
    """Whether sessions are context managers in the lowest version of SQLAlchemy allowed (1.4 and later)."""
    expires_on_commit: bool = True
    provider: Provider | None = None
    """The generator whose first element it is, when nobody keeps the generator."""
    leaving: Leaving | None = None
    """What the end of the block does, when the call makes a context manager that gives a session."""
    handed_out: bool = False
    """Whether it is opened in a context manager of the project, which gives it to the block."""
    is_read: bool = True
    """Whether all settings of the factory are seen."""
    reopens: bool = True
    """Whether a closed session may be used again (false with `close_resets_only=False`, SQLAlchemy 2.0)."""


@dataclass(frozen=True, slots=True)
class Options:
    """The loader options of a query.

    `eager` are the relationships of its entity that they load at once, `named` all names that they speak of. `unread`:
    whether some are not understood.
    """

    eager: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    unread: bool = False

    def loads(self, path: tuple[str, ...], name: str) -> bool:
        """Whether the relationship `name` at the end of `path` is surely loaded with its object."""
        return name in self.eager and path in ((), ("[]",))

    def says(self, path: tuple[str, ...], name: str) -> bool:
        """Whether the options may say something of the relationship."""
        return self.unread or name in self.named


NO_OPTIONS: Final = Options()

ProductKind: TypeAlias = Literal["plain", "object", "objects", "lazy", "session", "unknown"]
"""`plain` has no ties to a session (numbers, text, rows of columns, DTOs). `object` is a mapped object, `objects` a
collection or row with mapped objects. `lazy` is consumed later: a Query, a Result, a generator. `session` is the
session itself."""


@dataclass(frozen=True, slots=True)
class Product:
    """What an expression gives. `holds` are the arguments a new object refers to through its relationships."""

    kind: ProductKind
    holds: tuple[ast.expr, ...] = ()
    deferred: frozenset[str] = frozenset()
    """Columns not loaded by the query (`deferred`, `load_only`)."""
    options: Options = NO_OPTIONS


AttributeKind: TypeAlias = Literal["column", "computed", "deferred", "relationship", "eager", "other"]
"""`computed` is a column that the database sets on update. `relationship` is loaded on first touch, `eager` with its
object. `other`: properties, methods, dynamic relationships, names that are not known."""


class SessionKnowledge(Protocol):
    """The questions. Every node is one of the function under analysis; answers do not depend on the flow of
    control."""

    def opening(self, call: ast.Call) -> Opening | None:
        """How `call` opens a session; None if it opens none."""

    def managing(self, call: ast.Call) -> Opening | None:
        """How `call` makes a context manager that gives a session; None if it makes none."""

    def shared(self, node: ast.expr) -> Opening | None:
        """How the session that `node`, a name or attribute, holds was opened elsewhere; None if it holds none."""

    def product(self, node: ast.expr) -> Product:
        """What `node`, a call, attribute or subscript, gives."""

    def attribute(self, node: ast.Attribute) -> AttributeKind:
        """What reading this attribute of a mapped object is."""

    def is_computed(self, value: ast.expr) -> bool:
        """Whether the database computes `value`, which an attribute is assigned."""

    def through(self, call: ast.Call, used: str | None) -> Treatment:
        """What a call of something that holds the session does with it: a method of an object that keeps it, or with
        `used` a function inside, which uses it under that name."""

    def treatment(self, call: ast.Call, argument: ast.expr, given: Given) -> Treatment:
        """What the callee of `call` does with `argument`, which is of the kind `given`."""
