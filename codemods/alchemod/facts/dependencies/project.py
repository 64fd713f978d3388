"""What the dependency files of a project say together: which are read, and how they are combined."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial, reduce
from pathlib import Path

from alchemod.facts.dependencies.implied import IMPLYING, implied_versions
from alchemod.facts.dependencies.locks import read_environment, read_lock, read_pipfile_lock
from alchemod.facts.dependencies.pyproject import read_pipfile, read_pyproject
from alchemod.facts.dependencies.reading import Reading
from alchemod.facts.dependencies.requirement import Kind, Requirement, normalised
from alchemod.facts.dependencies.requirement_files import read_requirement_file, requirement_files
from alchemod.facts.dependencies.setup_config import (
    read_package_information,
    read_requires,
    read_setup_config,
)
from alchemod.facts.dependencies.setup_script import read_setup_script
from alchemod.facts.versions import ANY, NONE, STEPS, VersionRange, VersionSet, parse_specifiers
from alchemod.text.problem import Problem

_ENVIRONMENT = re.compile(r"(?:.*[-_.])?(?:environment|conda)(?:[-_.].*)?\.ya?ml")
_LOCK = re.compile(r"(?:poetry|pdm|uv)\.lock|pylock(?:\..+)?\.toml")
_NOT_ENTERED = {
    *("node_modules", "venv", "env", "build", "dist", "site-packages"),
    *("test", "tests", "doc", "docs", "example", "examples"),
}
_DEEPEST, _MOST_FOLDERS = 2, 200


class Dependencies:
    """The requirements of a project, `root` being its root folder. Files are read, never executed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._reading = _read_folder(root, root)

    @property
    def requirements(self) -> Sequence[Requirement]:
        """Every package that the files in the root name, in the order of the files."""
        return self._reading.requirements

    @property
    def problems(self) -> Sequence[Problem]:
        """What could not be used of the files read so far."""
        return self._reading.problems

    @cached_property
    def sqlalchemy(self) -> VersionRange:
        """The versions of SQLAlchemy the project allows; exactly 2.0 (`assumed`) where nothing names it.

        No lower bound counts as 1.4, or as the newest series below the upper bound if that is older.
        """
        declared = self.package("sqlalchemy")
        if declared is not None:
            return _bounded(declared)
        for package in IMPLYING:
            found = self.package(package)
            if found is not None:
                versions = implied_versions(package, found.versions)
                implied = VersionRange(versions, "")
                return VersionRange(versions, f"{found.source} ({package}, which goes with SQLAlchemy {implied})")
        return VersionRange.exactly("2.0", "no dependency file names SQLAlchemy, so 2.0 is assumed", assumed=True)

    def package(self, name: str) -> VersionRange | None:
        """Return the versions of a package that the project allows; None if no file names it.

        The root counts alone if its files name the package, else folders up to two levels down.
        """
        name = normalised(name)
        found = _combined(self._reading, name)
        if found is not None:
            return found
        nested = [found for reading in self._nested if (found := _combined(reading, name)) is not None]
        if not nested:
            return None
        versions = reduce(VersionSet.__or__, (found.versions for found in nested))
        return VersionRange(versions, min(nested, key=lambda found: found.exact_lowest).source)

    def declaring(self, name: str) -> Sequence[Requirement]:
        """The requirements that name a package: those of the root, or of folders below where the root has none."""
        name = normalised(name)
        for readings in ([self._reading], self._nested):
            if rows := [row for reading in readings for row in reading.requirements if row.name == name]:
                return rows
        return ()

    @cached_property
    def _nested(self) -> list[Reading]:
        folders, level = list[Path](), [self._root]
        for _ in range(_DEEPEST):
            level = [Path(entry) for folder in level for entry in _subfolders(folder)][:_MOST_FOLDERS]
            folders += level
        return [_read_folder(self._root, folder) for folder in folders]


def sqlalchemy_range(root: Path) -> VersionRange:
    """Return the versions of SQLAlchemy that the dependency files below `root` allow. Raises nothing."""
    return Dependencies(root).sqlalchemy


def package_range(root: Path, name: str) -> VersionRange | None:
    """Return the versions of the package `name` that the project allows; None if no file names it."""
    return Dependencies(root).package(name)


def _read_folder(root: Path, folder: Path) -> Reading:
    reading = Reading(root)
    try:
        entries = sorted(os.listdir(folder))
    except OSError:
        return reading
    seen = set[Path]()
    follow = partial(_follow, reading, seen)
    readers: dict[str, Callable[[Path], None]] = {
        "pyproject.toml": lambda path: read_pyproject(reading, path, follow),
        "setup.py": lambda path: read_setup_script(reading, path, follow),
        "setup.cfg": lambda path: read_setup_config(reading, path, follow),
        "Pipfile": lambda path: read_pipfile(reading, path),
        "Pipfile.lock": lambda path: read_pipfile_lock(reading, path),
        "PKG-INFO": lambda path: read_package_information(reading, path),
    }
    for entry in entries:
        path = folder / entry
        if entry in readers:
            readers[entry](path)
        elif _LOCK.fullmatch(entry):
            read_lock(reading, path)
        elif _ENVIRONMENT.fullmatch(entry):
            read_environment(reading, path)
        elif entry.endswith(".egg-info") and os.path.isfile(path / "requires.txt"):
            read_requires(reading, path / "requires.txt")
    for path, kind in sorted(requirement_files(folder, entries), key=lambda found: found[1]):
        read_requirement_file(reading, path, kind, seen)
    return reading


def _follow(reading: Reading, seen: set[Path], path: Path, kind: Kind) -> None:
    if os.path.isfile(path):
        read_requirement_file(reading, path, kind, seen)


def _subfolders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.path
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and entry.name[0] != "." and entry.name not in _NOT_ENTERED
            )
    except OSError:
        return []


def _combined(reading: Reading, name: str) -> VersionRange | None:
    """Combine the rows that name a package.

    The strongest kind present counts: main, else extras, else metadata, else development. Main rows of
    several files are intersected. Rows with environment markers, and rows of the other kinds, stand for
    different environments and are united. Constraints and lock files narrow the result. What contradicts
    is dropped (between main files: kept on both sides), with a problem.
    """
    rows = [row for row in reading.requirements if row.name == name]
    for row in rows:
        _check(reading, row)
    locks = [row for row in rows if row.kind is Kind.LOCK]
    kinds = [row.kind for row in rows if row.kind < Kind.CONSTRAINT]
    if not kinds:
        return _described(_united(locks), locks) if locks else None
    declaring = [row for row in rows if row.kind == min(kinds)]
    versions = _of_main_files(reading, declaring) if min(kinds) is Kind.MAIN else _united(declaring)
    deciding = declaring
    narrowing = [[row] for row in rows if row.kind is Kind.CONSTRAINT]
    narrowing += [[row for row in locks if row.path == path] for path in dict.fromkeys(row.path for row in locks)]
    for group in narrowing:
        narrowed = versions & _united(group)
        if narrowed:
            versions, deciding = narrowed, [*group, *deciding]
        else:
            _contradiction(reading, group[0], declaring[0], f"{group[0].path} is ignored for this package")
    return _described(versions, deciding)


def _of_main_files(reading: Reading, rows: list[Requirement]) -> VersionSet:
    versions, read = ANY, list[Requirement]()
    for path in dict.fromkeys(row.path for row in rows):
        own = [row for row in rows if row.path == path]
        allowed = reduce(VersionSet.__and__, (row.versions for row in own if not row.marker), ANY)
        marked = [row for row in own if row.marker]
        allowed &= _united(marked) if marked else ANY
        if versions & allowed:
            versions &= allowed
        else:
            _contradiction(reading, own[0], read[0] if read else own[-1], "both are allowed for")
            versions |= allowed
        read += own
    return versions


def _united(rows: Iterable[Requirement]) -> VersionSet:
    return reduce(VersionSet.__or__, (row.versions for row in rows), NONE)


def _described(versions: VersionSet, deciding: list[Requirement]) -> VersionRange:
    """Return the range with the row that sets its lowest version: the first whose own lower bound is that."""
    row = next((row for row in deciding if row.versions.lower == versions.lower), deciding[0])
    if versions.pinned:
        return VersionRange(versions, f"{row.place} pins {row.specifiers.lstrip('= ')}")
    if versions.lower is None:
        return VersionRange(versions, f"{row.place} names no lowest version")
    return VersionRange(versions, f"{row.place} allows {_written(versions.lower)}")


def _written(release: tuple[int, ...]) -> str:
    return ".".join(map(str, (*release, 0) if len(release) == 1 else release))


def _bounded(declared: VersionRange) -> VersionRange:
    if declared.versions.lower is not None:
        return declared
    for step in ("1.4", *reversed(STEPS)):
        versions = declared.versions & parse_specifiers(f">={step}")
        if versions:
            return VersionRange(versions, f"{declared.source}, so {step} is taken")
    return declared


def _check(reading: Reading, row: Requirement) -> None:
    try:
        parse_specifiers(row.specifiers)
    except ValueError:
        message = f"asks for {row.name} {row.specifiers!r}, which is no version specifier; any version is assumed"
        reading.problem(reading.root / row.path, row.line, "config", message)


def _contradiction(reading: Reading, row: Requirement, other: Requirement, outcome: str) -> None:
    message = (
        f"asks for {row.name} {row.specifiers}, {other.place} for {other.name} {other.specifiers}: "
        f"no version fits both; {outcome}"
    )
    reading.problem(reading.root / row.path, row.line, "config", message)
