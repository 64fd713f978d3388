"""One run over one project: discover, load, find and rewrite in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alchemod.engine.failure import Failure
from alchemod.engine.find import APPLICATION_RULES
from alchemod.engine.fixpoint import FixedPoint, Progress
from alchemod.engine.registry import Registry, RuleEntry
from alchemod.facts.gates import gate_a
from alchemod.facts.project import Project
from alchemod.inference import Inference
from alchemod.review.outcome import Outcome
from alchemod.rules._index import registry as known_rules
from alchemod.settings.options import Settings
from alchemod.settings.selection import selected
from alchemod.text.discover import Candidate, Discovery, discover
from alchemod.text.problem import Problem
from alchemod.text.source import SourceFile

_GC_THRESHOLDS = (1_000_000, 20, 20)
"""Trees are many objects that live on: collecting rarely saves about a tenth of the time (measured)."""


def analyse(
    root: Path,
    paths: Sequence[Path],
    settings: Settings,
    *,
    registry: Registry | None = None,
    contents: Mapping[Path, SourceFile] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Everything that a run over `paths` of the project at `root` finds and would change; nothing is written.

    No path means the whole project. `contents` replaces what files hold on disk (standard input). Raises SettingsError
    when the settings name a rule that does not exist, before anything is scanned.

    The thresholds of the garbage collector are raised and stay raised: to lower them again would collect at once.
    """
    registry = registry or known_rules()
    codes = selected(registry, settings)
    loaded = load(root, paths, settings, registry, codes, contents=contents)
    return settle(loaded, registry, codes, settings, progress)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project with its facts, and the files it was loaded from."""

    project: Project
    discovery: Discovery
    files: Sequence[Candidate]


def load(
    root: Path,
    paths: Sequence[Path],
    settings: Settings,
    registry: Registry,
    codes: frozenset[str],
    *,
    contents: Mapping[Path, SourceFile] | None = None,
) -> Loaded:
    """The project at `root` for a run of the rules `codes` of `registry` over `paths`; see `analyse`."""
    given = contents or {}
    gc.set_threshold(*map(max, zip(gc.get_threshold(), _GC_THRESHOLDS, strict=True)))
    discovery = discover(root, [path for path in paths if path not in given], settings.exclude)
    files = _with_given(discovery.files, given, only=bool(given))
    with _collector_asleep():
        revisions = not all(code.startswith(APPLICATION_RULES) for code in codes)
        users = not all(_asks_in_passed_files(registry[code]) for code in codes)
        project = Project.load(
            files, root, settings.target, given, goal=settings.goal, revisions=revisions, users=users
        )
    return Loaded(project, discovery, files)


def settle(
    loaded: Loaded, registry: Registry, codes: frozenset[str], settings: Settings, progress: Progress | None = None
) -> Outcome:
    """What the rules `codes` find in a loaded project and would change; the project holds the new contents then."""
    project, discovery, files = loaded.project, loaded.discovery, loaded.files
    result = FixedPoint(project, Inference, registry, codes, settings, progress).run()
    gc.unfreeze()
    problems = [*discovery.problems, *project.problems]
    failures = sorted({*map(_failure, problems), *result.failures}, key=lambda failure: failure.order)
    skipped = len(
        {problem.path for problem in problems} | {note.path for note in project.notes if note.path in project}
    )
    return Outcome(
        root=project.root,
        findings=tuple(result.findings),
        failures=tuple(failures),
        changes=result.changes,
        fixed=result.fixed,
        dropped=result.dropped,
        suppressed=result.suppressed,
        scanned=sum(file.in_scope for file in files),
        skipped=skipped,
        excluded=discovery.excluded,
        ignored=discovery.skipped,
        allows=project.versions.lowest,
        unsafe_fixes=settings.unsafe_fixes,
        notes=tuple(sorted(set(map(_failure, project.notes)), key=lambda note: note.order)),
    )


def _asks_in_passed_files(entry: RuleEntry) -> bool:
    """Whether a rule asks for nothing but names that bring a file through gate A."""
    return not entry.dynamic and all(gate_a(name.encode()) for name in entry.names)


def _with_given(files: Sequence[Candidate], given: Mapping[Path, SourceFile], *, only: bool) -> Sequence[Candidate]:
    """The files of the project; where contents are given, those are the only ones in scope."""
    if not only:
        return files
    others = [file._replace(in_scope=False, named=False) for file in files if file.path not in given]
    return sorted([*others, *(Candidate(path, True, True) for path in given)])


def _failure(problem: Problem) -> Failure:
    return Failure(problem.path, problem.line, None, problem.kind, problem.message)


@contextmanager
def _collector_asleep() -> Iterator[None]:
    """Trees and facts live to the end of a run: the garbage collector need not look at them (a tenth of the time)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
