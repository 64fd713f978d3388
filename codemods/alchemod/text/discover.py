"""Which files belong to a project, and which of them the user named."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from alchemod.settings.options import SettingsError
from alchemod.text.gitignore import Pattern, Patterns, pattern
from alchemod.text.ignore import GITIGNORE, IgnoreRules, is_generated, rules_above, rules_of
from alchemod.text.problem import Problem, reason

_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
_SUFFIXES = (".py", ".pyw")
_LITTER = ("._", ".#")
"""How macOS names its metadata twins of files and Emacs its locks."""


class Candidate(NamedTuple):
    """A file to read.

    ``in_scope``: findings are shown and edits made. ``named``: the file itself is on the command line.
    """

    path: Path
    in_scope: bool
    named: bool


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files of a project by path, and what was passed over.

    ``problems`` are paths that cannot be read, ``skipped`` counts folders and files that were not read
    because they are ignored, generated or links to folders, ``excluded`` the files that would be in scope
    but for ``exclude``.
    """

    files: tuple[Candidate, ...]
    problems: tuple[Problem, ...]
    skipped: int
    excluded: int


def project_root(paths: Sequence[Path]) -> Path:
    """The project of some paths: the nearest folder upward that holds all of them and has a marker.

    Markers are pyproject.toml, setup.py, setup.cfg and .git. Without one it is the common parent of the
    paths. No path means the working directory.
    """
    parent = _common_parent([_absolute(path) for path in paths] or [os.getcwd()])
    folder = parent
    while not _has_marker(folder):
        if folder == (folder := os.path.dirname(folder)):
            return Path(parent)
    return Path(folder)


def discover(root: Path, named: Sequence[Path], exclude: Sequence[str] = ()) -> Discovery:
    """All source files of the project at ``root``, and the named ones wherever they are.

    The whole project is listed whatever ``named`` says; no name means the root. A named file is taken
    whatever its suffix, a named folder even if it is ignored. ``exclude`` holds patterns as in .gitignore,
    relative to ``root``: what they cover is listed, but out of scope. Links to folders are not followed, a
    link to a file of the project is that file. Raises SettingsError for a pattern that has no meaning.
    """
    walk = _Walk()
    project = _absolute(root)
    if not _is_too_wide(project):
        walk.add_folder(project)
    named_files: set[str] = set()
    prefixes: set[str] = set()
    for path in sorted({_absolute(path) for path in named} or {project}):
        file, folders = walk.add_named(path)
        named_files.update(file)
        prefixes.update(folders)
    walk.drop_links_to_known_files()
    scopes = tuple(prefixes)
    reached = {path for path in walk.files if path in named_files or path.startswith(scopes)}
    in_scope = reached - _excluded(reached, project, exclude)
    files = (Candidate(Path(path), path in in_scope, path in named_files) for path in sorted(walk.files))
    problems = sorted(set(walk.problems), key=lambda problem: (str(problem.path), problem.message))
    return Discovery(tuple(files), tuple(problems), walk.skipped, len(reached) - len(in_scope))


@dataclass(slots=True)
class _Walk:
    """What has been found so far. Paths are absolute texts."""

    files: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    skipped: int = 0
    _real_tops: dict[str, str] = field(default_factory=dict)

    def add_folder(self, top: str) -> None:
        """Everything below ``top``, except what is ignored there."""
        self._real_tops[_prefix(os.path.realpath(top))] = _prefix(top)
        pending: list[tuple[str, IgnoreRules | None]] = [(top, rules_above(top))]
        while pending:
            folder, rules = pending.pop()
            if folder in self.folders:
                continue
            try:
                with os.scandir(folder) as entries:
                    listing = _listing(entries)
            except OSError as error:
                self._report(folder, error, "folder cannot be read")
                continue
            if listing.is_environment and folder != top:
                self.skipped += 1
                continue
            self.folders.add(folder)
            if listing.has_gitignore:
                rules = rules_of(os.path.join(folder, GITIGNORE), folder, rules)
            self._add_files(listing, rules)
            for entry in listing.folders:
                if is_generated(entry.name, entry.path) or (rules and rules.covers(entry.path, True)):
                    self.skipped += 1
                else:
                    pending.append((entry.path, rules))

    def add_named(self, path: str) -> tuple[set[str], set[str]]:
        """A path of the command line: the file it is, or the prefixes of what lies in the folder it is."""
        try:
            is_folder, is_file = _kind(path)
        except OSError as error:
            self._report(path, error, "cannot be read")
            return set(), set()
        known = self._known(path)
        if is_folder:
            if not self.folders & {path, known}:
                self.add_folder(path)
            return set(), {_prefix(path), _prefix(known)}
        if is_file:
            file = known if known in self.files else path
            self.files.add(file)
            return {file}, set()
        self.problems.append(Problem(Path(path), None, "read", "is neither a file nor a folder"))
        return set(), set()

    def drop_links_to_known_files(self) -> None:
        """One file under several names is listed once: by its own name, else by the first of its links."""
        targets: set[str] = set()
        for path in sorted(self.links):
            target = self._known(path)
            if target != path and (target in targets or target in self.files):
                self.files.discard(path)
            targets.add(target)

    def _known(self, path: str) -> str:
        """The real place of a path, spelled as the walk that would meet it spells it."""
        real = os.path.realpath(path)
        for real_top, top in self._real_tops.items():
            if real.startswith(real_top):
                return top + real[len(real_top) :]
        return real

    def _add_files(self, listing: _Listing, rules: IgnoreRules | None) -> None:
        for entry in listing.files:
            if rules and rules.covers(entry.path, False):
                self.skipped += 1
            else:
                self.files.add(entry.path)
        for entry in listing.links:
            if not (rules and rules.covers(entry.path, False)):
                self._add_link(entry)

    def _add_link(self, entry: os.DirEntry[str]) -> None:
        is_source = entry.name.endswith(_SUFFIXES)
        try:
            is_folder, is_file = _kind(entry.path)
        except OSError as error:
            if is_source or error.errno == errno.ELOOP:
                self._report(entry.path, error, "link leads nowhere")
            return
        if is_folder:
            self.skipped += 1
        elif is_file and is_source:
            self.files.add(entry.path)
            self.links.append(entry.path)

    def _report(self, path: str, error: OSError, what: str) -> None:
        """Note what is wrong with a path, once: a named one may have been met on the walk."""
        if not any(problem.path == Path(path) for problem in self.problems):
            self.problems.append(Problem(Path(path), None, "read", f"{what}: {reason(error)}"))


@dataclass(slots=True)
class _Listing:
    """The entries of one folder that matter."""

    files: list[os.DirEntry[str]] = field(default_factory=list)
    folders: list[os.DirEntry[str]] = field(default_factory=list)
    links: list[os.DirEntry[str]] = field(default_factory=list)
    has_gitignore: bool = False
    is_environment: bool = False


def _listing(entries: Iterable[os.DirEntry[str]]) -> _Listing:
    listing = _Listing()
    for entry in entries:
        name = entry.name
        if entry.is_dir(follow_symlinks=False):
            listing.folders.append(entry)
        elif entry.is_symlink():
            listing.links.append(entry)
        elif name.endswith(_SUFFIXES):
            if entry.is_file(follow_symlinks=False) and not name.startswith(_LITTER):
                listing.files.append(entry)
        elif name == GITIGNORE:
            listing.has_gitignore = True
        elif name == "pyvenv.cfg":
            listing.is_environment = True
    return listing


def _excluded(paths: set[str], project: str, lines: Sequence[str]) -> set[str]:
    patterns = Patterns(filter(None, map(_exclude_pattern, lines)))
    prefix = _prefix(project)
    below = (path for path in paths if patterns and path.startswith(prefix))
    return {path for path in below if patterns.cover(path[len(prefix) :].replace(os.sep, "/"))}


def _exclude_pattern(line: str) -> Pattern | None:
    try:
        return pattern(line)
    except ValueError as error:
        raise SettingsError(f"exclude: {line!r} is no pattern as in .gitignore: it {error}") from None


def _kind(path: str) -> tuple[bool, bool]:
    """Whether a path, links followed, is a folder, and whether it is a regular file. Raises OSError."""
    mode = os.stat(path).st_mode
    return stat.S_ISDIR(mode), stat.S_ISREG(mode)


def _absolute(path: Path) -> str:
    return os.path.abspath(path)


def _prefix(folder: str) -> str:
    return folder.rstrip(os.sep) + os.sep


def _common_parent(paths: Sequence[str]) -> str:
    parents = [path if os.path.isdir(path) else os.path.dirname(path) for path in paths]
    try:
        return os.path.commonpath(parents)
    except ValueError:  # on different drives
        return parents[0]


def _has_marker(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, marker)) for marker in _MARKERS)


def _is_too_wide(folder: str) -> bool:
    """Whether a folder without a marker is one that holds everything: only named paths are read there."""
    if _has_marker(folder):
        return False
    import tempfile

    home = os.path.expanduser("~")
    return _prefix(home).startswith(_prefix(folder)) or folder == os.path.abspath(tempfile.gettempdir())
