"""Standard output and error: UTF-8, quiet about a closed pipe, coloured on a terminal only."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from alchemod.review.outcome import Outcome


class OutputError(Exception):
    """Standard output cannot be written; the message is the system's reason."""


def replace_missing_streams() -> None:
    """Give the process streams that take everything where it was started with closed ones (`>&-`)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def use_utf8() -> None:
    """Write UTF-8 whatever the locale says; what is no text is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal that understands more than plain text."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO) -> bool:
    """Whether colour is wanted: on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def say(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Write lines, by default to standard output."""
    _write(stream or sys.stdout, "".join(f"{line}\n" for line in lines))


def complain(sentence: str) -> None:
    """Write one sentence to the error output."""
    say([f"alchemod: {sentence}"], sys.stderr)


def show(text: str) -> None:
    """Write text to standard output as it is."""
    _write(sys.stdout, text)


def show_bytes(content: bytes) -> None:
    """Write bytes to standard output as they are."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        _give_up(sys.stdout, error)


def show_diff(outcome: Outcome) -> None:
    """Write the diffs of a run to standard output: the bytes that `git apply` takes, or, on a terminal, in colour."""
    if not has_colour(sys.stdout):
        show_bytes(b"".join(outcome.diffs().values()))
        return
    from alchemod_cli.colour import show_coloured

    for diff in outcome.text_diffs().values():
        show_coloured(diff)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        _give_up(stream, error)


def _give_up(stream: TextIO, error: OSError) -> None:
    """What is still written goes nowhere. Where nobody reads on, the run ends as it would have; else raises
    OutputError, unless the error output itself is in trouble."""
    _hang_up(stream)
    if not isinstance(error, BrokenPipeError) and stream is sys.stdout:
        raise OutputError(error.strerror or type(error).__name__) from None


def _hang_up(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, stream.fileno())
        os.close(sink)
