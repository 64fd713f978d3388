"""What must be looked at again after a pass: what changed, and what may depend on it."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.engine.places import units
from alchemod.facts.lines import first_line
from alchemod.text.problem import FileError
from alchemod.text.words import mentioned_lines

if TYPE_CHECKING:
    from alchemod.facts.project import Project

Stale = Mapping[Path, frozenset[str] | None]
"""Files to look at again: only the functions of these dotted names, or, None, all of it."""


def stale(
    project: Project,
    concerned: Iterable[Path],
    changed: Mapping[Path, set[str]],
    renewed: Iterable[str],
    postponed: Mapping[Path, set[str]] | None = None,
) -> Stale:
    """What to look at once the functions `changed` (by file and dotted name, `""` outside of functions) were rewritten.

    Those are the functions themselves, and all functions of the files `concerned` in which the name of one occurs, or
    one of the names `renewed`, of which facts changed; the whole file where that is so outside of functions. The
    functions `postponed` have fixes that wait.
    """
    rewritten = {name.rpartition(".")[2] for names in changed.values() for name in names if name}
    names = frozenset(name.encode() for name in rewritten.union(renewed))
    found: dict[Path, frozenset[str] | None] = {}
    waiting = postponed or {}
    for path in sorted({*concerned, *changed, *waiting}):
        own = changed.get(path, set()) | waiting.get(path, set())
        try:
            mentioning = None if "" in own else _mentioning(project, path, names)
        except FileError:
            continue
        if mentioning is None:
            found[path] = None
        elif mentioning or own:
            found[path] = mentioning | own
    return found


def _mentioning(project: Project, path: Path, names: frozenset[bytes]) -> frozenset[str] | None:
    """The functions of a file in which one of the names occurs; None if one occurs outside functions and imports."""
    by_name = mentioned_lines(project.source(path).utf8, names)
    lines = sorted({line for lines in by_name.values() for line in lines})
    if not lines:
        return frozenset()
    found: set[str] = set()
    covered = 0
    for name, statement in units(project.tree(path)):
        inside = _count(statement, lines)
        covered += inside
        if inside and name:
            found.add(name)
    return frozenset(found) if covered >= len(lines) else None


def _count(statement: ast.stmt, lines: list[int]) -> int:
    return bisect_left(lines, (statement.end_lineno or 0) + 1) - bisect_left(lines, first_line(statement))
