"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from alchemod.text.problem import FileError, reason

_TEMPORARY = ".alchemod-"


class WriteError(FileError):
    """The file was not written and is as it was."""

    kind = "write"


def write_atomically(path: Path, new: bytes, expected: bytes, root: Path | None = None, tag: str = "write") -> None:
    """The file at ``path`` holds ``new`` afterwards; on any failure it is as it was and nothing is left over.

    Its mode, and its owner where the system lets us, are kept. When ``path`` is a link, the file it leads to
    is written, if that lies inside ``root``. ``tag`` is part of the name of the temporary file, which only a
    kill leaves behind: see :func:`sweep`. Raises WriteError when the file no longer holds ``expected``, is
    read-only, has several names (hard links), lies outside ``root``, or the system refuses.
    """
    target = target_of(path, root)
    temporary = os.path.join(os.path.dirname(target), f"{_TEMPORARY}{tag}-{os.urandom(4).hex()}.tmp")
    try:
        try:
            status = os.stat(target)
            create_synced(temporary, new, owner=(status.st_uid, status.st_gid))
            os.chmod(temporary, stat.S_IMODE(status.st_mode))
            _check_unchanged(target, expected)
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise WriteError(f"cannot be written: {reason(error)}") from None


def write_or_create(path: Path, new: bytes) -> None:
    """The file at ``path`` holds ``new`` afterwards, whether it was there or not. Raises WriteError."""
    try:
        if path.exists():
            write_atomically(path, new, path.read_bytes(), path.parent)
        else:
            create_synced(path, new, mode=0o666)
    except OSError as error:
        raise WriteError(f"cannot be written: {reason(error)}") from None


def target_of(path: Path, root: Path | None) -> str:
    """The regular file that a write to ``path`` replaces, as an absolute text without links.

    Raises WriteError when it must not or cannot be replaced.
    """
    try:
        target = os.path.realpath(path, strict=True)
        status = os.stat(target)
    except OSError as error:
        raise WriteError(f"cannot be written: {reason(error)}") from None
    if os.path.islink(path) and not _is_inside(target, root):
        raise WriteError(f"is a link to {target}, outside the project, and was left alone")
    if not stat.S_ISREG(status.st_mode):
        raise WriteError("is not a regular file and was left alone")
    if status.st_nlink > 1:
        raise WriteError(f"has {status.st_nlink} names (hard links), which a write would part, and was left alone")
    if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise WriteError("is read-only and was left alone")
    return target


def sweep(folder: Path, tag: str) -> None:
    """Remove the temporary files that a killed write with this ``tag`` left in ``folder``."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(f"{_TEMPORARY}{tag}-") and name.endswith(".tmp"):
                with suppress(OSError):
                    os.unlink(folder / name)


def create_synced(file: Path | str, data: bytes, owner: tuple[int, int] | None = None, *, mode: int = 0o600) -> None:
    """A new file whose content is on the disk, by default for the user alone. Raises OSError, also if it exists.

    ``owner`` is a user and a group, which get the file where the system lets us give it away. Of ``mode`` the user's
    mask takes its part.
    """
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
        if sys.platform != "win32" and owner not in (None, (os.geteuid(), os.getegid())):
            with suppress(PermissionError):
                os.fchown(fd, *owner)
    finally:
        os.close(fd)


def _check_unchanged(target: str, expected: bytes) -> None:
    with open(target, "rb") as file:
        if file.read() != expected:
            raise WriteError("has changed since it was read and was left alone: run again")


def _is_inside(target: str, root: Path | None) -> bool:
    return root is not None and Path(target).is_relative_to(os.path.realpath(root))
