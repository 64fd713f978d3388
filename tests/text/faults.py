"""Failing or dying at a chosen step: every call to the system by which a file is written is a step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

STEPS = ("makedirs", "open", "write", "fsync", "fchown", "chmod", "close", "replace", "unlink")
"""What the modules under test call on ``os`` when they write."""

Fault = Callable[[], None]


@dataclass
class Counter:
    """How many steps were made."""

    steps: int = 0


def disk_full() -> None:
    raise OSError(28, "No space left on device")


def interrupted() -> None:
    raise KeyboardInterrupt


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def fault(at: int, happens: Fault, after: bool = False, names: tuple[str, ...] = STEPS) -> Iterator[Counter]:
    """``happens`` comes before, or right ``after``, the step number ``at`` (from 1; 0: never)."""
    counter = Counter()

    def stepping(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            counter.steps += 1
            hit = counter.steps == at
            if hit and not after:
                happens()
            result = real(*args, **kwargs)
            if hit and after:
                happens()
            return result

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, stepping(getattr(os, name)))
        yield counter


@contextmanager
def full_from(at: int) -> Iterator[None]:
    """From the step number ``at`` on nothing can be written any more: the disk is full, and stays so."""
    counter = Counter()

    def refusing(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            counter.steps += 1
            if counter.steps >= at:
                disk_full()
            return real(*args, **kwargs)

        return step

    with pytest.MonkeyPatch.context() as patch:
        for name in ("write", "fsync", "makedirs"):
            patch.setattr(os, name, refusing(getattr(os, name)))
        yield
