"""What a handler does about a failed flush or commit of a session.

SQLAlchemy 2.0, "Session Basics", "Rolling Back" and the error page "This Session's transaction has been rolled back
due to a previous exception during flush": after a failed flush, commit included, the session takes nothing but
`rollback()` (or `close()`) until that was called. Objects that were in the session raise when they are read; new ones
that failed are out of it and do not (1.4 to 2.1, verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from alchemod.inference.scopes import contains
from alchemod.inference.transactions.catching import Caught
from alchemod.inference.transactions.events import SENDING, Event, EventKind
from alchemod.inference.transactions.frames import TRIES, WITHS, Loop, Position
from alchemod.inference.transactions.order import ENDS, NORMAL_ENDS, Left, Mark
from alchemod.inference.transactions.sessions import WorkingSession
from alchemod.inference.transactions.work import Work

_CLEARING: Final[frozenset[EventKind]] = frozenset(["rollback", "close", "undo"])
_USING: Final[frozenset[EventKind]] = SENDING | {"commit", "begin", "lent"}


@dataclass(frozen=True, eq=False)
class Failure:
    """A handler, and the flush or commit of a session whose failure it may get."""

    work: Work
    statement: ast.Try
    handler: ast.ExceptHandler
    caught: Caught
    failing: Event
    position: Position
    """Where the `try` stands."""
    _same: list[Event] = field(default_factory=list)

    @property
    def session(self) -> WorkingSession:
        """The session whose flush or commit may fail."""
        return self.failing.session

    @property
    def loop(self) -> Loop | None:
        """The innermost loop around the `try`."""
        return self.position.loop

    @cached_property
    def clearing(self) -> list[Event]:
        """The rollbacks, and what else makes the session usable again, in the handler."""
        return [event for event in self._same if event.kind in _CLEARING and self.holds(event.node)]

    @cached_property
    def is_cleared(self) -> bool:
        """Whether every way through the handler rolls back, or closes the session."""
        marks = [event.mark for event in self.clearing]
        return bool(marks) and self.work.order.always_followed(self.handler, marks, ENDS | self._behind)

    @cached_property
    def may_be_cleared(self) -> bool:
        """Whether a call in the handler, or one on the way out of it, may roll back where that is not seen."""
        for mark in self.work.order.after(self.handler):
            if isinstance(mark, ast.Call) and self.holds(mark):
                lent = [event for event in self.work.at(mark) if event.kind == "lent" and self._is_same(event)]
                if any(event.keeps or event.effects & {"rollback", "close"} for event in lent):
                    return True
                if not self.session.is_own and not self.work.at(mark) and "rollback" in self.work.effects(mark):
                    return True
        return False

    @cached_property
    def raises(self) -> bool:
        """Whether the handler always ends in an exception."""
        until = {mark for mark in self.work.order.marks if isinstance(mark, ast.AST) and not self.holds(mark)}
        reached = self.work.order.after(self.handler, until=until)
        outside = {mark for mark in reached if mark in until and not isinstance(mark, ast.ExceptHandler)}
        leaving = {mark for mark in reached if isinstance(mark, Left) and mark.is_normal}
        return not outside and not leaving and reached.isdisjoint(NORMAL_ENDS)

    @cached_property
    def uses(self) -> list[Event]:
        """What may be done with the session after the failure without a rollback, in source order."""
        until = [event.mark for event in self._same if event.kind in _CLEARING]
        reached = self.work.order.after(self.handler, until=until)
        found = [event for event in self._same if event.mark in reached and event.kind in _USING]
        return sorted((event for event in found if not _ends_normally_closed(event)), key=_line)

    @cached_property
    def later_uses(self) -> list[Event]:
        """Those of `uses` that come before the next turn of the loop around, or outside a loop."""
        return [event for event in self.uses if not self.is_next_turn(event)]

    @cached_property
    def later_commits(self) -> list[Event]:
        """The commits that may follow the handler before the next turn of the loop around."""
        reached = self.work.order.after(self.handler)
        found = [
            event
            for event in self._same
            if event.kind == "commit" and event.mark in reached and not self.holds(event.node)
        ]
        return sorted((event for event in found if not self.is_next_turn(event)), key=_line)

    @cached_property
    def is_closed_after(self) -> bool:
        """Whether the session is closed, on every way, before anything else is done with it."""
        closes = [event.mark for event in self._same if event.kind in _CLEARING]
        return not self.uses and self.work.order.always_followed(self.handler, closes, ENDS)

    def holds(self, node: ast.AST) -> bool:
        """Whether a node lies in the handler."""
        return isinstance(node, (ast.expr, ast.stmt)) and any(contains(part, node) for part in self.handler.body)

    def is_next_turn(self, event: Event) -> bool:
        """Whether something happens in, or after, another turn of the loop around the `try`."""
        if self.loop is None:
            return False
        node = event.node
        in_loop = isinstance(node, (ast.expr, ast.stmt)) and contains(self.loop, node)
        return not in_loop or _line(event) <= (self.statement.end_lineno or 0)

    def reads_before_clearing(self, reads: Iterator[ast.Attribute]) -> list[ast.Attribute]:
        """Those of `reads` that may happen in the handler before the session is usable again."""
        reached = self.work.order.after(self.handler, until=[event.mark for event in self.clearing])
        return [read for read in reads if read in reached and self.holds(read)]

    @cached_property
    def _behind(self) -> set[Mark]:
        """What is reached when the handler is left without an exception."""
        return {
            mark
            for mark in self.work.order.after(self.handler)
            if isinstance(mark, (ast.expr, ast.stmt)) and not self.holds(mark)
        }

    def _is_same(self, event: Event) -> bool:
        return event.session.origin.key == self.session.origin.key


def failures(statement: ast.Try, work: Work) -> Iterator[Failure]:
    """The handlers of a `try` that may get a failed flush or commit, one row for each handler and session."""
    position = work.position(statement)
    if position is None:
        return
    failing = [event for event in work.events if _may_fail(event) and _reaches(event, statement, work)]
    for handler in statement.handlers:
        caught = work.caught(handler)
        if not caught.failures or handler not in work.order:
            continue
        seen: set[object] = set()
        for event in failing:
            if event.session.origin.key not in seen:
                seen.add(event.session.origin.key)
                same = work.of(event.session)
                yield Failure(work, statement, handler, caught, event, position, same)


def _may_fail(event: Event) -> bool:
    return event.kind in {"commit", "flush"} and not isinstance(event.mark, Left)


def _reaches(event: Event, statement: ast.Try, work: Work) -> bool:
    """Whether a failure of `event` gets to the handlers of `statement` as it is."""
    node = event.node
    position = work.position(node) if isinstance(node, (ast.expr, ast.stmt)) else None
    for frame in position.frames if position is not None else ():
        if frame.statement is statement:
            return frame.part == "body"
        if isinstance(frame.statement, WITHS) and frame.part == "body":
            left = [Left(item, "raise") for item in frame.statement.items]
            ended = (one for mark in left for one in work.at(mark))
            if any(one.session.origin.key == event.session.origin.key for one in ended):
                return False
        if isinstance(frame.statement, TRIES) and frame.part == "body":
            handlers = (work.caught(handler) for handler in frame.statement.handlers)
            if any(caught.is_broad or "SQLAlchemyError" in caught.names for caught in handlers):
                return False
    return False


def _ends_normally_closed(event: Event) -> bool:
    """Whether an event is only the end of a block that does not commit."""
    return isinstance(event.mark, Left) and event.kind == "lent" and "commit" not in event.effects


def _line(event: Event) -> int:
    return getattr(event.node, "lineno", 0)
