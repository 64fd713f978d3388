"""What a run found, what it would change, and the counts that sum it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.engine.fixpoint import Change
from alchemod.text.paths import displayed


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a run; the first seven are those of the JSON contract."""

    files_scanned: int
    files_skipped: int
    findings: int
    fixable_safe: int
    fixable_unsafe: int
    suppressed: int
    errors: int
    files_changed: int
    fixed: int
    dropped: int
    files_excluded: int
    paths_ignored: int


@dataclass(frozen=True)
class Outcome:
    """The result of analysing one project. Nothing has been written.

    `changes` maps each file that would change to its old and new content; `fixed` are the fingerprints of the findings
    that the changes remove, `dropped` of those whose change sets were wanted and left out as a whole. `scanned` counts
    the files in scope that were looked at, `skipped` those that could not be read or parsed, `excluded` those that the
    settings take out of scope, `ignored` files and folders that are not read at all. `allows` is the lowest SQLAlchemy
    the project allows.
    """

    root: Path
    findings: tuple[Finding, ...]
    failures: tuple[Failure, ...]
    changes: Mapping[Path, Change]
    fixed: frozenset[str]
    dropped: frozenset[str]
    suppressed: int
    scanned: int
    skipped: int
    excluded: int
    ignored: int
    allows: str
    unsafe_fixes: bool = False
    notes: tuple[Failure, ...] = ()
    """What was passed over although nothing is wrong with it."""

    @cached_property
    def summary(self) -> Summary:
        """The counts."""
        safeties = Counter(finding.safety for finding in self.findings)
        return Summary(
            files_scanned=self.scanned,
            files_skipped=self.skipped,
            findings=len(self.findings),
            fixable_safe=safeties["safe"],
            fixable_unsafe=safeties["unsafe"],
            suppressed=self.suppressed,
            errors=len(self.failures),
            files_changed=len(self.changes),
            fixed=len(self.fixed),
            dropped=len(self.dropped),
            files_excluded=self.excluded,
            paths_ignored=self.ignored,
        )

    @cached_property
    def needs(self) -> Mapping[str, int]:
        """How many fixes wait for each SQLAlchemy version that the project's range does not guarantee."""
        counts = Counter(finding.needs for finding in self.findings if finding.needs)
        return dict(sorted(counts.items()))

    def displayed(self, path: Path) -> str:
        """A path as the output shows it: relative to the project root, with `/`."""
        return displayed(path, self.root)

    def diffs(self) -> Mapping[str, bytes]:
        """The unified diff of each file that would change, by displayed path; `git apply` takes them."""
        from alchemod.text.diff import unified_diff

        return {name: unified_diff(name, change.old.data, change.new.data) for name, change in self._named_changes()}

    def text_diffs(self) -> Mapping[str, str]:
        """The same diffs as text, whatever the encoding of the files."""
        from alchemod.text.diff import unified_diff

        return {
            name: unified_diff(name, change.old.utf8, change.new.utf8).decode("utf-8", "surrogateescape")
            for name, change in self._named_changes()
        }

    def _named_changes(self) -> list[tuple[str, Change]]:
        named = {self.displayed(path): change for path, change in self.changes.items()}
        return sorted(named.items(), key=lambda pair: pair[0])
