"""Transactions that are committed and rolled back by hand where a block would do both.

SQLAlchemy 2.0, "Framing out a begin / commit / rollback block": `with maker.begin() as session:` commits when the block
is left, rolls back on an exception, and closes (1.4 and later).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal, TypeAlias

from alchemod.inference.scoping.scopes import contains
from alchemod.inference.transactions.events import Event
from alchemod.inference.transactions.frames import TRIES, WITHS, Position
from alchemod.inference.transactions.names import uses_of
from alchemod.inference.transactions.objects import reads_object
from alchemod.inference.transactions.order import Left, Mark
from alchemod.inference.transactions.work import Work
from alchemod.inference.values import SessionFactory

Opening: TypeAlias = Literal["factory", "session"]
"""What the block can be made of: a factory, which has `begin()`, or the session itself."""


@dataclass(frozen=True, slots=True)
class Handwritten:
    """A transaction with one commit at its end.

    `opening` is the call that opens the session in the head of `block`, or in `opener`, an assignment before the
    `try`. `begin` is an explicit `session.begin()` at the start. `removed` are the commit, `begin`, `close()` and the
    handlers. None of these for a borrowed session.
    """

    commit: Event
    kind: Opening = "factory"
    opening: ast.Call | None = None
    block: ast.With | ast.AsyncWith | None = None
    opener: ast.Assign | None = None
    guard: ast.Try | None = None
    begin: ast.stmt | None = None
    removed: tuple[ast.AST, ...] = ()

    @property
    def is_borrowed(self) -> bool:
        """Whether the session comes from outside, where a transaction may have begun."""
        return self.opening is None


def handwritten(call: ast.Call, work: Work) -> Handwritten | None:
    """The transaction that `call` commits, if a block would do the same."""
    event, statement, position = work.event(call), work.statement_of(call), work.position(call)
    if event is None or event.kind != "commit" or statement is None or position is None:
        return None
    if len(work.of(event.session, ["commit"])) > 1 or not _is_last(position):
        return None
    frames = list(position.frames)
    guard = frames.pop(0).statement if frames and isinstance(frames[0].statement, TRIES) else None
    if guard is not None and not (
        isinstance(guard, ast.Try) and position.suite is guard.body and _only_undoes(guard, event, work)
    ):
        return None
    if not _nothing_read_later(event, work) or (event.session.is_own and not event.session.is_plain):
        return None
    if event.session.owner == "block" and frames:
        return _in_block(event, statement, guard, frames[0].statement, work)
    if event.session.owner == "opened" and guard is not None:
        return _by_hand(event, statement, guard, work)
    if event.session.owner in {"parameter", "attribute", "injected"} and guard is not None and guard.handlers:
        return Handwritten(event)
    return None


def _in_block(
    event: Event, statement: ast.stmt, guard: ast.Try | None, block: ast.stmt, work: Work
) -> Handwritten | None:
    origin = event.session.origin.node
    if not isinstance(block, WITHS) or len(block.items) > 1 or block.items[0].context_expr is not origin:
        return None
    assert isinstance(origin, ast.Call)
    (item,) = block.items
    begin = _begun(event, work, block.body[0])
    body = [one for one in block.body if one is not begin]
    whole = body == [guard] if guard is not None else statement in body
    ends = [Left(item, channel) for channel in ("next", "return", "break", "continue")]
    if not whole or begin is False or not work.order.always_followed(item, [event.mark], ends):
        return None
    handlers = guard.handlers if guard is not None else []
    for one in work.of(event.session, ["rollback", "close"]):
        if isinstance(one.mark, Left) or not contains_event(block, one):
            continue
        if not any(contains_event(handler, one) for handler in handlers):
            return None
    removed = _removed(statement, guard, begin)
    return Handwritten(event, _kind(origin, work), origin, block, None, guard, begin, removed)


def _by_hand(event: Event, statement: ast.stmt, guard: ast.Try, work: Work) -> Handwritten | None:
    """`s = Maker()`, then a `try` that commits, rolls back and raises, and closes; nothing in between or behind."""
    origin = event.session.origin.node
    position = work.position(origin) if isinstance(origin, ast.Call) else None
    if position is None or not isinstance(origin, ast.Call):
        return None
    opener, following = position.statement, list(position.following)
    begin = _begun(event, work, following[0]) if following else None
    if begin is False:
        return None
    rest = [one for one in following if one is not begin]
    close = _lone_close(guard, event, work)
    if (
        not isinstance(opener, ast.Assign)
        or opener.value is not origin
        or not rest
        or rest[0] is not guard
        or close is None
    ):
        return None
    if any(isinstance(part, ast.Return) for one in guard.body for part in ast.walk(one) if part is not guard.body[-1]):
        return None
    for name in work.names_of(event.session):
        for use, _ in uses_of(name, work.place.scope.node):
            if not contains(guard, use) and not (isinstance(begin, ast.stmt) and contains(begin, use)):
                return None
    removed = (*_removed(statement, guard, begin), close)
    return Handwritten(event, _kind(origin, work), origin, None, opener, guard, begin, removed)


def _is_last(position: Position) -> bool:
    """Whether nothing but a plain `return` follows in the suite."""
    match list(position.following):
        case [] | [ast.Return(value=None | ast.Name() | ast.Constant())]:
            return True
    return False


def _only_undoes(guard: ast.Try, event: Event, work: Work) -> bool:
    """Whether the handlers do nothing but roll back and raise what they caught."""
    if guard.orelse:
        return False
    for handler in guard.handlers:
        undone = [one for one in _rollbacks(event, work) if one in handler.body]
        rest = [one for one in handler.body if one not in undone]
        match rest:
            case [ast.Raise(exc=None)]:
                continue
        return False
    return True


def _rollbacks(event: Event, work: Work) -> list[ast.stmt]:
    """The statements that are nothing but a rollback of the session."""
    calls = [one.node for one in work.of(event.session, ["rollback"])]
    return [found for call in calls if isinstance(call, ast.expr) and (found := work.statement_of(call)) is not None]


def _nothing_read_later(event: Event, work: Work) -> bool:
    """Whether no object is read, and nothing sent, between the commit and the end of the function."""
    after = work.order.after(event.mark)
    if event.mark in after:
        return False
    busy = [one for one in work.of(event.session) if one.mark in after and one.kind not in {"close", "rollback"}]
    return not busy and not any(_reads(mark, work) for mark in after)


def _reads(mark: Mark, work: Work) -> bool:
    return isinstance(mark, ast.Attribute) and isinstance(mark.ctx, ast.Load) and reads_object(mark, work)


def _begun(event: Event, work: Work, first: ast.stmt) -> ast.stmt | Literal[False] | None:
    """The statement `session.begin()` at the start; None where there is none, False where it stands elsewhere."""
    begins = [one for one in work.of(event.session, ["begin"]) if isinstance(one.node, ast.expr)]
    if not begins:
        return None
    statement = work.statement_of(begins[0].node) if isinstance(begins[0].node, ast.expr) else None
    return statement if len(begins) == 1 and statement is first and statement is not None else False


def _removed(
    statement: ast.stmt, guard: ast.Try | None, begin: ast.stmt | Literal[False] | None
) -> tuple[ast.AST, ...]:
    handlers = guard.handlers if guard is not None else []
    return (statement, *handlers, *([begin] if begin else []))


def _lone_close(guard: ast.Try, event: Event, work: Work) -> ast.stmt | None:
    """The `close()` that is all of the `finally`."""
    for one in work.of(event.session, ["close"]):
        statement = work.statement_of(one.node) if isinstance(one.node, ast.expr) else None
        if statement is not None and guard.finalbody == [statement]:
            return statement
    return None


def _kind(opening: ast.Call, work: Work) -> Opening:
    maker = work.value(opening.func)
    bare = not opening.args and not opening.keywords
    return "factory" if bare and maker is not None and isinstance(maker.value, SessionFactory) else "session"


def contains_event(outer: ast.stmt | ast.ExceptHandler, event: Event) -> bool:
    """Whether something happens inside a statement or handler."""
    node = event.node
    parts = outer.body if isinstance(outer, ast.ExceptHandler) else [outer]
    return isinstance(node, (ast.expr, ast.stmt)) and any(contains(part, node) for part in parts)
