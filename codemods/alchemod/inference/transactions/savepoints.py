"""Savepoints that are committed and rolled back by hand, and the `with` block they can become.

SQLAlchemy 2.0, "Using SAVEPOINT": `with session.begin_nested():` releases the savepoint at its end, and rolls back to
it on an exception. What is pending is flushed by the release, so a handler of flush errors has to stand around the
block.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from alchemod.inference.scoping.scopes import contains
from alchemod.inference.transactions.events import Event
from alchemod.inference.transactions.frames import TRIES, Position
from alchemod.inference.transactions.names import uses_of
from alchemod.inference.transactions.work import Work

Shape: TypeAlias = Literal["plain", "inside", "around"]
"""Where the block goes: it takes in the statements up to the commit; it stands inside the `try` whose body ends with
the commit; it stands around the `try`, and the commit that is its `else` or follows it."""

Obstacle: TypeAlias = Literal["leaves", "conditional", "apart"]
"""Why there is no block: the savepoint is handed on or kept; it is committed or rolled back in a branch; its commit
does not end the statements that follow it."""


@dataclass(frozen=True, slots=True)
class Savepoint:
    """A savepoint in a variable. `first` and `last` are the statements that become the block, the opener and the commit
    included where they lie in the range; `at` is the line of what stands in the way."""

    event: Event
    opener: ast.Assign
    obstacle: Obstacle | None = None
    at: ast.AST | None = None
    shape: Shape = "plain"
    first: ast.stmt | None = None
    last: ast.stmt | None = None
    commit: ast.stmt | None = None
    rollbacks: tuple[ast.stmt, ...] = ()
    dropped_handlers: tuple[ast.ExceptHandler, ...] = ()


def savepoint(call: ast.Call, work: Work) -> Savepoint | None:
    """The savepoint that `call` opens into a variable, if it is committed by hand and no handler goes on after it."""
    event, position = work.event(call), work.position(call)
    if event is None or event.kind != "savepoint" or position is None or call.args or call.keywords:
        return None
    opener = position.statement
    match opener:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Await(value=value) | value) if value is call:
            pass
        case _:
            return None
    ends = [one for one in work.of(event.session, ["release", "undo"]) if work.begun_by(one.node) is call]
    releases = [one for one in ends if one.kind == "release"]
    if not releases or _goes_on([one for one in ends if one.kind == "undo"], work):
        return None
    known = {
        one.node.func.value
        for one in ends
        if isinstance(one.node, ast.Call) and isinstance(one.node.func, ast.Attribute)
    }
    for use, parent in uses_of(name, work.place.scope.node):
        if use not in known:
            asked = isinstance(parent, ast.Attribute) and parent.attr == "is_active"
            return Savepoint(event, opener, "conditional" if asked else "leaves", use)
    return _planned(Savepoint(event, opener), position, ends, work)


def _goes_on(undos: list[Event], work: Work) -> bool:
    """Whether a handler that rolls back to the savepoint may go on behind its `try`."""
    for undo in undos:
        assert isinstance(undo.node, ast.expr)
        position = work.position(undo.node)
        handler = next((frame.handler for frame in position.frames if frame.handler), None) if position else None
        if handler is not None and not work.always_raises(handler):
            return True
    return False


def _planned(found: Savepoint, position: Position, ends: list[Event], work: Work) -> Savepoint:
    statements: dict[Event, ast.Expr] = {}
    for end in ends:
        assert isinstance(end.node, ast.expr)
        statement = work.statement_of(end.node)
        if statement is None:
            return Savepoint(found.event, found.opener, "conditional", end.node)
        statements[end] = statement
    releases = [statement for end, statement in statements.items() if end.kind == "release"]
    undos = [statement for end, statement in statements.items() if end.kind == "undo"]
    if len(releases) > 1:
        return Savepoint(found.event, found.opener, "conditional", releases[1])
    (commit,) = releases
    around = position.frames[0].statement if position.frames else None
    inner = position.following[0] if position.following else None
    if isinstance(around, TRIES) and position.index == 0 and position.suite is around.body and commit in around.body:
        return _of_try(found, around, commit, undos, found.opener, None, work)
    if isinstance(inner, TRIES):
        behind = position.following[1] if len(position.following) > 1 else None
        return _of_try(found, inner, commit, undos, inner.body[0], behind, work)
    if commit in position.following and not undos:
        return Savepoint(found.event, found.opener, None, None, "plain", found.opener, commit, commit)
    return Savepoint(found.event, found.opener, "conditional" if undos else "apart", (undos or [commit])[0])


def _of_try(
    found: Savepoint,
    node: ast.Try | ast.TryStar,
    commit: ast.Expr,
    undos: list[ast.Expr],
    first: ast.stmt,
    behind: ast.stmt | None,
    work: Work,
) -> Savepoint:
    """The plan for a savepoint around, or inside, a `try` with handlers that roll back and raise."""
    rolling = [handler for handler in node.handlers if any(undo in handler.body for undo in undos)]
    stray = next((undo for undo in undos if not any(undo in handler.body for handler in rolling)), None)
    if stray is not None or node.finalbody:
        return Savepoint(found.event, found.opener, "conditional", stray or node)
    trivial = _are_trivial(node.handlers, undos)
    dropped = tuple(node.handlers) if trivial and (not node.orelse or node.orelse == [commit]) else ()
    rollbacks = () if dropped else tuple(undos)
    if node.body[-1] is commit:
        last: ast.stmt = commit
        return Savepoint(found.event, found.opener, None, None, "inside", first, last, commit, rollbacks, dropped)
    busy = None if dropped else _work_in(node.handlers, found.event, work)
    if busy is not None:
        return Savepoint(found.event, found.opener, "apart", busy)
    if commit is behind or node.orelse == [commit]:
        last = commit if commit is behind else node
        return Savepoint(
            found.event, found.opener, None, None, "around", found.opener, last, commit, rollbacks, dropped
        )
    return Savepoint(found.event, found.opener, "apart", commit)


def _work_in(handlers: Sequence[ast.ExceptHandler], event: Event, work: Work) -> ast.AST | None:
    """What a handler does with the session besides ending the savepoint: inside the block it would fail."""
    inner = [part for handler in handlers for part in handler.body]
    for one in work.of(event.session):
        node = one.node
        if one.kind != "undo" and isinstance(node, ast.expr) and any(contains(part, node) for part in inner):
            return node
    return None


def _are_trivial(handlers: Sequence[ast.ExceptHandler], undos: list[ast.Expr]) -> bool:
    """Whether handlers do nothing but roll back and raise what they caught."""
    for handler in handlers:
        rest = [statement for statement in handler.body if statement not in undos]
        match rest:
            case [ast.Raise(exc=None)]:
                continue
            case [ast.Raise(exc=ast.Name(id=raised), cause=None)] if raised == handler.name:
                continue
        return False
    return bool(handlers)
