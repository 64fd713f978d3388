"""What was found and what became of it, over all passes; told in the places the files have on disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from alchemod.engine.changeset import ChangeSet
from alchemod.engine.find import refused
from alchemod.engine.finding import Finding
from alchemod.engine.registry import UNUSED_SUPPRESSION
from alchemod.text.source import SourceFile


@dataclass(slots=True)
class _Page:
    """The findings of one file in one pass; `wanted` are the fixes to carry out, `reasons` why some were not."""

    findings: list[Finding]
    wanted: set[str]
    applied: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)

    def remaining(self) -> list[Finding]:
        """The findings that were not fixed in that pass, as reports where the fix was refused."""
        return [
            refused(finding, self.reasons[mark]) if (mark := finding.fingerprint) in self.reasons else finding
            for finding in self.findings
            if finding.fingerprint not in self.applied
        ]


class Ledger:
    """Keeps the first page of each file, which is what the user sees, and the last, which says what is left."""

    def __init__(self) -> None:
        self.suppressed = 0
        self.dropped: set[str] = set()
        self.fixed: set[str] = set()
        self.ties: list[frozenset[Path]] = []
        """Files that one change set changes together."""
        self._number = 0
        self._first: dict[Path, _Page] = {}
        self._last: dict[Path, _Page] = {}
        self._homes: dict[str, _Page] = {}
        self._rules: dict[Path, dict[int, set[str]]] = {}

    def begin_pass(self) -> None:
        """The next pass begins."""
        self._number += 1
        self._homes.clear()

    def drop(self, finding: Finding) -> None:
        """A wanted change set was left out as a whole."""
        if self._number == 1:
            self.dropped.add(finding.fingerprint)

    def found(
        self,
        path: Path,
        findings: list[Finding],
        wanted: set[str],
        suppressed: int,
        within: frozenset[str] | None = None,
    ) -> None:
        """What this pass found in a file; `wanted` are the fingerprints of the fixes to carry out.

        `within` says that it looked at the functions of these dotted names only: what was known of others stands.
        A file that only a fix for another one made worth looking at has no first page yet.
        """
        if self._number > 1:
            self._last.setdefault(path, self._first.setdefault(path, _Page([], set())))
        if within is not None:
            again = {finding.fingerprint for finding in findings}
            findings = findings + [
                finding
                for finding in self._last[path].remaining()
                if finding.fingerprint not in again and not _is_within(finding.scope, within)
            ]
        page = self._last[path] = _Page(findings, wanted)
        self._homes.update(dict.fromkeys(wanted, page))
        if self._number == 1:
            self._first[path] = page
            self.suppressed += suppressed

    def carried_out(self, applied: Iterable[ChangeSet]) -> None:
        """The change sets of this pass that were carried out."""
        for one in applied:
            self._homes[one.id].applied.add(one.id)
            if len(one.edits) > 1:
                self.ties.append(frozenset(one.edits))
            for path in one.edits:
                self._rules.setdefault(path, {}).setdefault(self._number, set()).add(one.finding.code)

    def refuse(self, reasons: Mapping[str, str]) -> None:
        """Why some change sets of this pass were not carried out."""
        for mark, reason in reasons.items():
            self._homes[mark].reasons[mark] = reason

    def last_rules(self, path: Path) -> list[str]:
        """The rules that changed a file in the last two passes."""
        by_pass = self._rules.get(path, {})
        return sorted(by_pass.get(self._number, set()) | by_pass.get(self._number - 1, set()))

    def findings(self, changes: Mapping[Path, tuple[SourceFile, SourceFile]]) -> list[Finding]:
        """The findings for the user, sorted; fills `fixed`. `changes` are the old and new contents."""
        told: list[Finding] = []
        for path, page in self._first.items():
            self.fixed |= page.applied
            if (last := self._last[path]) is page:
                told += [finding for finding in page.findings if finding.fingerprint in page.applied]
                told += page.remaining()
            else:
                late = self._compared(page, last, told)
                told += [_moved(finding, *changes[path]) if path in changes else finding for finding in late]
        return sorted(told, key=lambda finding: finding.order)

    def _compared(self, first: _Page, last: _Page, told: list[Finding]) -> list[Finding]:
        """Tell the first page in the light of the last one. Returns what only the last one has."""
        left: dict[tuple[str, ...], list[Finding]] = {}
        for finding in last.remaining():
            left.setdefault(_key(finding), []).append(finding)
        gone: list[Finding] = []
        for finding in first.findings:
            mark = finding.fingerprint
            if mark in first.applied:
                told.append(finding)
            elif (again := left.get(_key(finding))) is not None and again:
                rest = again.pop(0)
                same = mark not in first.wanted or rest.fixable
                told.append(finding if same else refused(finding, rest.missing or "it cannot be rendered"))
            else:
                told.append(finding)
                if mark in first.wanted:
                    self.fixed.add(mark)
                else:
                    gone.append(finding)
        late = [finding for rest in left.values() for finding in rest if finding.code != UNUSED_SUPPRESSION.code]
        for finding in gone:
            moved = (one for one in late if _key(replace(one, scope=finding.scope)) == _key(finding))
            if (twin := next(moved, None)) is not None:
                late.remove(twin)  # with a statement that a fix has put into another scope
        return late


def _is_within(scope: str, names: frozenset[str]) -> bool:
    """Whether a scope is one of the functions or inside of one."""
    parts = scope.split(".")
    return any(".".join(parts[:end]) in names for end in range(1, len(parts) + 1))


def _key(finding: Finding) -> tuple[str, ...]:
    """What two sightings of one finding have in common, wherever its lines have moved."""
    said = finding.message.partition("; fix not offered")[0]
    return finding.code, finding.scope, re.sub(r"\d+", "0", said)


def _moved(finding: Finding, old: SourceFile, new: SourceFile) -> Finding:
    """A finding in the new content, in the place it has in the old one (the start of a line that changed)."""
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, old.utf8.splitlines(), new.utf8.splitlines(), autojunk=False)
    for tag, start, _, new_start, new_end in matcher.get_opcodes():
        if new_start < finding.line <= new_end:
            if tag == "equal":
                shift = start - new_start
                return replace(finding, line=finding.line + shift, end_line=finding.end_line + shift)
            return replace(finding, line=start + 1, column=1, end_line=start + 1, end_column=1)
    return finding
