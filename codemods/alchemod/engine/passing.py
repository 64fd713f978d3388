"""One pass: find in the stale files, and carry out the fixes that are wanted, each file from its content so far."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.engine.changeset import ChangeSet, Content, change_set, owned, render
from alchemod.engine.failure import Failure
from alchemod.engine.find import FileFindings, Finder, refused
from alchemod.engine.finding import Finding
from alchemod.engine.places import enclosing, span
from alchemod.engine.registry import Registry
from alchemod.engine.stale import Stale
from alchemod.settings.options import Settings
from alchemod.text.source import SourceFile

if TYPE_CHECKING:
    from alchemod.engine.fixpoint import Progress
    from alchemod.engine.ledger import Ledger
    from alchemod.facts.project import Project
    from alchemod.inference import Inference


class Pass:
    """One pass over the project as it is now. It only reads the project; `contents` holds what it makes of it."""

    def __init__(
        self,
        project: Project,
        inference: Inference,
        registry: Registry,
        codes: frozenset[str],
        settings: Settings,
        frozen: Mapping[Path, str],
    ) -> None:
        self.contents: dict[Path, Content] = {}
        self.concerned: set[Path] = set()
        """Files in which a name occurs that a rule asked for."""
        self.changed: dict[Path, set[str]] = {}
        """The functions that changed, by dotted name; `""` for what is outside of functions."""
        self.postponed: dict[Path, set[str]] = {}
        """The functions with fixes that had to wait, because others changed their sites or files first."""
        self._failures: list[Failure] = []
        self._project = project
        self._settings = settings
        self._frozen = frozen
        self._ranks = registry.order(codes)
        self._finder = Finder(project, inference, registry, codes, settings)
        self._waiting: list[ChangeSet] = []
        self._homes: dict[str, tuple[Path, str]] = {}
        self._trees: dict[Path, tuple[SourceFile, ast.Module]] = {}

    @property
    def wanted(self) -> frozenset[bytes]:
        """The names that the rules ask for."""
        return self._finder.wanted

    @property
    def failures(self) -> list[Failure]:
        """What went wrong in this pass."""
        return [*self._finder.failures, *self._failures]

    def run(self, stale: Stale, ledger: Ledger, progress: Progress | None) -> None:
        """Find in what is stale and carry out what is wanted; the ledger keeps what was found and what became of it."""
        ledger.begin_pass()
        for done, (path, within) in enumerate(stale.items()):
            if progress:
                progress(done, len(stale))
            try:
                self._file(path, within, ledger)
            except Exception as error:
                message = f"the file was passed over: {type(error).__name__}"
                self._failures.append(Failure(path, None, None, "rule", message, traceback.format_exc()))
        self._across_files(ledger)
        for path, unit in self._homes.values():
            self.postponed.setdefault(path, set()).add(unit)
        if progress:
            progress(len(stale), len(stale))

    def _file(self, path: Path, within: frozenset[str] | None, ledger: Ledger) -> None:
        found = self._finder.find(path, within)
        if found.tree is not None:
            self.concerned.add(path)
        wanted: list[ChangeSet] = []
        kept: list[Finding] = []
        for finding in found.findings:
            if finding.fixable and (finding.safety == "safe" or self._settings.unsafe_fixes):
                one = change_set(finding, path)
                if (obstacle := self._obstacle(one, path)) is None:
                    wanted.append(one)
                else:
                    finding = refused(finding, obstacle)
                    ledger.drop(finding)
            kept.append(replace(finding, node=None, proposal=None))
        ledger.found(path, kept, {one.id for one in wanted}, found.suppressed, within)
        if found.tree is None or not wanted:
            return
        for one in wanted:
            self._homes[one.id] = path, enclosing(found.tree, one.finding.node or found.tree).unit
        local = [one for one in wanted if one.edits.keys() == {path}]
        spread = [one for one in wanted if one.edits.keys() != {path}]
        self._waiting += [one for one in spread if self._keeps_trees(one, found)]
        self._carry_out(local, {path: (self._project.source(path), found.tree)}, ledger)

    def _obstacle(self, one: ChangeSet, home: Path) -> str | None:
        """Why a change set is left out as a whole, None if nothing is in its way."""
        for path, verbs in one.edits.items():
            name = self._finder.displayed(path)
            if path in self._frozen:
                return self._frozen[path]
            if not self._project.in_scope(path):
                return f"it also edits {name}, which is not among the files named for this run"
            if path != home and (suppressions := self._finder.suppressions(path)) is not None:
                tree = self._project.tree(path)
                for verb in verbs:
                    if suppressions.suppressed(one.finding, enclosing(tree, verb.node)):
                        return (
                            f"it also edits {name}:{span(verb.node)[0]}, where a comment suppresses {one.finding.code}"
                        )
        return None

    def _keeps_trees(self, one: ChangeSet, found: FileFindings) -> bool:
        """Keep the trees that the nodes of a waiting change set belong to; False if one has been parsed anew since."""
        for path in one.edits:
            tree = found.tree if path == found.path and found.tree else self._project.tree(path)
            if self._trees.setdefault(path, (self._project.source(path), tree))[1] is not tree:
                return False
        return True

    def _across_files(self, ledger: Ledger) -> None:
        """Carry out the change sets that span files, in files that nothing else changed in this pass."""
        free = [one for one in self._waiting if self.contents.keys().isdisjoint(one.edits)]
        self._carry_out(free, self._trees, ledger)

    def _carry_out(
        self, wanted: Sequence[ChangeSet], files: Mapping[Path, tuple[SourceFile, ast.Module]], ledger: Ledger
    ) -> None:
        """Carry out the change sets that own their sites; where one is refused, its rivals get their turn."""
        while wanted:
            owners = owned(wanted, self._ranks)
            rendering = render(owners, files, self._project.line_length)
            self._failures.extend(rendering.failures)
            ledger.refuse(rendering.refused)
            for mark in (*rendering.refused, *(one.id for one in rendering.applied)):
                self._homes.pop(mark, None)
            if not rendering.refused or len(owners) == len(wanted):
                self.contents.update(rendering.contents)
                self._note_changes(rendering.applied, files)
                ledger.carried_out(rendering.applied)
                break
            wanted = [one for one in wanted if one.id not in rendering.refused]

    def _note_changes(self, applied: Iterable[ChangeSet], files: Mapping[Path, tuple[SourceFile, ast.Module]]) -> None:
        for one in applied:
            for path, verbs in one.edits.items():
                units = {enclosing(files[path][1], verb.node).unit for verb in verbs}
                self.changed.setdefault(path, set()).update(units)
