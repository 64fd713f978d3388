"""Which statements stand around a node: the suites of `try`, handlers, `finally`, `with`, loops and branches."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from alchemod.inference.control.dominance import enclosing_suites

Part: TypeAlias = Literal["body", "orelse", "finally", "handler", "case"]
Loop: TypeAlias = ast.For | ast.AsyncFor | ast.While
LOOPS = (ast.For, ast.AsyncFor, ast.While)
TRIES = (ast.Try, ast.TryStar)
WITHS = (ast.With, ast.AsyncWith)


@dataclass(frozen=True, slots=True)
class Frame:
    """A suite around a node: `suite` is the `part` of `statement` that holds it, at `index`. `handler` is the handler
    whose suite it is."""

    statement: ast.stmt
    part: Part
    suite: Sequence[ast.stmt]
    index: int
    handler: ast.ExceptHandler | None = None

    @property
    def is_loop(self) -> bool:
        """Whether the suite runs once per turn."""
        return isinstance(self.statement, LOOPS) and self.part == "body"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a node stands in a function: its own statement in its suite, and the frames around, innermost first."""

    suite: Sequence[ast.stmt]
    index: int
    frames: tuple[Frame, ...]

    @property
    def statement(self) -> ast.stmt:
        """The innermost statement that holds the node."""
        return self.suite[self.index]

    @property
    def following(self) -> Sequence[ast.stmt]:
        """The statements behind it in its suite."""
        return self.suite[self.index + 1 :]

    @property
    def loop(self) -> Loop | None:
        """The innermost loop around."""
        found = next((frame.statement for frame in self.frames if frame.is_loop), None)
        return found if isinstance(found, LOOPS) else None


def position_of(block: Sequence[ast.stmt], node: ast.expr | ast.stmt) -> Position | None:
    """Where `node` stands in `block`; None when it is not in it."""
    chain = list(enclosing_suites(block, node))
    if not chain:
        return None
    frames: list[Frame] = []
    for (outer, at), (inner, index) in pairwise(chain):
        part, handler = _part(outer[at], inner)
        frames.append(Frame(outer[at], part, inner, index, handler))
    suite, index = chain[-1]
    return Position(suite, index, tuple(reversed(frames)))


def _part(statement: ast.stmt, suite: Sequence[ast.stmt]) -> tuple[Part, ast.ExceptHandler | None]:
    match statement:
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            if suite is statement.finalbody:
                return "finally", None
            for handler in handlers:
                if suite is handler.body:
                    return "handler", handler
        case ast.Match():
            return "case", None
    return ("orelse", None) if suite is getattr(statement, "orelse", None) else ("body", None)
