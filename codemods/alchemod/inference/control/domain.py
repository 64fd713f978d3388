"""What a client of the walker tracks: states, what happens to them at a node, and the channels in which
code is left."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import ClassVar, Final, Generic, Literal, TypeAlias, TypeVar

from alchemod.inference.control.steps import can_raise
from alchemod.inference.scoping.scopes import Comprehension

S = TypeVar("S")

Channel: TypeAlias = Literal["next", "return", "raise", "base", "break", "continue"]
"""How a block is left. `raise` stands for Exception and its subclasses, `base` for what is not: GeneratorExit
and CancelledError, which appear at a suspension only. KeyboardInterrupt between two lines is not modelled."""

_CONSUMERS: Final = {"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"}
_RAISING_CLAUSES: Final = (ast.For, ast.AsyncFor, ast.withitem, ast.alias)


class TooComplexError(Exception):
    """The code is nested too deeply or takes too many steps; what was asked about it is unknown."""


class Domain(ABC, Generic[S]):
    """What a client tracks. States are immutable and comparable; every method returns a new state or the
    one it got."""

    wanted: ClassVar[frozenset[type[ast.AST]] | None] = None
    """The types of nodes whose events the domain needs; None for all. The others still raise."""

    @abstractmethod
    def join(self, a: S, b: S) -> S:
        """The state that holds where two ways meet."""

    def event(self, node: ast.AST, state: S) -> S | None:
        """What happens at `node`, its parts evaluated. None if control never comes out of it.

        Nodes: every expression but constants (a Name or Attribute by its `ctx`: read, bound, deleted); the statement
        (Assign, AnnAssign with a value, AugAssign, Return, Raise, Expr, Delete) after its value and before its
        targets; Assert where its test fails, its message evaluated; For, AsyncFor and comprehension each time the
        next element is asked for; withitem on entering; alias, def and class; ExceptHandler on being chosen; MatchAs,
        MatchStar, MatchMapping; Global and Nonlocal.
        """
        return state

    def raised(self, node: ast.AST, before: S, after: S | None) -> S | None:
        """The state if `node` raises an Exception, None if it cannot. By default calls and suspensions may
        have done their work or not, everything else has not."""
        if isinstance(node, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)):
            return before if after is None or after is before else self.join(before, after)
        return before if can_raise(node) or isinstance(node, _RAISING_CLAUSES) else None

    def refine(self, test: ast.expr, truth: bool, state: S) -> S | None:
        """The state given that `test` came out as `truth`; None if it cannot."""
        return state

    def leave(self, item: ast.withitem, channel: Channel, state: S) -> S:
        """What leaving the `with` item does."""
        return state

    def swallows(self, item: ast.withitem, state: S) -> bool:
        """Whether the `with` item may swallow an exception."""
        return True

    def forget(self, handler: ast.ExceptHandler, state: S) -> S:
        """The end of an `except ... as name`, which unbinds the name."""
        return state

    def end_comprehension(self, node: Comprehension, before: S, after: S) -> S:
        """The end of a comprehension, whose targets are gone."""
        return after

    def end_turn(self, node: ast.AST, state: S) -> S:
        """The end of a turn of the loop or comprehension clause `node`, where all normal ends of its body meet."""
        return state

    def turned(self, node: ast.AST, before: S, after: S, exhausted: bool) -> S:
        """The state behind the loop or clause `node`: `before` is its start, `after` its end. `exhausted` is false on
        the way out by `break`."""
        return after

    def runs_now(self, generator: ast.GeneratorExp, call: ast.Call) -> bool:
        """Whether `call` consumes its argument `generator` before it returns."""
        match call.func:
            case ast.Name(id=name):
                return name in _CONSUMERS
            case ast.Attribute(value=ast.Constant(value=str()), attr="join"):
                return True
        return False


Channels: TypeAlias = dict[Channel, S]
"""The state in which each channel is left; a channel that cannot be taken is missing."""
