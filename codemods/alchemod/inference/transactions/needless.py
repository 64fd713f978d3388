"""Statements that a commit makes needless: a flush right before it, a refresh of an object right after it.

SQLAlchemy 2.0, "Flushing" and "Refreshing / Expiring": a commit flushes first, in the same transaction and with the
same exceptions (verified by execution, 1.4 to 2.1); an expired object is loaded again when it is next read.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from alchemod.inference.transactions.events import Event
from alchemod.inference.transactions.names import uses_of
from alchemod.inference.transactions.order import Left
from alchemod.inference.transactions.work import Work
from alchemod.inference.values import SessionFactory

_SIMPLE: Final = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.Assert, ast.Delete, ast.Import)


@dataclass(frozen=True, slots=True)
class Needless:
    """A statement that nothing but `event` happens in, and the commit beside it."""

    event: Event
    statement: ast.Expr
    commit: Event
    called: ast.Call | None = None
    """The function of the project that gets the session, in the statement that would go; None where it is named."""
    deleted: ast.Call | None = None
    """Where the object that is refreshed was deleted before the commit."""


def needless_flush(call: ast.Call, work: Work) -> Needless | None:
    """The flush that `call` is, if the next statement commits the same session."""
    event, statement = work.event(call), work.statement_of(call)
    if event is None or statement is None or event.kind != "flush" or call.args or call.keywords:
        return None
    position = work.position(call)
    following = position.following if position is not None else ()
    commit = _event_of(following[0], work) if following else None
    if commit is None or commit.kind != "commit" or not _same(commit, event):
        return None
    return Needless(event, statement, commit, _getter(call, work))


def _getter(call: ast.Call, work: Work) -> ast.Call | None:
    for part in ast.walk(call.func):
        if isinstance(part, ast.Call):
            answer = work.value(part.func)
            if answer is None or not isinstance(answer.value, SessionFactory):
                return part
    return None


def needless_refresh(call: ast.Call, work: Work) -> Needless | None:
    """The refresh that `call` is, if it comes right after a commit that expired the object, and the object is read on
    some ways only, in this function while the session is open, or not at all."""
    event, statement = work.event(call), work.statement_of(call)
    match event, call:
        case Event(kind="refresh"), ast.Call(args=[ast.Name() as refreshed], keywords=[]):
            pass
        case _:
            return None
    if statement is None or event.session.is_async or event.session.expires_on_commit is False:
        return None
    commit = _commit_before(call, event, work)
    if commit is None or _is_read_next(refreshed, work) or not _read_in_session(refreshed, event, work):
        return None
    return Needless(event, statement, commit, deleted=_deleted(refreshed, commit, work))


def _deleted(name: ast.Name, commit: Event, work: Work) -> ast.Call | None:
    """The `delete()` of an object that stands before a commit, in the same suite."""
    assert isinstance(commit.node, ast.expr)
    position = work.position(commit.node)
    for statement in position.suite[: position.index] if position is not None else ():
        event = _event_of(statement, work)
        match event.node if event is not None and _same(event, commit) else None:
            case ast.Call(func=ast.Attribute(attr="delete"), args=[ast.Name(id=deleted)]) as call if deleted == name.id:
                return call
    return None


def _is_read_next(name: ast.Name, work: Work) -> bool:
    """Whether the object is read in any case: then its first read sends the statement that the refresh has sent."""
    position = work.position(name)
    for statement in position.following if position is not None else ():
        if not isinstance(statement, _SIMPLE):
            return False
        for node in ast.walk(statement):
            match node:
                case ast.Attribute(value=ast.Name(id=read), ctx=ast.Load()) if read == name.id:
                    return True
    return False


def _commit_before(call: ast.Call, event: Event, work: Work) -> Event | None:
    """The commit that stands before, with nothing but other refreshes in between."""
    position = work.position(call)
    if position is None:
        return None
    for statement in reversed(position.suite[: position.index]):
        before = _event_of(statement, work)
        if before is None or not _same(before, event) or before.kind not in {"commit", "refresh"}:
            return None
        if before.kind == "commit":
            return before
    return None


def _read_in_session(name: ast.Name, event: Event, work: Work) -> bool:
    """Whether every use of an object after `event` reads or sets an attribute while the session is open."""
    after = work.order.after(event.mark)
    closed = [one.mark for one in work.of(event.session, ["close", "lent"]) if one.mark in after]
    closed += [one.mark for one in work.of(event.session, ["commit"]) if isinstance(one.mark, Left)]
    behind = set().union(*(work.order.after(mark) for mark in closed))
    for use, parent in uses_of(name.id, work.place.scope.node):
        if use is name or (not isinstance(parent, ast.Attribute) and _is_before(use, name, work)):
            continue
        if not isinstance(parent, ast.Attribute):
            return False
        if parent in behind or (parent not in work.order):
            return False
    return True


def _is_before(use: ast.Name, name: ast.Name, work: Work) -> bool:
    """Whether a use cannot come after the refresh: it stands above, and no loop leads back to it."""
    position = work.position(name)
    return (use.lineno, use.col_offset) < (name.lineno, name.col_offset) and (position is None or position.loop is None)


def _event_of(statement: ast.stmt, work: Work) -> Event | None:
    """What a statement that is nothing but a method call does to its session."""
    match statement:
        case ast.Expr(value=ast.Await(value=ast.Call() as call) | (ast.Call() as call)):
            return work.event(call)
    return None


def _same(one: Event, other: Event) -> bool:
    return one.session.origin.key == other.session.origin.key
