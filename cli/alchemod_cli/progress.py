"""A progress bar on the error output, if that is a terminal and the run takes long enough to be noticed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alchemod_cli.output import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from alchemod.engine.fixpoint import Progress

_PATIENCE = 0.5
"""Seconds before a bar appears."""


class _LateBar:
    """Shows itself once the run has taken a while."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._bar: Bar | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._begin < _PATIENCE:
                return
            self._bar = self._started(total)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def _started(self, total: int) -> Bar:
        from rich.console import Console
        from rich.progress import Progress

        bar = Progress(console=Console(stderr=True), transient=True)
        bar.add_task("Analysing", total=total)
        bar.start()
        return bar

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress(wanted: bool) -> Iterator[Progress | None]:
    """A function to report progress to, None where nobody would see it."""
    if not wanted or not is_terminal(sys.stderr):
        yield None
        return
    bar = _LateBar()
    try:
        yield bar
    finally:
        bar.stop()
