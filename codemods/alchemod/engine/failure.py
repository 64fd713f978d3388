"""What went wrong in a run: a row of its report, never the end of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alchemod.text.problem import ProblemKind

FailureKind = Literal[ProblemKind, "rule", "render"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One row. `message` is one sentence without the path; `line` counts from 1; `trace` is shown with --debug only.

    `path` is None for what concerns no single file; `rule` is the code of the rule that failed.
    """

    path: Path | None
    line: int | None
    rule: str | None
    kind: FailureKind
    message: str
    trace: str | None = None

    @property
    def order(self) -> tuple[str, int, str, str]:
        """The key by which failures are sorted for people."""
        return str(self.path or ""), self.line or 0, self.rule or "", self.message
