"""Change sets: which fixes of a pass are carried out, and their edits carried out together."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.text.problem import FileError
from alchemod.text.source import SourceFile

if TYPE_CHECKING:
    from alchemod.edits.verbs import Verb


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """The edits of one finding, by file: applied all or not at all."""

    finding: Finding
    edits: Mapping[Path, Sequence[Verb]]

    @property
    def id(self) -> str:
        """The fingerprint of the finding."""
        return self.finding.fingerprint


def change_set(finding: Finding, path: Path) -> ChangeSet:
    """The change set of a finding in the file `path`. The finding offers a fix."""
    if finding.proposal is None:
        raise ValueError(f"{finding.code} at {finding.path}:{finding.line} offers no fix")
    edits: dict[Path, list[Verb]] = {path: list(finding.proposal.edits)} if finding.proposal.edits else {}
    for other, verb in finding.proposal.elsewhere:
        edits.setdefault(other, []).append(verb)
    return ChangeSet(finding, edits)


def owned(sets: Iterable[ChangeSet], ranks: Mapping[str, int]) -> list[ChangeSet]:
    """The change sets that own all their sites, one owner per site; the others wait for the next pass.

    A site is the node of a finding or the target of an edit. Owners are chosen, and returned, by the rank of their
    rules (see `Registry.order`), then in source order.
    """
    taken: set[int] = set()
    owners = []
    for candidate in sorted(sets, key=lambda one: (ranks[one.finding.code], one.finding.order)):
        sites = set(_sites(candidate))
        if taken.isdisjoint(sites):
            taken |= sites
            owners.append(candidate)
    return owners


_SHARED = frozenset({"Append", "Insert"})
"""Verbs that add something beside their target, so that several fixes may have the same one."""


def _sites(candidate: ChangeSet) -> Iterator[int]:
    yield id(candidate.finding.node)
    for verbs in candidate.edits.values():
        for verb in verbs:
            target = getattr(verb, "node", None)
            if isinstance(target, ast.AST) and type(verb).__name__ not in _SHARED:
                yield id(target)


class Content(NamedTuple):
    """What a file holds from now on, with its tree where that is known."""

    source: SourceFile
    tree: ast.Module | None


@dataclass(slots=True)
class Rendering:
    """What became of some change sets: the new contents, what was carried out, and why the others were refused."""

    contents: dict[Path, Content] = field(default_factory=dict)
    applied: list[ChangeSet] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


def render(
    sets: Sequence[ChangeSet], files: Mapping[Path, tuple[SourceFile, ast.Module]], line_length: int
) -> Rendering:
    """Carry out change sets over files, imports included. A set refused in one file is dropped in all.

    `files` maps each file the sets touch to its content and to the tree that the nodes of the edits belong to.
    `line_length` is what new lines are broken at.
    """
    rendering = Rendering()
    pending = list(sets)
    while pending:
        refused: dict[str, str] = {}
        contents: dict[Path, Content] = {}
        for path in sorted({path for one in pending for path in one.edits}):
            here = [one for one in pending if path in one.edits]
            content, reasons = _rendered(path, *files[path], here, rendering.failures, line_length)
            refused |= reasons
            if content is not None:
                contents[path] = content
        rendering.refused |= refused
        spread = any(one.id in refused and len(one.edits) > 1 for one in pending)
        pending = [one for one in pending if one.id not in refused]
        if not spread:
            rendering.contents, rendering.applied = contents, pending
            break
    return rendering


def _rendered(
    path: Path,
    source: SourceFile,
    tree: ast.Module,
    sets: Sequence[ChangeSet],
    failures: list[Failure],
    line_length: int,
) -> tuple[Content | None, dict[str, str]]:
    """The new content of one file, None if nothing is left to do in it, and the sets that were refused."""
    from alchemod.edits.imports import apply_imports
    from alchemod.edits.refusal import Refusal
    from alchemod.edits.rewrite import rewrite

    try:
        rewritten = rewrite(source, tree, {one.id: one.edits[path] for one in sets}, line_length=line_length)
        refused = {str(mark): reason for mark, reason in rewritten.refused.items()}
        if not rewritten.applied:
            return None, refused
        new = apply_imports(rewritten.source, rewritten.tree, rewritten.imports, moved=rewritten.moved)
        return Content(new, rewritten.tree if new is rewritten.source else None), refused
    except Refusal as refusal:
        reason = refusal.reason
    except FileError as error:
        reason = f"the file {error.message}"
    except Exception as error:
        reason = f"rendering it failed ({type(error).__name__})"
        if len(sets) == 1:
            failures.append(_failure(path, sets[0].finding, error))
    if len(sets) == 1:
        return None, {sets[0].id: reason}
    reasons: dict[str, str] = {}
    sound = []
    for one in sets:
        _, alone = _rendered(path, source, tree, [one], failures, line_length)
        reasons |= alone
        if one.id not in alone:
            sound.append(one)
    if not sound or len(sound) == len(sets):
        return None, reasons | {one.id: f"together with the other fixes of the file: {reason}" for one in sound}
    content, more = _rendered(path, source, tree, sound, failures, line_length)
    return content, reasons | more


def _failure(path: Path, finding: Finding, error: Exception) -> Failure:
    message = f"the fix could not be rendered, the file keeps this place as it was: {type(error).__name__}"
    return Failure(path, finding.line, finding.code, "render", message, traceback.format_exc())
