"""What is wrong with a case: findings against the expected ones, and the program before against after."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench.cases import Case
from bench.execution import Run, Scenario, Statement
from bench.tool import Refactored

_READING = ("SELECT", "WITH")
_SAFETIES = ("safe", "unsafe", "report")


def wrong_findings(case: Case, refactored: Refactored) -> Iterator[str]:
    """Sentences about findings that the case does not expect, or expects and did not get."""
    found = Counter((finding.code, finding.safety) for finding in refactored.findings)
    for code, safety in sorted((case.expected - found).elements()):
        yield f"missing: {code} {safety}"
    for code, safety in sorted((found - case.expected).elements()):
        lines = [str(f.line) for f in refactored.findings if (f.code, f.safety) == (code, safety)]
        yield f"not expected: {code} {safety} (line {', '.join(lines)})"
    texts = [" ".join((f.message, *f.why, f.missing or "")) for f in refactored.findings]
    for wanted in case.says:
        if not any(wanted in text for text in texts):
            yield f"no finding says {wanted!r}"
    yield from refactored.errors


def wrong_runs(case: Case, before: Sequence[Run], after: Sequence[Run]) -> Iterator[str]:
    """Sentences about what the program does differently after, beyond what the case allows.

    A version that only runs after is held against the last version that runs before.
    """
    for run in before:
        yield from _unlike_stated(case, run, "before")
    by_version = {run.version: run for run in before}
    for run in after:
        yield from _unlike_stated(case, run, "after")
        base = by_version.get(run.version, before[-1])
        where = f"SQLAlchemy {run.version}"
        if not case.states_outcome:
            yield from _differences(where, "output", base.stdout, run.stdout)
            yield from _differences(where, "escaped exception", base.error or "none", run.error or "none")
        if not case.rows_may_differ:
            yield from _differences(where, "committed rows", *("\n".join(r.databases) for r in (base, run)))
        if run.checked_out > base.checked_out:
            yield f"{where}: {run.checked_out} connections stay checked out, {base.checked_out} before"
        if run.version in by_version:
            yield from _wrong_statements(case, where, base, run)


def wrong_scenario(scenario: Scenario, before: Run, after: Run) -> Iterator[str]:
    """Sentences about what a scenario does differently after.

    A session that was left open is rolled back when it is collected, so rollbacks after the last other step and more
    rollbacks than before are no difference.
    """
    where = f"SQLAlchemy {after.version}, {scenario}"
    yield from _differences(where, "outcome", before.stdout, after.stdout)
    yield from _differences(where, "escaped exception", before.error or "none", after.error or "none")
    yield from _differences(where, "committed rows", *("\n".join(run.databases) for run in (before, after)))
    if after.held > before.held:
        yield f"{where}: {after.held} connections are held, {before.held} before"
    sent = (_without_rollbacks(run.statements) for run in (before, after))
    yield from _differences(where, "statements and transaction steps", *sent)
    rollbacks = [sum(statement.sql == "ROLLBACK" for statement in run.statements) for run in (before, after)]
    if rollbacks[1] < rollbacks[0]:
        yield f"{where}: {rollbacks[1]} rollbacks, {rollbacks[0]} before"


def _without_rollbacks(statements: Sequence[Statement]) -> str:
    return "\n".join(str(statement) for statement in statements if statement.sql != "ROLLBACK")


def _unlike_stated(case: Case, run: Run, side: str) -> Iterator[str]:
    """How a run departs from the outcome that the head comment states for its side."""
    if not case.states_outcome:
        if run.error and side == "before":
            yield f"SQLAlchemy {run.version}: the program fails before\n{_end(run.traceback)}"
        return
    where = f"SQLAlchemy {run.version}, {side}"
    prints, raises = getattr(case.prints, side), getattr(case.raises, side)
    if prints:
        yield from _differences(where, "output", "\n".join(prints), run.stdout.rstrip("\n"))
    raised = run.error.split(":")[0].removeprefix("builtins.") if run.error else None
    if [raised] != (list(raises) or [None]):
        stated = ", ".join(raises) or "nothing"
        yield f"{where}: raises {raised or 'nothing'}, stated is {stated}\n{_end(run.traceback)}"


def _end(traceback: str) -> str:
    """The part of a traceback that names the line of the program and the exception."""
    lines = traceback.splitlines()
    return "\n".join(lines if len(lines) < 10 else [*lines[3:6], "    ...", *lines[-3:]])


def _wrong_statements(case: Case, where: str, before: Run, after: Run) -> Iterator[str]:
    for wanted in case.sql:
        text = " ".join(wanted.split())
        sent_before, sent_after = (any(text in str(s) for s in run.queries) for run in (before, after))
        if sent_before or not sent_after:
            yield f"{where}: {text!r} must be sent after and not before: {sent_after=}, {sent_before=}"
    if case.selects is not None:
        sent = [sum(query.sql.lstrip().startswith(_READING) for query in run.queries) for run in (before, after)]
        for count, stated, side in zip(sent, case.selects, ("before", "after"), strict=True):
            if count != stated and (side == "before" or case.is_fixed):
                yield f"{where}: {count} SELECTs {side}, stated are {stated}"
    if case.statements == "any" or case.selects is not None:
        return
    if before.commits != after.commits:
        yield f"{where}: {after.commits} commits, {before.commits} before"
    count_before, count_after = len(before.queries), len(after.queries)
    if case.statements == "equal":
        yield from _differences(where, "statements", *("\n".join(map(str, r.queries)) for r in (before, after)))
    elif case.statements == "fewer":
        if count_after >= count_before:
            yield f"{where}: {count_after} statements, {count_before} before; fewer are promised"
    elif count_after - count_before != int(case.statements):
        yield f"{where}: {count_after} statements, {count_before} before; {case.statements} is promised"


def _differences(where: str, what: str, before: str, after: str) -> Iterator[str]:
    if before != after:
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=1)
        yield f"{where}: other {what}\n" + "\n".join(lines)


def portrait(refactored: Refactored, before: Mapping[str, bytes]) -> str:
    """The snapshot of a case: each finding with its safety and reasons, then the diff made with difflib."""
    parts: list[str] = []
    for finding in refactored.findings:
        parts.append(f"{finding.path}:{finding.line}: {finding.code} {finding.safety}: {finding.message}")
        parts += [f"    why: {step}" for step in finding.why]
        if finding.missing:
            parts.append(f"    missing: {finding.missing}")
    for name, old in before.items():
        parts += _diff(name, old, refactored.files[name])
    return "\n".join(parts) + "\n"


def _diff(name: str, old: bytes, new: bytes) -> list[str]:
    """Unified diff with every byte visible: what is not UTF-8, and carriage returns, appear as escapes."""
    lines = [
        [line.decode("utf-8", "backslashreplace").replace("\r", "\\r").rstrip("\n") for line in text.splitlines(True)]
        for text in (old, new)
    ]
    diff = list(difflib.unified_diff(*lines, f"before/{name}", f"after/{name}", lineterm=""))
    return ["", *diff] if diff else []
