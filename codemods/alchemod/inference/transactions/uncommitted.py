"""Work that nobody commits: rows added or deleted in a session that is closed without a commit.

SQLAlchemy 2.0, "Closing": closing a session rolls back what was not committed (verified by execution, 1.4 to 2.1).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alchemod.inference.transactions.events import Event
from alchemod.inference.transactions.names import uses_of
from alchemod.inference.transactions.sessions import WorkingSession
from alchemod.inference.transactions.work import Work

_ADDING: Final = frozenset({"add", "add_all"})
_HARMLESS: Final = (ast.Attribute, ast.withitem, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.If, ast.While, ast.Call)
"""What may stand around the name of a session that does not get out of the function by it. Callees are looked at."""
_LEADING_OUT: Final = frozenset({"connection", "get_bind", "begin", "get_transaction", "run_sync"})


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """The first write of a session that is closed by `closing` and never committed."""

    write: Event
    closing: ast.AST


def uncommitted(call: ast.Call, work: Work) -> Uncommitted | None:
    """The work of the session that `call` writes to, if `call` is the first to write and no way commits it."""
    event = work.event(call)
    if event is None or not _writes(event, work) or not _may_judge(event.session):
        return None
    same = work.of(event.session)
    first = next((one for one in same if _writes(one, work)), None)
    closes = [one for one in same if one.kind == "close"]
    if first is not event or not closes or not work.order.always_followed(event.mark, [one.mark for one in closes]):
        return None
    if any(one.may("commit", "rollback") or one.kind in {"begin", "expunge", "release"} for one in same):
        return None
    if any(one.lending is not None and one.lending.keeps for one in same) or _gets_out(event.session, work):
        return None
    return Uncommitted(event, closes[0].node)


def _may_judge(session: WorkingSession) -> bool:
    """Whether closing the session is known to roll back: it is opened here, by a factory that makes plain sessions."""
    return session.owner in {"opened", "block"} and session.is_plain


def _writes(event: Event, work: Work) -> bool:
    """Whether an event adds an object made here, deletes, or sends a statement that writes."""
    match event.kind, event.node:
        case "write", _:
            return True
        case "add", ast.Call(func=ast.Attribute(attr=name), args=[given, *_]) if name in _ADDING:
            return any(work.is_made_here(part) for part in _elements(given, work))
    return False


def _elements(given: ast.expr, work: Work) -> Iterator[ast.expr]:
    match work.followed(given):
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            yield from parts
        case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part) | ast.SetComp(elt=part):
            yield part
        case other:
            yield other


def _gets_out(session: WorkingSession, work: Work) -> bool:
    """Whether the session may be used by others: it is returned, kept, or its connection is asked for."""
    called = {mark.func for mark in work.order.marks if isinstance(mark, ast.Call)}
    for name in work.names_of(session):
        for use, parent in uses_of(name, work.place.scope.node):
            if isinstance(parent, (ast.Assign, ast.AnnAssign)) and work.is_alias(parent, session):
                continue
            if not isinstance(parent, (*_HARMLESS, ast.keyword)):
                return True
            if isinstance(parent, ast.Attribute) and (parent.attr in _LEADING_OUT or parent not in called):
                return True
            if isinstance(parent, ast.Call) and use is parent.func:
                return True
    return False
