"""The fixed point: find and rewrite in memory until nothing changes, for all files together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.engine.changeset import Content
from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.engine.ledger import Ledger
from alchemod.engine.leftovers import without_leftovers
from alchemod.engine.passing import Pass
from alchemod.engine.registry import Registry
from alchemod.engine.stale import Stale, stale
from alchemod.settings.options import Settings
from alchemod.text.problem import FileError
from alchemod.text.source import SourceFile

if TYPE_CHECKING:
    from alchemod.facts.project import Project
    from alchemod.inference import Inference

MAX_PASSES = 10
"""A file that still changes in the last of these passes is left as it was."""

Progress = Callable[[int, int], None]
"""Called with the number of files done and of all files, during the first pass."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a run changes: its content on disk and the new one.

    Changes with the same `group` belong together: a change set spans their files.
    """

    old: SourceFile
    new: SourceFile
    group: int


@dataclass(slots=True)
class Result:
    """What a run found and what it would change.

    `findings` are those of the first pass, in the places they have on disk, and the reports that only later passes
    see. `fixed` are the fingerprints of the findings that the changes remove, `dropped` of those whose change sets were
    wanted and left out as a whole; `suppressed` counts the findings that comments keep quiet.
    """

    findings: list[Finding] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    changes: dict[Path, Change] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    suppressed: int = 0


class FixedPoint:
    """Runs rules over a loaded project until nothing changes. The project holds the new contents afterwards."""

    def __init__(
        self,
        project: Project,
        infer: Callable[[Project], Inference],
        registry: Registry,
        codes: frozenset[str],
        settings: Settings,
        progress: Progress | None = None,
    ) -> None:
        self._project = project
        self._inference = infer(project)
        self._registry = registry
        self._codes = codes
        self._settings = settings
        self._progress = progress
        self._scope = [path for path in project.paths if project.in_scope(path)]
        self._originals: dict[Path, SourceFile] = {}
        self._failures: list[Failure] = []

    def run(self) -> Result:
        """Find and rewrite. A file that does not come to rest, or no longer parses, is left as it was."""
        frozen: dict[Path, str] = {}
        while True:
            ledger = Ledger()
            restless = self._settle(ledger, frozen)
            if not restless:
                return self._result(ledger)
            frozen |= restless
            self._restore()

    def _settle(self, ledger: Ledger, frozen: Mapping[Path, str]) -> dict[Path, str]:
        """Make passes until nothing changes. Returns the files that must be left alone, and why."""
        everything: Stale = dict.fromkeys(self._scope)
        look_at, wanted = everything, None
        concerned: set[Path] = set()
        for number in range(1, MAX_PASSES + 1):
            step = Pass(self._project, self._inference, self._registry, self._codes, self._settings, frozen)
            if wanted != (wanted := step.wanted):
                look_at = everything
            step.run(look_at, ledger, self._progress if number == 1 else None)
            self._failures.extend(step.failures)
            broken, renewed = self._adopt(step.contents)
            if broken or not step.contents:
                return broken
            concerned |= step.concerned
            look_at = everything if "*" in renewed else self._stale(step, concerned, renewed)
        return {path: self._restless(path, ledger) for path in step.contents}

    def _stale(self, step: Pass, concerned: set[Path], renewed: frozenset[str]) -> Stale:
        return stale(self._project, concerned, step.changed, renewed, step.postponed)

    def _adopt(self, contents: Mapping[Path, Content]) -> tuple[dict[Path, str], frozenset[str]]:
        """Make the new contents those of the project.

        Returns the files that no longer parse, and why, and the names that other files may see changed.
        """
        broken = {}
        renewed: frozenset[str] = frozenset()
        for path in sorted(contents):
            self._originals.setdefault(path, self._project.source(path))
            try:
                renewed |= self._project.update(path, *contents[path])
            except FileError as error:
                message = f"the fixes would break this file, it is left as it was: {error.message}"
                self._failures.append(Failure(path, error.line, None, "render", message))
                broken[path] = "the fixes of this file together would break it"
        return broken, renewed

    def _restless(self, path: Path, ledger: Ledger) -> str:
        codes = ledger.last_rules(path)
        rules = " and ".join(codes)
        message = f"{rules} still changed this file after {MAX_PASSES} passes, it is left as it was"
        self._failures.append(Failure(path, None, codes[0] if codes else None, "rule", message))
        return f"{rules} do not come to rest in this file"

    def _restore(self) -> None:
        for path, source in self._originals.items():
            self._project.update(path, source)
        self._originals.clear()

    def _result(self, ledger: Ledger) -> Result:
        news = {path: without_leftovers(self._project, path, old) for path, old in sorted(self._originals.items())}
        groups = _groups(news, ledger.ties)
        changes = {
            path: Change(self._originals[path], new, groups[path])
            for path, new in news.items()
            if new.data != self._originals[path].data
        }
        findings = ledger.findings({path: (change.old, change.new) for path, change in changes.items()})
        failures = sorted({(f.path, f.rule, f.message): f for f in self._failures}.values(), key=lambda f: f.order)
        return Result(
            findings, failures, changes, frozenset(ledger.fixed), frozenset(ledger.dropped), ledger.suppressed
        )


def _groups(paths: Iterable[Path], ties: Iterable[frozenset[Path]]) -> dict[Path, int]:
    """A number for each file, the same for files that are tied, directly or through others."""
    groups = {path: number for number, path in enumerate(paths)}
    for tie in ties:
        joined = {groups[path] for path in tie}
        groups = {path: min(joined) if group in joined else group for path, group in groups.items()}
    return groups
