"""The verbs of one file carried out: bytes in, bytes out, and the proof that they are what was promised."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from alchemod.edits.ancestry import Ancestry
from alchemod.edits.attempt import Attempt, Refused
from alchemod.edits.imports import ImportRequest
from alchemod.edits.verbs import Verb
from alchemod.text.source import SourceFile


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The outcome for one file.

    ``source`` is the file with the edits of the fixes in ``applied``, ``tree`` its tree; ``refused`` maps the
    other fixes to the reason. ``imports`` are the names that the new code needs and the file does not import,
    ``moved`` the imports that give way to some of them: both for :func:`alchemod.edits.imports.apply_imports`.
    """

    source: SourceFile
    tree: ast.Module
    applied: frozenset[Hashable]
    refused: Mapping[Hashable, str] = field(default_factory=dict)
    imports: tuple[ImportRequest, ...] = ()
    moved: tuple[ImportRequest, ...] = ()


def rewrite(
    source: SourceFile,
    tree: ast.Module,
    edits: Mapping[Hashable, Sequence[Verb]],
    *,
    whole_module: bool = False,
    line_length: int = 88,
    pending: Sequence[ImportRequest] = (),
) -> Rewritten:
    """Carry out the verbs of one file, given by fix.

    The verbs of a fix are all carried out or none: a fix that cannot be, or whose result is not what its
    templates promise, is refused with a reason, and the others are done without it. Of two that clash the
    first in ``edits`` wins, and the outer of two that are nested. Nothing is raised for a verb.

    ``whole_module`` renders from one LibCST tree of the module instead of one tree per statement: slower, with
    the same result. New lines are kept below ``line_length`` characters, or below the longest of the old ones.
    ``pending`` are the ``imports`` of earlier passes over the same file, not written yet.
    """
    if source.newline == "\r" and b"\n" not in source.utf8:  # which ends a line for Python, but not for LibCST
        lines = source.with_newline("\n")
        done = rewrite(lines, tree, edits, whole_module=whole_module, line_length=line_length, pending=pending)
        return replace(done, source=done.source.with_newline("\r"))
    ancestry = Ancestry(tree)

    def attempt(fixes: Mapping[Hashable, Sequence[Verb]]) -> Attempt:
        return Attempt(source, ancestry, fixes, pending, whole_module=whole_module, line_length=line_length)

    refused: dict[Hashable, str] = {}
    left = {fix: tuple(verbs) for fix, verbs in edits.items()}
    while left:
        together = attempt(left)
        try:
            new_source, new_tree = together.run()
        except Refused as refusal:
            suspects = {fix: verbs for fix, verbs in left.items() if fix in refusal.fixes} or left
            guilty = _guilty(attempt, suspects) if len(suspects) > 1 and not refusal.each else {}
            guilty = guilty or dict.fromkeys(suspects, refusal.reason)
            refused |= guilty
            left = {fix: verbs for fix, verbs in left.items() if fix not in guilty}
            continue
        refused |= together.refused
        applied = frozenset(left).difference(together.refused)
        return Rewritten(new_source, new_tree, applied, refused, together.imports, together.moved)
    return Rewritten(source, tree, frozenset(), refused)


def _guilty(
    attempt: Callable[[Mapping[Hashable, Sequence[Verb]]], Attempt],
    fixes: Mapping[Hashable, Sequence[Verb]],
) -> dict[Hashable, str]:
    """The fixes that fail alone, found by halving; or of two halves that fail together, the second."""
    try:
        attempt(fixes).run()
    except Refused as refusal:
        if len(fixes) == 1:
            return dict.fromkeys(fixes, refusal.reason)
        order = list(fixes)
        first, second = order[: len(order) // 2], order[len(order) // 2 :]
        halves = [{fix: fixes[fix] for fix in half} for half in (first, second)]
        guilty = _guilty(attempt, halves[0]) | _guilty(attempt, halves[1])
        return guilty or dict.fromkeys(second, refusal.reason)
    return {}
