"""What the reads of rows ask of the rest of inference: producers of rows, members of entities, effects of calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from alchemod.inference.summaries.vocabulary import Effect

Path: TypeAlias = tuple[str, ...]
"""Steps from what a producer gives: the name of a relationship, `[]` an element of a collection, `#1` the second item
of a row. `("[]", "team")` is the team of each row of a list."""

MemberKind: TypeAlias = Literal["entity", "relationship", "collection", "plain", "member"]
"""`entity` is a mapped object in a row of several columns. `relationship` leads to one object, `collection` to many.
`plain` is a column or a value without ties. `member` is a property or method of the model, or an unknown name."""


@dataclass(frozen=True, slots=True)
class Producer:
    """An expression that gives mapped objects.

    `many`: a collection or something to iterate over, else a single object. `lazy`: the statement is executed when the
    rows are asked for, not where the expression stands (a Query).
    """

    many: bool = True
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class ArgumentReads:
    """What a callee reads of a row it gets: relationship paths on every normal way (`must`), on any (`may`), and
    whether more than that may be read (`opaque`)."""

    must: frozenset[Path] = frozenset()
    may: frozenset[Path] = frozenset()
    opaque: bool = True


class RowKnowledge(Protocol):
    """The questions. Every node is one of the function under analysis; answers do not depend on the flow of control."""

    def producer(self, call: ast.Call) -> Producer | None:
        """How `call` gives mapped objects; None if it gives none, or a statement that another call executes."""

    def member(self, producer: ast.Call, path: Path) -> MemberKind:
        """What the last step of `path`, an attribute name or the position `#n` in a row, leads to."""

    def effects(self, node: ast.Call | ast.Attribute) -> frozenset[Effect]:
        """What a call, or the assignment to an attribute, may do to a session."""

    def effects_of_leaving(self, manager: ast.expr) -> frozenset[Effect]:
        """What leaving `with manager:` may do to a session."""

    def swallows(self, manager: ast.expr) -> bool:
        """Whether `with manager:` may swallow an exception."""

    def reads(self, call: ast.Call, argument: ast.expr) -> ArgumentReads:
        """What the callee of `call` reads of `argument`, a row, or of each element of it, a collection of rows."""
