"""Commits inside a block that commits by itself, and `begin()` where a transaction has begun already.

SQLAlchemy 2.0, "Framing out a begin / commit / rollback block": once the transaction of a `with session.begin()` block
is over, the session takes no more work until the block ends; `begin()` raises while a transaction is begun (1.4 to 2.1
alike, verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alchemod.inference.summaries.vocabulary import Deeds
from alchemod.inference.transactions.events import BEGINNING, ENDING, Event, EventKind
from alchemod.inference.transactions.frames import LOOPS, TRIES, WITHS, Frame
from alchemod.inference.transactions.objects import reads_object
from alchemod.inference.transactions.order import Left, Mark, in_source_order
from alchemod.inference.transactions.work import Work

Ending: TypeAlias = Literal["last", "raises", "guarded", "ended", "followed"]
"""How a block goes on after a commit in it: it is left at once; work on the session raises; the commit stands in a
`try`, or another block, that would no longer surround it; the session is rolled back or closed; other code follows."""

_RAISING: Final[frozenset[EventKind]] = BEGINNING | {"commit", "lent"}
_ALL_CHANNELS: Final = ("next", "return", "break", "continue", "raise")


@dataclass(frozen=True, slots=True)
class InnerCommit:
    """A commit inside a block that commits by itself. `where` is what follows, or what surrounds it."""

    event: Event
    block: ast.stmt
    item: ast.withitem
    ending: Ending
    where: ast.AST | None = None


def inner_commit(call: ast.Call, work: Work) -> InnerCommit | None:
    """The commit that `call` is, inside a `with` block of the same session's transaction; None if it is none."""
    event = work.event(call)
    position = work.position(call)
    if event is None or event.kind != "commit" or position is None:
        return None
    inside: list[Frame] = []
    for frame in position.frames:
        if isinstance(frame.statement, WITHS) and frame.part == "body":
            later: list[ast.withitem] = []
            for item in reversed(frame.statement.items):
                kinds = {one.kind for one in work.at(Left(item, "next")) if _same(one, event)}
                if "release" in kinds:
                    return None  # what commit() means inside a savepoint depends on the version
                if "commit" in kinds:
                    ending, where = _ending(event, item, inside, later, work)
                    return InnerCommit(event, frame.statement, item, ending, where)
                later.append(item)
        inside.append(frame)
    return None


def _ending(
    event: Event, item: ast.withitem, inside: list[Frame], later: list[ast.withitem], work: Work
) -> tuple[Ending, ast.AST | None]:
    """How the block goes on; `inside` are the suites between it and the commit, `later` what its head opens behind."""
    after = _after(event.mark, item, work)
    raising = next((one for mark in after for one in work.at(mark) if _same(one, event) and one.kind in _RAISING), None)
    if raising is not None:
        return "raises", raising.node
    if event.session.expires_on_commit is not False and (read := _object_read(after, work)) is not None:
        return "raises", read
    for frame in inside:
        if isinstance(frame.statement, (*TRIES, *WITHS, *LOOPS)):
            return "guarded", frame.statement
    if later:
        return "guarded", later[-1].context_expr
    ended = next((one for mark in after for one in work.at(mark) if _same(one, event)), None)
    if ended is not None:
        return "ended", ended.node
    other = next((mark for mark in after if isinstance(mark, ast.AST) and not _is_bare_exit(mark)), None)
    return ("followed", other) if other is not None else ("last", None)


def _after(mark: Mark, item: ast.withitem, work: Work) -> list[Mark]:
    """What may happen between a mark and the end of a `with` item, its own statement and what awaits it aside."""
    ends = [Left(item, channel) for channel in _ALL_CHANNELS]
    found: set[Mark] = set().union(*(work.order.between(mark, end, until=ends) for end in ends))
    if mark in work.order.after(mark, until=ends):
        found.add(mark)
    return in_source_order(one for one in found if not _wraps(one, mark))


def _wraps(one: Mark, mark: Mark) -> bool:
    """Whether `one` is the `await` of, or the statement that is nothing but, the call `mark`."""
    inner = one.value if isinstance(one, ast.Expr) else one
    if inner is mark:
        return one is not mark
    return isinstance(inner, ast.Await) and inner.value is mark


def _object_read(after: list[Mark], work: Work) -> ast.AST | None:
    return next((mark for mark in after if isinstance(mark, ast.Attribute) and reads_object(mark, work)), None)


def _is_bare_exit(mark: ast.AST) -> bool:
    return isinstance(mark, ast.Return) and isinstance(mark.value, (ast.Constant, ast.Name, type(None)))


def _same(one: Event, other: Event) -> bool:
    return one.session.origin.key == other.session.origin.key


def begun_before(call: ast.Call, work: Work) -> Event | None:
    """What has begun a transaction on some way to `session.begin()`, so that it raises; None where nothing is seen."""
    event = work.event(call)
    if event is None or event.kind != "begin" or call.args or call.keywords:
        return None
    same = work.of(event.session)
    if _is_asked(event, work):
        return None
    ends = [*(one.mark for one in same if one.may(*ENDING)), *_ended_by_others(event, work)]
    earlier = work.order.before(event.mark, until=ends)
    begun = [one for one in same if _begins(one) and one.mark in earlier and one.mark not in [*ends, event.mark]]
    return min(begun, key=lambda one: getattr(one.node, "lineno", 0), default=None)


def _ended_by_others(event: Event, work: Work) -> Iterator[ast.Call]:
    """The calls that may end the transaction of a session which is not the function's own."""
    if event.session.is_own:
        return
    for mark in work.order.marks:
        if isinstance(mark, ast.Call) and not work.at(mark) and _ends(work.deeds(mark)):
            yield mark


def _ends(deeds: Deeds) -> bool:
    return any(deed.kind in ENDING and not deed.own for deed in deeds)


def _begins(event: Event) -> bool:
    return event.kind in BEGINNING or (event.lending is not None and event.lending.surely_writes)


def _is_asked(event: Event, work: Work) -> bool:
    """Whether the function asks the session if a transaction has begun."""
    for mark in work.order.marks:
        match mark:
            case (
                ast.Call(func=ast.Attribute(value=receiver, attr="in_transaction"))
                | ast.Attribute(value=receiver, attr="is_active")
            ):
                session = work.session(receiver)
                if session is not None and session.origin.key == event.session.origin.key:
                    return True
    return False
