"""Locks on files, by which a run that goes on is told from one that was killed.

The system lets go of a lock when its process ends, however it ends. Windows has no such lock: there a run
that goes on looks like one that was killed.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

HAS_LOCKS = sys.platform != "win32"

if sys.platform == "win32":

    def lock(fd: int) -> None:
        """Nothing: there is no such lock."""

    def is_locked(file: Path) -> bool:
        """False: there is no such lock."""
        return False

else:
    import fcntl

    def lock(fd: int) -> None:
        """Lock an open file until it is closed. A file system without locks is none the worse."""
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_locked(file: Path) -> bool:
        """Whether a process holds the lock on a file."""
        try:
            fd = os.open(file, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(fd)
        return False
