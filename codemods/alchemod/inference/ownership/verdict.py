"""May a session opened by hand become a `with` block? The decision table, row by row; the first that fits decides."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal, TypeAlias

from alchemod.inference.ownership.caught import catcher_of
from alchemod.inference.ownership.comparison import line_of
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.record import EscapeKind, Use

VerdictKind: TypeAlias = Literal["silent", "never", "report", "unsafe", "safe"]
Reason: TypeAlias = Literal[
    "not a session",
    "factory is not plain",
    "managed",
    "closing",
    "version",
    "too complex",
    "ownership flag",
    "entered by hand",
    "escapes",
    "may be kept",
    "fails when closed",
    "no block",
    "opened in try",
    "opened per turn",
    "rebound",
    "reused",
    "close is caught",
    "yields",
    "objects get out",
    "effects unknown",
    "inferred",
    "proved",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be done. `missing` is the fact that lowered it, as a clause for the message; `line` the line it speaks
    of."""

    kind: VerdictKind
    reason: Reason
    missing: str = ""
    line: int = 0


_SILENT_ESCAPES: tuple[EscapeKind, ...] = ("stored", "held", "captured", "returned", "registered")


def verdict(life: SessionLife) -> Verdict:
    """The verdict on one session."""
    opening = life.opening
    if opening.factory == "unknown":
        return Verdict("silent", "not a session")
    if opening.factory == "never":
        return Verdict("never", "factory is not plain", opening.reason)
    if life.in_with or (life.closing is None and life.record is not None and life.record.managed):
        return Verdict("silent", "managed")
    found = _of_plain(life)
    if found.kind == "safe" and not opening.proved:
        return Verdict("unsafe", "inferred", opening.reason)
    return found


def _of_plain(life: SessionLife) -> Verdict:
    record = life.record
    line = life.site.lineno
    if not life.opening.enterable:
        return Verdict("report", "version", "sessions are context managers from SQLAlchemy 1.4 on", line)
    if life.closing is not None:
        return Verdict("safe", "closing")
    if record is None:
        return Verdict("report", "too complex", "the function is too complex to follow", line)
    if life.obstacle == "conditional":
        return Verdict("report", "ownership flag", "the session is opened on some ways only", line)
    if life.opening.handed_out and record.yields and not life.leaks:
        return Verdict("silent", "managed")
    if record.entered_by_hand:
        return Verdict("report", "entered by hand", "", line_of(record.entered_by_hand[0]))
    for kind in _SILENT_ESCAPES:
        if kind in record.escapes:
            how = "stored" if kind == "held" else kind
            return Verdict("silent", "escapes", f"the session is {how}", line_of(record.escapes[kind]))
    for kind in ("kept", "unknown callee"):
        if kind in record.escapes:
            return Verdict("report", "may be kept", *_keeper(record.escapes[kind], kind == "kept"))
    return _of_block(life)


def _of_block(life: SessionLife) -> Verdict:
    record, plan, comparison = life.record, life.plan, life.comparison
    assert record is not None
    if plan is None or comparison is None:
        return Verdict("report", "no block", _OBSTACLES.get(life.obstacle or "", ""), life.site.lineno)
    if comparison.failing:
        return Verdict(
            "report", "fails when closed", _failing(comparison.failing[0]), line_of(comparison.failing[0].node)
        )
    if comparison.lazy_out:
        line = line_of(comparison.lazy_out[0])
        return Verdict("report", "fails when closed", f"line {line} lets out a query that is consumed later", line)
    if comparison.expired_out:
        line = line_of(comparison.expired_out[0])
        missing = f"line {line} lets out an object that the end of the block expires, and reading it fails then"
        return Verdict("report", "fails when closed", missing, line)
    if plan.around_try:
        return Verdict("unsafe", "opened in try", "a failure to open the session changes its handler", life.site.lineno)
    if life.in_loop:
        return Verdict("unsafe", "opened per turn", "the session is opened in a loop", life.site.lineno)
    if record.rebound:
        line = line_of(record.rebound[0])
        missing = f"line {line} gives the session a bind, which may be a connection with a transaction of its own"
        return Verdict("unsafe", "rebound", missing, line)
    if record.reuses:
        line = line_of(record.reuses[0])
        return Verdict("unsafe", "reused", f"line {line} uses the session after it was closed", line)
    catchers = (catcher_of(close, plan.suite) for close in plan.dropped | plan.kept)
    if lines := sorted(line_of(catcher) for catcher in catchers if catcher is not None):
        missing = f"what a failing close() raises is caught in line {lines[0]}"
        return Verdict("unsafe", "close is caught", missing, lines[0])
    return _of_what_gets_out(life)


def _of_what_gets_out(life: SessionLife) -> Verdict:
    record, comparison = life.record, life.comparison
    assert record is not None
    assert comparison is not None
    if record.yields:
        line = line_of(record.yields[0])
        if "next" in life.leaks:
            missing = f"code behind the block that gets what line {line} yields may go on with it"
            return Verdict("unsafe", "yields", missing, line)
        if "base" in life.leaks and not life.opening.reopens:
            missing = f"what line {line} yields may outlive the generator, and a closed session cannot be used again"
            return Verdict("unsafe", "yields", missing, line)
        if comparison.objects_out:
            missing = f"an exception that line {line} gets at its yield left the session open for objects outside"
            return Verdict("unsafe", "yields", missing, line)
        if len(record.yields) == 1 and not record.loaded_before_yield:
            return Verdict("safe", "proved")
        return Verdict("unsafe", "yields", "the session is yielded after it was used", line_of(record.yields[-1]))
    if "base" in life.leaks:
        for use in record.uses.values():
            if use.kind == "yields":
                line = line_of(use.node)
                return Verdict("unsafe", "yields", f"line {line} yields objects of the session", line)
    if comparison.objects_out:
        line = line_of(comparison.objects_out[0])
        return Verdict("unsafe", "objects get out", f"line {line} lets an object of the session out", line)
    for use in (*comparison.doubtful, *comparison.newly_open):
        line = line_of(use.node)
        return Verdict("unsafe", "effects unknown", f"cannot see what line {line} reads of an object", line)
    return Verdict("safe", "proved")


_OBSTACLES = {
    "unnamed": "the session is not assigned to a name of its own",
    "loop": "the session is opened in a loop and used behind it",
    "try": "the session is opened inside `try`, behind other statements",
    "outside": "the session is used outside the block it is opened in",
    "empty": "the session is never used",
    "crossing": "its block would cross that of another session",
}


def _keeper(node: ast.AST, known: bool) -> tuple[str, int]:
    callee = ast.unparse(node.func) if isinstance(node, ast.Call) else "a callee"
    return f"{callee} {'keeps' if known else 'may keep'} the session", line_of(node)


def _failing(use: Use) -> str:
    line = line_of(use.node)
    match use.kind:
        case "session":
            return f"line {line} uses the session where the block would have closed it"
        case "lazy":
            return f"line {line} consumes a query where the block would have closed the session"
        case "elsewhere":
            return f"line {line} asks for the session of an object where the block would have closed it"
    return f"line {line} reads an attribute that is not loaded, where the block would have closed the session"
