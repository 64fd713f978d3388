"""Commits inside a loop: whether one commit after the loop would do, and what speaks against it.

A commit in each turn waits for the disk each time, expires every object of the session, and leaves half of the work
behind when a later turn fails (SQLAlchemy 2.0, "Performance", "Committing"). But batches, hand-overs to other workers
and effects outside the database need it where it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from alchemod.facts.module import last_name
from alchemod.inference.scoping.scopes import contains
from alchemod.inference.transactions.events import Event
from alchemod.inference.transactions.frames import LOOPS, Frame, Loop, Position
from alchemod.inference.transactions.objects import reads_object
from alchemod.inference.transactions.order import Left, Mark, in_source_order
from alchemod.inference.transactions.work import Work

Obstacle: TypeAlias = Literal["stream", "callee", "leaves", "before"]
"""Why there is only a report: the loop goes over a result that is still open; a callee that is not seen; the loop may
be left by `return`; objects are changed before the `try` whose work could be undone."""

_WORK: Final = frozenset({"add", "write", "execute", "lent"})
_BATCH: Final = ("batch", "chunk", "window", "partition", "page", "slice", "group")
_STREAMING: Final = frozenset({"yield_per", "stream", "stream_scalars"})
_LOCKING: Final = frozenset({"with_for_update", "with_lockmode"})
_WORKERS: Final = frozenset({"task", "shared_task", "periodic_task", "actor", "job", "scheduled_task"})


@dataclass(frozen=True, slots=True)
class LoopCommit:
    """A commit in each turn of `loop`. With `guard`, a `try` that skips what fails, each turn needs a savepoint; the
    statements of `moved` stand before it and have to go inside. `flushes`: something of the turn reads what only the
    database knows. `is_followed`: the loop is followed by a commit anyway."""

    event: Event
    loop: Loop
    statement: ast.Expr
    obstacle: Obstacle | None = None
    at: ast.AST | None = None
    guard: ast.Try | None = None
    moved: tuple[ast.stmt, ...] = ()
    rollbacks: tuple[ast.stmt, ...] = ()
    flushes: bool = False
    is_followed: bool = False


@dataclass(slots=True)
class _Turn:
    """What one turn of the loop does."""

    event: Event
    loop: Loop
    position: Position
    work: Work
    guard: ast.Try | None = None
    events: list[Event] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    after: set[Mark] = field(default_factory=set)


def loop_commit(call: ast.Call, work: Work) -> LoopCommit | None:
    """The commit in a loop that `call` is, if nothing seen says that it belongs there."""
    event, statement, position = work.event(call), work.statement_of(call), work.position(call)
    if event is None or event.kind != "commit" or statement is None or position is None:
        return None
    loop = position.loop
    if loop is None or _is_inside(event.session.origin.node, loop) or _is_transaction(event, work):
        return None
    turn = _turn(event, loop, position, work)
    if turn is None or _belongs_there(turn):
        return None
    return _judged(turn, statement)


def _turn(event: Event, loop: Loop, position: Position, work: Work) -> _Turn | None:
    """The turn, where the commit is made in each of them, in a `try` at most, together with work of its own."""
    turn = _Turn(event, loop, position, work)
    for frame in position.frames:
        if frame.statement is loop:
            break
        if isinstance(frame.statement, ast.Try) and frame.part == "body" and not frame.statement.finalbody:
            if turn.guard is not None:
                return None
            turn.guard = frame.statement
        elif not (isinstance(frame.statement, ast.If) and _has_work(frame, turn)):
            return None
    turn.events = [one for one in work.of(event.session) if _in_body(one.node, loop)]
    turn.marks = in_source_order(
        mark for mark in work.order.marks if isinstance(mark, ast.AST) and _in_body(mark, loop)
    )
    turn.after = work.order.after(event.mark, until=[loop]) & set(turn.marks)
    return turn


def _belongs_there(turn: _Turn) -> bool:
    """Whether the commit is meant to be made in each turn, or may be: batches, hand-overs, effects outside."""
    loop, work = turn.loop, turn.work
    if isinstance(loop, ast.While) and (turn.guard is None or isinstance(loop.test, ast.Constant)):
        return True
    if len([one for one in turn.events if one.kind == "commit"]) > 1 or _is_batch(turn) or _is_worker(work):
        return True
    if any(_names(mark) & _LOCKING for mark in [*turn.marks, *_iterated(loop)]):
        return True
    others = [one for one in work.events if one.session.origin.key != turn.event.session.origin.key]
    if any(_is_inside(one.node, loop) for one in others):
        return True
    if any(isinstance(mark, (ast.Yield, ast.YieldFrom)) for mark in turn.marks):
        return True
    return any(
        work.reach(call) == "outside" or (work.reach(call) == "unknown" and call in turn.after) for call in _calls(turn)
    )


def _judged(turn: _Turn, statement: ast.Expr) -> LoopCommit | None:
    loop, work = turn.loop, turn.work
    base = LoopCommit(turn.event, loop, statement)
    if isinstance(loop, (ast.For, ast.AsyncFor)) and (isinstance(loop, ast.AsyncFor) or _names(loop.iter) & _STREAMING):
        return LoopCommit(turn.event, loop, statement, "stream", loop.iter)
    if not _works(turn):
        return None
    if turn.guard is not None:
        guarded = _guarded(turn, statement)
        if guarded is None or guarded.obstacle is not None:
            return guarded
        base = guarded
    unseen = next((call for call in _calls(turn) if work.reach(call) == "unknown"), None)
    if unseen is not None:
        return LoopCommit(turn.event, loop, statement, "callee", unseen)
    leaving = next((mark for mark in turn.marks if isinstance(mark, ast.Return)), None)
    if leaving is not None:
        return LoopCommit(turn.event, loop, statement, "leaves", leaving)
    return LoopCommit(
        turn.event, loop, statement, None, None, base.guard, base.moved, base.rollbacks,
        _needs_flush(turn) and turn.guard is None, _is_followed(turn),
    )  # fmt: skip


def _needs_flush(turn: _Turn) -> bool:
    """Whether something behind the commit, or in the next turn, needs what was added to be in the database."""
    if any(isinstance(mark, ast.Attribute) and reads_object(mark, turn.work) for mark in turn.after):
        return True
    if any(one.kind == "refresh" and one.mark in turn.after for one in turn.events):
        return True
    return turn.work.may_not_autoflush and any(one.kind in {"read", "execute", "lent"} for one in turn.events)


def _guarded(turn: _Turn, statement: ast.Expr) -> LoopCommit | None:
    """The commit of a turn whose failure is skipped: the handlers roll back and go on with the next turn."""
    guard, loop, work = turn.guard, turn.loop, turn.work
    assert guard is not None
    if turn.position.suite is not guard.body or guard not in loop.body or guard.orelse:
        return None
    rollbacks: list[ast.stmt] = []
    for handler in guard.handlers:
        undone = [one for one in turn.events if one.kind == "rollback" and _is_inside(one.node, handler)]
        statements = [work.statement_of(one.node) for one in undone if isinstance(one.node, ast.expr)]
        in_place = [one for one in statements if one is not None and one in handler.body]
        if work.always_raises(handler) and not undone:
            continue
        if len(undone) != 1 or len(in_place) != 1 or not _goes_on(handler, work):
            return None
        rollbacks += in_place
    if not rollbacks:
        return None
    before = loop.body[: loop.body.index(guard)]
    moved = tuple(one for one in before if _adds(one, turn))
    if moved and (guard.body[0] is not statement or before[-len(moved) :] != list(moved)):
        return LoopCommit(turn.event, loop, statement, "before", moved[0])
    changed = next((one for one in before if one not in moved and _changes(one, turn)), None)
    if changed is not None:
        return LoopCommit(turn.event, loop, statement, "before", changed)
    return LoopCommit(turn.event, loop, statement, None, None, guard, moved, tuple(rollbacks))


def _goes_on(handler: ast.ExceptHandler, work: Work) -> bool:
    """Whether a handler lets the loop go on with the next turn on every way that is no exception."""
    ends = work.order_within(handler).after(handler)
    return ends.isdisjoint(["return", "break"])


def _works(turn: _Turn) -> bool:
    """Whether a turn has work of its own to commit."""
    return any(one.kind in _WORK for one in turn.events) or any(
        isinstance(mark, ast.Attribute) and isinstance(mark.ctx, ast.Store) and reads_object(mark, turn.work)
        for mark in turn.marks
    )


def _has_work(frame: Frame, turn: _Turn) -> bool:
    """Whether a branch that commits also adds or changes something: else it commits a batch."""
    inside = [one for one in turn.work.of(turn.event.session) if one.kind in _WORK]
    return any(_is_inside(one.node, part) for one in inside for part in frame.suite)


def _is_batch(turn: _Turn) -> bool:
    """Whether a turn is a batch: the loop goes over chunks, or a loop inside does the work."""
    loop = turn.loop
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        words = " ".join(sorted(_names(loop.iter) | _names(loop.target))).lower()
        if any(word in words for word in _BATCH):
            return True
        match loop.iter:
            case ast.Call(func=ast.Name(id="range"), args=[_, _, _]):
                return True
    inner = [part for part in ast.walk(loop) if isinstance(part, LOOPS) and part is not loop]
    return any(one.kind in _WORK and _is_inside(one.node, part) for one in turn.events for part in inner)


def _is_worker(work: Work) -> bool:
    """Whether the function is a task of a queue, where a commit shows progress."""
    decorators = getattr(work.place.scope.node, "decorator_list", ())
    return any(last_name(decorator) in _WORKERS for decorator in decorators)


def _is_transaction(event: Event, work: Work) -> bool:
    """Whether the session is in a block that commits by itself."""
    return event.session.owner == "transaction" or any(
        isinstance(one.mark, Left) and one.kind == "commit" for one in work.of(event.session)
    )


def _is_followed(turn: _Turn) -> bool:
    position = turn.work.position(turn.loop)
    following = position.following[0] if position is not None and position.following else None
    match following:
        case ast.Expr(value=ast.Await(value=ast.Call() as call) | (ast.Call() as call)):
            event = turn.work.event(call)
            same = event is not None and event.session.origin.key == turn.event.session.origin.key
            return event is not None and same and event.kind == "commit"
    return False


def _adds(statement: ast.stmt, turn: _Turn) -> bool:
    """Whether a statement is nothing but an `add()`."""
    match statement:
        case ast.Expr(value=ast.Call() as call):
            return any(one.kind == "add" for one in turn.events if one.node is call)
    return False


def _changes(statement: ast.stmt, turn: _Turn) -> bool:
    """Whether a statement before the `try` leaves something to be flushed: the savepoint would begin with it."""
    if any(one.kind in _WORK and _is_inside(one.node, statement) for one in turn.events):
        return True
    stored = (mark for mark in turn.marks if isinstance(mark, ast.Attribute) and isinstance(mark.ctx, ast.Store))
    return any(_is_inside(mark, statement) and reads_object(mark, turn.work) for mark in stored)


def _calls(turn: _Turn) -> Iterator[ast.Call]:
    """The calls of a turn that are no methods of the session or of a query."""
    for mark in turn.marks:
        if isinstance(mark, ast.Call) and all(one.kind == "lent" for one in turn.work.at(mark)):
            receiver = mark.func.value if isinstance(mark.func, ast.Attribute) else None
            if receiver is None or turn.work.session(receiver) is None:
                yield mark


def _names(node: ast.AST | Mark) -> set[str]:
    """The names and attributes in a node."""
    if not isinstance(node, ast.AST):
        return set()
    parts = ast.walk(node) if isinstance(node, ast.expr) else ()
    return {last_name(part) for part in parts if isinstance(part, (ast.Name, ast.Attribute))}


def _in_body(node: ast.AST, loop: Loop) -> bool:
    return any(_is_inside(node, part) for part in loop.body)


def _is_inside(node: ast.AST | None, outer: ast.AST) -> bool:
    parts: Sequence[ast.stmt] = outer.body if isinstance(outer, ast.ExceptHandler) else ()
    if parts:
        return any(_is_inside(node, part) for part in parts)
    if not isinstance(node, (ast.expr, ast.stmt)) or not isinstance(outer, (ast.expr, ast.stmt)):
        return False
    return contains(outer, node)


def _iterated(loop: Loop) -> list[ast.expr]:
    return [] if isinstance(loop, ast.While) else [loop.iter]
