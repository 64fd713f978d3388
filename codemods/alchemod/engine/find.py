"""The findings of one file: what the rules say, placed, held against the versions and the suppressions."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.engine.context import Context
from alchemod.engine.dispatch import Concerned, Dispatcher
from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.engine.places import Enclosing, enclosing, fingerprint, shape, span, start
from alchemod.engine.registry import UNUSED_SUPPRESSION, Registry
from alchemod.engine.shadowed import held_back
from alchemod.engine.suppress import MARK, Suppressions
from alchemod.settings.options import Settings
from alchemod.text.problem import FileError

if TYPE_CHECKING:
    from alchemod.facts.project import Project
    from alchemod.inference import Inference


APPLICATION_RULES = "ALC"
"""The family of rules that leave Alembic's revision files alone: they are history."""


@dataclass(slots=True)
class FileFindings:
    """What was found in one file. `tree` is the one the nodes of the findings belong to, None if nothing was found."""

    path: Path
    tree: ast.Module | None = None
    findings: list[Finding] = field(default_factory=list)
    suppressed: int = 0


class Finder:
    """Finds in one file at a time, over the project as it is now."""

    def __init__(
        self, project: Project, inference: Inference, registry: Registry, codes: frozenset[str], settings: Settings
    ) -> None:
        self._project = project
        self._inference = inference
        self._registry = registry
        self._codes = codes
        self._settings = settings
        self._dispatcher = Dispatcher(registry, codes, project)
        self._suppressions: dict[Path, Suppressions | None] = {}
        self._all_ran = codes.issuperset(entry.code for entry in registry if entry.on and entry.code.startswith("ALC"))

    @property
    def failures(self) -> list[Failure]:
        """What went wrong so far."""
        return self._dispatcher.failures

    @property
    def wanted(self) -> frozenset[bytes]:
        """The names that the rules ask for."""
        return self._dispatcher.wanted

    def displayed(self, path: Path) -> str:
        """A path as findings show it: relative to the project root, with `/`."""
        return self._project.displayed(path)

    def find(self, path: Path, within: frozenset[str] | None = None) -> FileFindings:
        """The findings of a file in source order; those that a comment suppresses are only counted.

        `within` keeps to the functions of these dotted names, and does not judge the suppressions.
        """
        found = FileFindings(path)
        try:
            suppressions = self.suppressions(path)
            if concerned := self._concerned(path):
                self._find(found, concerned, suppressions, within)
        except FileError:
            return found  # the project has a row for it
        if suppressions is not None and within is None and UNUSED_SUPPRESSION.code in self._codes:
            unused = suppressions.unused(self.displayed(path), self._codes, self._registry, all_ran=self._all_ran)
            found.findings.extend(unused)
        return found

    def _concerned(self, path: Path) -> Concerned:
        """The rules that may find something in a file and may touch it."""
        concerned = self._dispatcher.concerned(self._project.source(path))
        if concerned and self._project.is_revision(path):
            return {code: lines for code, lines in concerned.items() if not code.startswith(APPLICATION_RULES)}
        return concerned

    def _find(
        self,
        found: FileFindings,
        concerned: Concerned,
        suppressions: Suppressions | None,
        within: frozenset[str] | None,
    ) -> None:
        found.tree = self._project.tree(found.path)
        context = Context(
            self._project, self._inference, found.path, self._project.source(found.path), found.tree, self._settings
        )
        for finding, around in self._placed(context, concerned, within):
            if suppressions is not None and suppressions.suppressed(finding, around):
                found.suppressed += 1
            else:
                found.findings.append(self._allowed(finding))

    def _placed(
        self, context: Context, concerned: Concerned, within: frozenset[str] | None
    ) -> Iterator[tuple[Finding, Enclosing]]:
        """The findings of a file with their places, in source order."""
        path = self.displayed(context.path)
        placed = []
        for finding in self._dispatcher.find(context, concerned, within):
            finding = held_back(finding, context)
            node = finding.node or context.tree
            around = enclosing(context.tree, node)
            line, column = context.source.position(context.source.offset(*start(node)))
            end_line, end_column = context.source.position(context.source.offset(*span(node)[2:]))
            finding = replace(
                finding, path=path, line=line, column=column, end_line=end_line, end_column=end_column,
                scope=around.scope,
            )  # fmt: skip
            placed.append((finding, around))
        placed.sort(key=lambda pair: pair[0].order)
        shapes: dict[int, str] = {}
        seen: Counter[str] = Counter()
        for finding, around in placed:
            what = shapes.get(id(around.statement)) or shapes.setdefault(id(around.statement), shape(around.statement))
            same = fingerprint(finding.code, path, finding.scope, what, 0)
            mark = fingerprint(finding.code, path, finding.scope, what, seen[same])
            seen[same] += 1
            yield replace(finding, fingerprint=mark, change_set=mark if finding.fixable else None), around

    def _allowed(self, finding: Finding) -> Finding:
        """The finding, without its fix if the project allows an SQLAlchemy that is too old for the fixed code."""
        minimum, versions = finding.min_version, self._project.versions
        if not finding.fixable or versions.allows(minimum):
            return finding
        missing = f"it needs SQLAlchemy {minimum}, the project allows {versions.lowest}"
        return replace(refused(finding, missing), needs=minimum)

    def suppressions(self, path: Path) -> Suppressions | None:
        """The suppressions of a file as it is now, None when it has none."""
        if path not in self._suppressions:
            source = self._project.source(path)
            self._suppressions[path] = Suppressions(source.text) if MARK in source.utf8 else None
        return self._suppressions[path]


def refused(finding: Finding, reason: str) -> Finding:
    """The finding as a report whose fix is not offered for `reason`."""
    message = f"{finding.message}; fix not offered: {reason}"
    return replace(finding, safety="report", message=message, missing=reason, change_set=None, proposal=None)
