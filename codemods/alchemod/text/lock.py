"""Locks on files, by which a run that goes on is told from one that was killed.

The system lets go of a lock when its process ends, however it ends. Windows has no such lock: there a run
that goes on looks like one that was killed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":

    def lock(file: Path) -> int | None:
        """None: there is no such lock."""
        return None

    def is_locked(file: Path) -> bool:
        """False: there is no such lock."""
        return False

else:
    import fcntl

    def lock(file: Path) -> int | None:
        """Lock a file until the returned descriptor is closed. None where the file system has no locks."""
        try:
            fd = os.open(file, os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException as error:
            os.close(fd)
            if isinstance(error, OSError):
                return None
            raise
        return fd

    def is_locked(file: Path) -> bool:
        """Whether a process holds the lock on a file."""
        try:
            with open(file, "rb") as opened:
                fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False
