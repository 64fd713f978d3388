"""The record of a run: what each file held before, kept in the user's state folder, outside the sources.

A record is one file: a line of JSON that lists the files of the run, then the old contents, compressed, one
after the other. The suffix of its name tells how far the run came: ``.open`` (it goes on or was killed),
``.done`` or ``.undone``; a ``.tmp`` is a record that was never complete. While a run goes on, it holds a lock
on its record (not on Windows).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alchemod.text.lock import lock
from alchemod.text.problem import reason
from alchemod.text.write import create_synced

KEPT_RUNS = 20
"""How many runs of a project are kept."""

_ABANDONED_AFTER = 3600
"""Age in seconds from which an incomplete record is nobody's work in progress."""

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_LONGEST_NAME = 200
"""Length from which the name of a project's folder is cut, in characters."""

_STATES = (".open", ".done", ".undone")


class JournalError(Exception):
    """The journal cannot be written or read. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Change:
    """The file at ``path`` holds ``old`` and is to hold ``new``.

    Changes with the same ``group`` are written together or not at all; None stands alone.
    """

    path: Path
    old: bytes
    new: bytes
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a record.

    The hashes are SHA-256; ``start`` and ``end`` span its old content, compressed, in the body of the record.
    """

    path: Path
    old_hash: str
    new_hash: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Record:
    """A run as its record tells it."""

    run: str
    file: Path
    root: Path
    entries: tuple[Entry, ...]
    body: int

    @property
    def state(self) -> str:
        """``"open"``, ``"done"`` or ``"undone"``."""
        return self.file.suffix[1:]

    def old(self, entry: Entry) -> bytes:
        """What a file held before the run. Raises JournalError when the record is damaged."""
        import zlib

        try:
            with open(self.file, "rb") as file:
                file.seek(self.body + entry.start)
                content = zlib.decompress(file.read(entry.end - entry.start))
        except (OSError, zlib.error):
            content = b""
        if digest(content) != entry.old_hash:
            raise JournalError(f"the record {self.file} is damaged")
        return content


class OpenRecord:
    """The record of a run that goes on; it is on the disk, complete, before the first file is touched."""

    def __init__(self, root: Path, changes: Sequence[Change]) -> None:
        """Write the record. Raises JournalError when that fails."""
        from datetime import UTC, datetime

        self.run = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        self._root = root
        self._changes = changes
        self._folder = _runs_folder(root)
        self._file = self._folder / f"{self.run}.open"
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            _store(self._file, root, changes)
        except OSError as error:
            raise JournalError(
                f"the journal cannot be written to {self._folder}: {reason(error)}; "
                "set ALCHEMOD_STATE to a folder that can be written"
            ) from None
        self._fd = lock(self._file)

    def finish(self, written: Container[Path]) -> None:
        """The run has come to its end: keep the files that were written, nothing if there is none.

        Should the system refuse, the run is taken for one that was killed, which is harmless.
        """
        kept = [change for change in self._changes if change.path in written]
        done = self._file.with_suffix(".done")
        with suppress(OSError):
            if len(kept) == len(self._changes):
                os.replace(self._file, done)
            else:
                if kept:
                    _store(done, self._root, kept)
                os.unlink(self._file)
            _prune(self._folder)

    def close(self) -> None:
        """Let go of the record, in whatever state it is."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def record_files(root: Path) -> list[Path]:
    """The records of a project, the newest first; of one run that has several, the one that came furthest."""
    return _record_files(_runs_folder(root))


def record_files_anywhere() -> list[Path]:
    """The records of all projects."""
    try:
        projects = sorted(os.listdir(_state_folder() / "runs"))
    except OSError:
        return []
    return [file for project in projects for file in _record_files(_state_folder() / "runs" / project)]


def load_record(file: Path) -> Record:
    """Read a record. Raises JournalError when it cannot be read."""
    import json

    try:
        with open(file, "rb") as lines:
            header = lines.readline()
        content: dict[str, Any] = json.loads(header)
        root = Path(content["root"])
        entries = tuple(
            Entry(root / row["path"], row["old"], row["new"], row["start"], row["end"]) for row in content["files"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise JournalError(f"the record {file} cannot be read") from None
    return Record(file.stem, file, root, entries, len(header))


def mark_undone(record: Record) -> None:
    """The files of the run are as they were before it. Should the system refuse, it can be undone again."""
    with suppress(OSError):
        os.replace(record.file, record.file.with_suffix(".undone"))


def digest(content: bytes) -> str:
    """The SHA-256 of a content, in hexadecimal."""
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _store(file: Path, root: Path, changes: Sequence[Change]) -> None:
    temporary = file.with_suffix(".tmp")
    try:
        create_synced(temporary, _encoded(root, changes))
        os.replace(temporary, file)
        _sync(file.parent)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _encoded(root: Path, changes: Sequence[Change]) -> bytes:
    import json
    import zlib

    home, pieces, rows, end = os.path.abspath(root), [], [], 0
    for change in changes:
        piece = zlib.compress(change.old, 1)
        path = os.path.abspath(change.path)
        if path.startswith(home + os.sep):
            path = path[len(home) + 1 :]
        start, end = end, end + len(piece)
        hashes = {"old": digest(change.old), "new": digest(change.new)}
        rows.append({"path": path, **hashes, "start": start, "end": end, "group": change.group})
        pieces.append(piece)
    header = {"version": 1, "root": home, "files": rows}
    return b"".join((json.dumps(header).encode(), b"\n", *pieces))


def _runs_folder(root: Path) -> Path:
    """Where the records of a project are: a folder named after its path."""
    home = os.fsencode(os.path.realpath(root))
    letters = (chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in home.lstrip(b"/"))
    name = "".join(letters) or "%2f"
    if len(name) > _LONGEST_NAME:
        name = name[-_LONGEST_NAME:] + digest(home)[:12]
    return _state_folder() / "runs" / name


def _state_folder() -> Path:
    if named := os.environ.get("ALCHEMOD_STATE"):
        return Path(os.path.abspath(named))
    if sys.platform == "win32":
        above = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    else:
        above = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    if not os.path.isabs(above):
        raise JournalError("there is no state folder for the journal: set ALCHEMOD_STATE to a folder for it")
    return Path(above, "alchemod")


def _record_files(folder: Path) -> list[Path]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    files = [folder / name for name in names if name.endswith(_STATES)]
    files.sort(key=lambda file: (file.stem, _STATES.index(file.suffix)))
    furthest = {file.stem: file for file in files}
    return list(furthest.values())[::-1]


def _prune(folder: Path) -> None:
    """Forget the oldest runs, and what was left of records that never were complete."""
    for file in _record_files(folder)[KEPT_RUNS:]:
        if file.suffix != ".open":
            os.unlink(file)
    for file in folder.glob("*.tmp"):
        if os.stat(file).st_mtime < time.time() - _ABANDONED_AFTER:
            os.unlink(file)


def _sync(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system knows how to. Windows does so itself."""
    if sys.platform != "win32":
        with suppress(OSError):
            fd = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
