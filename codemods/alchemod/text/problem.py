"""What went wrong with a file: a row of the run's report, and the errors that become one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

ProblemKind = Literal["read", "decode", "syntax", "write", "config"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that could not be read, decoded, parsed or written.

    ``message`` is one sentence without the path; ``line`` counts from 1.
    """

    path: Path
    line: int | None
    kind: ProblemKind
    message: str


class FileError(Exception):
    """A file cannot be dealt with. ``message`` is one sentence without the path; ``line`` counts from 1."""

    kind: ClassVar[ProblemKind] = "read"

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line

    def problem(self, path: Path) -> Problem:
        """The row for the file at ``path``."""
        return Problem(path, self.line, self.kind, self.message)


def reason(error: OSError) -> str:
    """What the operating system says, in lower case and without error number and path."""
    text = error.strerror or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
