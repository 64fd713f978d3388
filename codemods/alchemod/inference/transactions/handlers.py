"""What a handler does about a failed flush or commit of a session.

SQLAlchemy 2.0, "Session Basics", "Rolling Back" and the error page "This Session's transaction has been rolled back
due to a previous exception during flush": after a failed flush, commit included, the session takes nothing but
`rollback()` (or `close()`) until that was called. Objects that were in the session raise when they are read; new ones
that failed are out of it and do not (1.4 to 2.1, verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.scoping.scopes import contains
from alchemod.inference.transactions.catching import Caught
from alchemod.inference.transactions.events import SENDING, Event, EventKind
from alchemod.inference.transactions.frames import TRIES, WITHS, Loop, Position
from alchemod.inference.transactions.order import ENDS, GOING_ON, Left, Mark, Order, in_source_order
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
    same: list[Event] = field(default_factory=list)
    """Everything that happens to the session in the function."""

    @property
    def session(self) -> WorkingSession:
        """The session whose flush or commit may fail."""
        return self.failing.session

    @property
    def failed(self) -> str:
        """What fails, in words."""
        if self.failing.kind == "lent":
            assert isinstance(self.failing.node, ast.Call)
            return f"commit() in {last_name(self.failing.node)}()"
        return f"{self.failing.kind}()"

    @property
    def loop(self) -> Loop | None:
        """The innermost loop around the `try`."""
        return self.position.loop

    @cached_property
    def clearing(self) -> list[Event]:
        """The rollbacks, and what else makes the session usable again, in the handler."""
        return [event for event in self.same if event.kind in _CLEARING and self.holds(event.node)]

    @cached_property
    def is_cleared(self) -> bool:
        """Whether every way through the handler rolls back, or closes the session."""
        marks = [event.mark for event in self.clearing]
        raised = [mark for mark in self._inside.marks if isinstance(mark, ast.Raise)]
        return bool(marks) and self._inside.always_followed(self.handler, marks, [*GOING_ON, *raised])

    @cached_property
    def may_be_cleared(self) -> bool:
        """Whether a call in the handler may roll back where that is not seen."""
        for mark in self._inside.marks:
            if isinstance(mark, ast.Call):
                lent = [event for event in self.work.at(mark) if event.kind == "lent" and self._is_same(event)]
                if any(event.may("rollback", "close") for event in lent):
                    return True
                if not self.session.is_own and not self.work.at(mark):
                    return any(deed.kind in {"rollback", "close"} for deed in self.work.deeds(mark))
        return False

    @cached_property
    def raises(self) -> bool:
        """Whether the handler always ends in an exception."""
        return self.work.always_raises(self.handler)

    @cached_property
    def goes_on(self) -> bool:
        """Whether code behind the `try` may run after the handler."""
        return not self._inside.after(self.handler).isdisjoint(["next", "break", "continue"])

    @cached_property
    def uses(self) -> list[Event]:
        """What may be done with the session after the failure without a rollback, in source order."""
        until = [event.mark for event in self.same if event.kind in _CLEARING]
        reached = self.work.order.after(self.handler, until=until)
        found = [event for event in self.same if event.mark in reached and event.kind in _USING]
        return sorted((event for event in found if self._is_feasible(event)), key=_line)

    @cached_property
    def later_uses(self) -> list[Event]:
        """Those of `uses` that come before the next turn of the loop around."""
        return [event for event in self.uses if not self.is_next_turn(event)]

    @cached_property
    def later_commits(self) -> list[Event]:
        """The commits that may follow the handler before the next turn of the loop around."""
        reached = self.work.order.after(self.handler)
        commits = [event for event in self.same if event.kind == "commit" and event.mark in reached]
        found = [event for event in commits if self._is_feasible(event) and not self.is_next_turn(event)]
        return sorted((event for event in found if not self.holds(event.node)), key=_line)

    @cached_property
    def is_closed_after(self) -> bool:
        """Whether the session is closed, on every way, before anything else is done with it."""
        closes = [event.mark for event in self.same if event.kind in _CLEARING]
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

    def before_clearing(self) -> list[Mark]:
        """What happens in the handler before the session is usable again."""
        until = [event.mark for event in self.clearing]
        return in_source_order(self._inside.after(self.handler, until=until).difference(until))

    @cached_property
    def _inside(self) -> Order:
        return self.work.order_within(self.handler)

    def _is_feasible(self, event: Event) -> bool:
        """Whether an event that the order puts behind the handler can be so: the ways through a `finally` are not told
        apart there."""
        if isinstance(event.mark, Left) and event.kind == "lent" and not event.may("commit"):
            return False
        if self.goes_on or self.holds(event.node) or isinstance(event.mark, Left):
            return True
        around = [frame.statement for frame in self.position.frames] + [self.statement]
        final = [part for one in around if isinstance(one, TRIES) for part in one.finalbody]
        return any(contains(part, event.node) for part in final if isinstance(event.node, (ast.expr, ast.stmt)))

    def _is_same(self, event: Event) -> bool:
        return event.session.origin.key == self.session.origin.key


def failures(statement: ast.Try, work: Work) -> Iterator[Failure]:
    """The handlers of a `try` that may get a failed flush or commit, one row for each handler and session."""
    position = work.position(statement)
    if position is None:
        return
    failing = [event for event in work.events if _reaches(event, statement, work) and _may_fail(event)]
    failing.sort(key=lambda event: event.kind == "lent")  # what the function does itself says most
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
    if event.kind == "lent":
        return event.lending is not None and not isinstance(event.mark, Left) and event.lending.commits
    return event.kind in {"commit", "flush"} and not isinstance(event.mark, Left)


def _reaches(event: Event, statement: ast.Try, work: Work) -> bool:
    """Whether a failure of `event` gets to the handlers of `statement` as it is."""
    node = event.node
    position = work.position(node) if isinstance(node, (ast.expr, ast.stmt)) else None
    if position is None or all(frame.statement is not statement for frame in position.frames):
        return False
    for frame in position.frames:
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
        if isinstance(frame.statement, TRIES) and _is_ended_in(frame.statement.finalbody, event, work):
            return False
    return False


def _is_ended_in(finalbody: Sequence[ast.stmt], event: Event, work: Work) -> bool:
    """Whether a `finally` closes the session of an event, or rolls it back, whatever happens before."""
    for one in work.of(event.session, _CLEARING):
        holder = next((statement for statement in finalbody if _holds(statement, one.node)), None)
        position = work.position(one.node) if isinstance(one.node, (ast.expr, ast.stmt)) else None
        if holder is None or position is None:
            continue
        inner = [frame for frame in position.frames if contains(holder, frame.statement)]
        if all(isinstance(frame.statement, TRIES) and frame.part in {"body", "finally"} for frame in inner):
            return True
    return False


def _holds(statement: ast.stmt, node: ast.AST) -> bool:
    return isinstance(node, (ast.expr, ast.stmt)) and contains(statement, node)


def _line(event: Event) -> int:
    return getattr(event.node, "lineno", 0)
