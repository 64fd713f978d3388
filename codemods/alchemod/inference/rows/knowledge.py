"""What the reads of rows ask of the rest of inference: producers of rows, members of entities, callees."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from alchemod.inference.rows.refs import Given, Path, RowRef
from alchemod.inference.summaries.vocabulary import Effect

Effects: TypeAlias = frozenset[Effect]

MemberKind: TypeAlias = Literal["entity", "relationship", "collection", "property", "plain", "member"]
"""`entity` is a mapped object in a row of several columns. `relationship` leads to one object, `collection` to many.
`property` runs code of the project when it is read. `plain` is a column or a value without ties, or a method, which
does something only when it is called. `member` is something of which nothing is known."""

ExposureKind: TypeAlias = Literal[
    "member", "reflection", "callee", "depth", "runtime", "returned", "yielded", "stored", "captured"
]  # fmt: skip
"""How a row gets out of sight: an unknown member of the model; `__dict__`, `vars` or `getattr` with a variable name; a
callee that reads what is not known; code that goes on from row to row, or decides at run time which relationships it
reads; and what is handed on."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that may act on a session: a call, the assignment to an attribute, the end of a `with` block.

    What it does is asked for when somebody wants to know: that leads through all that is called. `shown` is where it
    happens, seen from the function under analysis.
    """

    node: ast.AST
    shown: ast.AST
    knowledge: RowKnowledge = field(compare=False, repr=False)
    known: Effects | None = None

    @property
    def effects(self) -> Effects:
        """What it may do to a session."""
        if self.known is not None:
            return self.known
        if isinstance(self.node, ast.withitem):
            return self.knowledge.effects_of_leaving(self.node.context_expr)
        assert isinstance(self.node, ast.Call | ast.Attribute)
        return self.knowledge.effects(self.node)


ALL_ROWS: Final = Given(many=True)


@dataclass(frozen=True, slots=True)
class Producer:
    """An expression that gives mapped objects.

    `given` says what of the rows it gives: for a query all of them, `many` or one. `lazy`: the statement is executed
    when the rows are asked for, not where the expression stands (a Query). `since` is what may have happened to the
    session already, where a function of the project gives rows that it asked for; `read` are the paths that it read of
    each of them.
    """

    given: Given = ALL_ROWS
    lazy: bool = False
    since: frozenset[Act] = frozenset()
    read: frozenset[Path] = frozenset()

    @property
    def many(self) -> bool:
        """Whether there may be several rows."""
        return self.given.many or bool(self.given.listed) or "[]" in self.given.path


@dataclass(frozen=True, slots=True)
class HandedRead:
    """A relationship that some code reads of an object it was handed: `must`, on every normal way through it;
    `repeated`, in a loop. `since` is what it may have done to a session before. `why` names the places, from the
    outermost function inwards."""

    path: Path
    must: bool
    repeated: bool = False
    since: frozenset[Act] = field(default=frozenset(), compare=False)
    why: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class HandedExposure:
    """A place where an object gets out of sight of the code that it was handed to."""

    kind: ExposureKind
    path: Path
    why: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Handed:
    """What code that is not walked here does with an object (or a collection) that it is handed.

    `gives` are the parts of it that come back. `everything` stands for code that is being looked at already: whatever
    it reads, it reads.
    """

    reads: frozenset[HandedRead] = frozenset()
    exposures: frozenset[HandedExposure] = frozenset()
    gives: frozenset[Given] = frozenset()
    everything: bool = False


OPAQUE: Final = Handed(exposures=frozenset([HandedExposure("callee", ())]))
"""What code that is not seen may do."""
MUTE: Final = Handed()
"""What code does that looks at nothing but plain values."""


class RowKnowledge(Protocol):
    """The questions. Every node is one of the function under analysis; answers do not depend on the flow of control."""

    def producer(self, call: ast.Call) -> Producer | None:
        """How `call` gives mapped objects; None if it gives none, or a statement that another call executes."""

    def kept(self, attribute: ast.Attribute) -> Producer | None:
        """The mapped objects that an attribute of the function's own object keeps, put there by its methods."""

    def member(self, ref: RowRef, name: str) -> MemberKind:
        """What `name`, an attribute or the position `#n` in a row, of an object is."""

    def property(self, ref: RowRef, name: str) -> Handed:
        """What reading a property of an object does with the object."""

    def arguments(self, call: ast.Call) -> Sequence[ast.expr]:
        """The values that the callee of a call gets, its receiver included."""

    def handed(self, call: ast.Call, argument: ast.expr, ref: RowRef) -> Handed:
        """What the callee of `call` does with `argument`, of which `ref` is the value. The receiver of a method counts
        as an argument."""

    def text(self, ref: RowRef) -> Handed:
        """What making text of an object does with it."""

    def given_away(self, node: ast.Return | ast.Yield, ref: RowRef) -> Handed:
        """What is done with a value that the function returns or yields, by those who are known to get it."""

    def effects(self, node: ast.Call | ast.Attribute) -> Effects:
        """What a call, or the assignment to an attribute, may do to a session."""

    def effects_of_leaving(self, manager: ast.expr) -> Effects:
        """What leaving `with manager:` may do to a session."""

    def swallows(self, manager: ast.expr) -> bool:
        """Whether `with manager:` may swallow an exception."""
