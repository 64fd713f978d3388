"""A run told to people: findings, failures, and a summary that says what was scanned, found, changed and skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.review.outcome import Outcome


def findings(outcome: Outcome, *, why: bool = True) -> Iterator[str]:
    """The lines that show each finding, in order; `why` adds the steps that led to it."""
    for finding in outcome.findings:
        yield _finding(finding)
        if why and finding.why:
            yield f"    because {'; '.join(finding.why)}"


def _finding(finding: Finding) -> str:
    mark = f" [{finding.safety}]" if finding.fixable else ""
    level = "" if finding.level == "warning" else f" {finding.level}:"
    return f"{finding.path}:{finding.line}:{finding.column}: {finding.code}{mark}{level} {finding.message}"


def failures(outcome: Outcome, *, traces: bool = False) -> Iterator[str]:
    """The lines that show each failure and note; `traces` adds tracebacks where there is one."""
    for failure in outcome.failures:
        yield _failure(failure, outcome, "error")
        if traces and failure.trace:
            yield failure.trace.rstrip("\n")
    for note in outcome.notes:
        yield _failure(note, outcome, "note")


def _failure(failure: Failure, outcome: Outcome, label: str) -> str:
    place = outcome.displayed(failure.path) if failure.path else "alchemod"
    if failure.line is not None:
        place = f"{place}:{failure.line}"
    rule = f" {failure.rule}:" if failure.rule else ""
    return f"{place}: {label}:{rule} {failure.message}"


def summary(outcome: Outcome, *, verbose: bool = False) -> Iterator[str]:
    """The closing lines: files scanned, findings by rule, fixes, and what was left out and why."""
    counts = outcome.summary
    files = len({finding.path for finding in outcome.findings})
    found = f"{_many(counts.findings, 'finding')} in {_many(files, 'file')}" if counts.findings else "no findings"
    yield f"Scanned {_many(counts.files_scanned, 'file')}: {found}."
    yield from _by_rule(outcome)
    yield from _fixes(outcome)
    for version, number in outcome.needs.items():
        yield (
            f"{_many(number, 'fix', 'fixes')} need{'s' * (number == 1)} SQLAlchemy {version}, "
            f"the project allows {outcome.allows}: --target {version}"
        )
    yield from _left_out(outcome, verbose)


def _by_rule(outcome: Outcome) -> Iterator[str]:
    by_rule: dict[tuple[str, str], Counter[str]] = {}
    for finding in outcome.findings:
        by_rule.setdefault((finding.code, finding.name), Counter())[finding.safety] += 1
    for (code, name), safeties in sorted(by_rule.items()):
        parts = [f"{safeties[kind]} {kind}" for kind in ("safe", "unsafe") if safeties[kind]]
        if safeties["report"]:
            parts.append(_many(safeties["report"], "report"))
        yield f"  {code} {name}: {', '.join(parts)}"


def _fixes(outcome: Outcome) -> Iterator[str]:
    counts = outcome.summary
    if counts.files_changed:
        added, removed = _line_counts(outcome)
        yield (
            f"{_many(counts.fixed, 'finding')} can be fixed in {_many(counts.files_changed, 'file')} "
            f"(+{added} -{removed} lines)."
        )
    if counts.fixable_unsafe and not outcome.unsafe_fixes:
        yield f"{_many(counts.fixable_unsafe, 'fix', 'fixes')} more with --unsafe-fixes, to be read with care."
    if counts.dropped:
        yield f"{_many(counts.dropped, 'fix', 'fixes')} left out as a whole:"
        yield from (f"  {_finding(finding)}" for finding in outcome.findings if finding.fingerprint in outcome.dropped)


def _line_counts(outcome: Outcome) -> tuple[int, int]:
    from alchemod.text.diff import diff_stat

    stats = [diff_stat(diff) for diff in outcome.diffs().values()]
    return sum(stat.added for stat in stats), sum(stat.removed for stat in stats)


def _left_out(outcome: Outcome, verbose: bool) -> Iterator[str]:
    counts = outcome.summary
    if counts.suppressed:
        yield f"{_many(counts.suppressed, 'finding')} suppressed by comments."
    if counts.files_skipped:
        kinds = Counter[str](failure.kind for failure in outcome.failures if failure.kind in _SKIPPING)
        if too_deep := counts.files_skipped - kinds.total():
            kinds["deep"] = too_deep
        reasons = ", ".join(f"{number} {_SKIPPING[kind]}" for kind, number in sorted(kinds.items()))
        yield f"{_many(counts.files_skipped, 'file')} skipped: {reasons}."
    if counts.errors:
        yield f"{_many(counts.errors, 'error')}, each named on the error output."
    not_read = []
    if counts.files_excluded:
        not_read.append(f"{_many(counts.files_excluded, 'file')} excluded by the settings")
    if counts.paths_ignored and verbose:
        not_read.append(f"{_many(counts.paths_ignored, 'path')} ignored (.gitignore, environments, caches, builds)")
    if not_read:
        yield f"Left alone: {', '.join(not_read)}."


_SKIPPING = {
    "read": "cannot be read",
    "decode": "cannot be decoded",
    "syntax": "cannot be parsed",
    "deep": "nested too deeply",
}


def _many(number: int, one: str, several: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"
