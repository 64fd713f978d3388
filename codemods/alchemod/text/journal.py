"""Writing the files of a run so that it can be taken back, and taking it back.

The old contents are on the disk (:mod:`alchemod.text.record`) before the first file is touched. Whatever
happens afterwards, each file is whole, old or new, and :func:`undo` brings all back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alchemod.text.lock import is_locked
from alchemod.text.problem import Problem, reason
from alchemod.text.record import (
    Change,
    JournalError,
    OpenRecord,
    Record,
    digest,
    load_record,
    mark_undone,
    record_files,
    record_files_anywhere,
)
from alchemod.text.write import WriteError, sweep, write_atomically

__all__ = ["Applied", "Change", "JournalError", "Run", "Undone", "apply_all", "undo", "unfinished"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the changes. ``run`` names the run for ``undo``; None when nothing was written."""

    run: str | None
    written: tuple[Path, ...]
    failures: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the past and the files it was to write."""

    run: str
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What was brought back.

    ``run`` is None when there was no run to undo; ``left_alone`` are files that changed after the run,
    ``failures`` files that could not be written.
    """

    run: str | None
    restored: tuple[Path, ...] = ()
    left_alone: tuple[Problem, ...] = ()
    failures: tuple[Problem, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """Whether there was no run to undo."""
        return self.run is None


def apply_all(root: Path, changes: Sequence[Change]) -> Applied:
    """Write the changes, each file atomically, each group all or nothing, and record the run.

    A failure drops its group; the others go on. Raises JournalError, before any file is touched, when the
    record cannot be written, and ValueError when a file occurs twice: change sets that share a file are one
    group with one change of that file.
    """
    pending = [change for change in changes if change.old != change.new]
    if len({change.path for change in pending}) < len(pending):
        raise ValueError("a file occurs in several changes")
    if not pending:
        return Applied(None, (), ())
    record = OpenRecord(root, pending)
    written: list[Path] = []
    failures: list[Problem] = []
    try:
        for group in _groups(pending):
            touched, problems = _write_group(group, root, record.run)
            written += touched
            failures += problems
        record.finish(written)
    finally:
        record.close()
    return Applied(record.run if written else None, tuple(written), tuple(failures))


def unfinished(root: Path) -> Run | None:
    """The newest run of the project that was killed, or None. Raises JournalError."""
    for file in record_files(root):
        if file.suffix == ".open" and not is_locked(file):
            return Run(file.stem, tuple(entry.path for entry in load_record(file).entries))
    return None


def undo(root: Path, run: str | None) -> Undone:
    """Bring back what a run wrote: the named one, of whatever project, or the newest of ``root`` not yet undone.

    Files that changed after the run are left alone. Can be repeated, also after a kill. Raises JournalError
    when there is no run of that name, it still goes on, or its record cannot be read.
    """
    record = _record(root, run)
    if record is None:
        return Undone(None)
    restored: list[Path] = []
    left_alone: list[Problem] = []
    failures: list[Problem] = []
    for entry in record.entries:
        sweep(entry.path.parent, record.run)
        try:
            current = entry.path.read_bytes()
        except OSError as error:
            left_alone.append(Problem(entry.path, None, "write", f"cannot be brought back: {reason(error)}"))
            continue
        if digest(current) == entry.old_hash:
            continue
        if digest(current) != entry.new_hash:
            left_alone.append(Problem(entry.path, None, "write", "has changed since the run and was left alone"))
            continue
        if failure := _write(entry.path, current, record.old(entry), record.root, record.run):
            failures.append(failure)
        else:
            restored.append(entry.path)
    if not left_alone and not failures:
        mark_undone(record)
    return Undone(record.run, tuple(restored), tuple(left_alone), tuple(failures))


def _record(root: Path, run: str | None) -> Record | None:
    if run is None:
        chosen = [file for file in record_files(root) if file.suffix != ".undone" and not is_locked(file)]
        return load_record(chosen[0]) if chosen else None
    chosen = [file for file in (*record_files(root), *record_files_anywhere()) if file.stem == run]
    if not chosen:
        raise JournalError(f"there is no run {run!r}")
    if is_locked(chosen[0]):
        raise JournalError(f"the run {run} still goes on")
    return load_record(chosen[0])


def _groups(changes: Iterable[Change]) -> Iterable[list[Change]]:
    """Changes that are written together, in the order of their first members."""
    groups: dict[object, list[Change]] = {}
    for change in changes:
        key = change.path if change.group is None else change.group
        groups.setdefault(key, []).append(change)
    return groups.values()


def _write_group(group: Sequence[Change], root: Path, run: str) -> tuple[list[Path], list[Problem]]:
    """The paths that hold their new content afterwards, and what went wrong."""
    written: list[Path] = []
    for change in group:
        failure = _write(change.path, change.old, change.new, root, run)
        if failure:
            return _roll_back(group, written, failure, root, run)
        written.append(change.path)
    return written, []


def _roll_back(
    group: Sequence[Change], written: Sequence[Path], failure: Problem, root: Path, run: str
) -> tuple[list[Path], list[Problem]]:
    """What :func:`_write_group` returns after a failure: the members written before are brought back."""
    kept: list[Path] = []
    problems = [failure]
    for change in group:
        if change.path == failure.path:
            continue
        stuck = change.path in written and _write(change.path, change.new, change.old, root, run)
        if stuck:
            kept.append(change.path)
            message = f"was written and could not be brought back (`alchemod undo` does): it {stuck.message}"
        else:
            message = f"was left as it was: its change set also needs {failure.path}, which could not be written"
        problems.append(Problem(change.path, None, "write", message))
    return kept, problems


def _write(path: Path, expected: bytes, new: bytes, root: Path, run: str) -> Problem | None:
    try:
        write_atomically(path, new, expected, root, tag=run)
    except WriteError as error:
        return error.problem(path)
    return None
