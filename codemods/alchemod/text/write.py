"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from alchemod.text.problem import FileError, reason

_TEMPORARY = ".alchemod-"


class WriteError(FileError):
    """The file was not written and is as it was."""

    kind = "write"


def write_atomically(
    path: Path, new: bytes, expected: bytes, root: Path | None = None, tag: str = "write"
) -> None:
    """The file at ``path`` holds ``new`` afterwards; on any failure it is as it was and nothing is left over.

    Its mode, and its owner where the system lets us, are kept. When ``path`` is a link, the file it leads to
    is written, if that lies inside ``root``. ``tag`` is part of the name of the temporary file, which only a
    kill leaves behind: see :func:`sweep`. Raises WriteError when the file no longer holds ``expected``, is
    read-only, has several names (hard links), lies outside ``root``, or the system refuses.
    """
    target = target_of(path, root)
    temporary = os.path.join(os.path.dirname(target), f"{_TEMPORARY}{tag}-{secrets.token_hex(4)}.tmp")
    try:
        try:
            _create(temporary, new, os.stat(target))
            _check_unchanged(target, expected)
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
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
        raise WriteError(
            f"has {status.st_nlink} names (hard links), which a write would part, and was left alone"
        )
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


def write_synced(fd: int, data: bytes) -> None:
    """Write all of ``data`` to an open file, and to the disk below it. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.fsync(fd)


def _create(temporary: str, data: bytes, like: os.stat_result) -> None:
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        write_synced(fd, data)
        if hasattr(os, "fchown") and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
            with suppress(PermissionError):
                os.fchown(fd, like.st_uid, like.st_gid)
    finally:
        os.close(fd)
    os.chmod(temporary, stat.S_IMODE(like.st_mode))


def _check_unchanged(target: str, expected: bytes) -> None:
    with open(target, "rb") as file:
        if file.read() != expected:
            raise WriteError("has changed since it was read and was left alone")


def _is_inside(target: str, root: Path | None) -> bool:
    return root is not None and Path(target).is_relative_to(os.path.realpath(root))
