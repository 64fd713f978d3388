"""A finding: what a rule says about one place, and how sure it is of the fix that it offers."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from alchemod.edits.verbs import Verb

Safety = Literal["safe", "unsafe", "report"]
Certainty = Literal["proved", "inferred"]
Level = Literal["error", "warning", "note"]


class Answer(Protocol):
    """What inference says about an expression, as far as the safety of a fix is concerned."""

    @property
    def certainty(self) -> str:
        """`proved`, `inferred` or `unknown`."""

    @property
    def why(self) -> tuple[str, ...]:
        """The steps that led to the answer, for people."""

    @property
    def missing(self) -> str | None:
        """The fact that would turn the answer into a proved one; None when it is proved."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The edits that a rule proposes for one finding: one change set.

    `elsewhere` pairs a file with an edit in it, where that file is not the one of the finding.
    """

    edits: Sequence[Verb]
    elsewhere: Sequence[tuple[Path, Verb]] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. A rule fills the first block; the engine gives it its place.

    Lines and columns count from 1, columns in characters. `fingerprint` stays the same while lines move: it is a hash
    of code, path, enclosing qualified name, normalised statement and ordinal. `change_set` names the edits that are
    applied together, None when the finding offers no fix.
    """

    code: str
    name: str
    message: str
    level: Level
    safety: Safety
    certainty: Certainty
    why: tuple[str, ...] = ()
    missing: str | None = None

    path: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    scope: str = ""
    change_set: str | None = None
    fingerprint: str = ""
    min_version: str = ""
    """The SQLAlchemy version that the fixed code needs; "" for a report."""
    needs: str | None = None
    """The SQLAlchemy version that the fix needs, where the project allows an older one."""

    node: ast.AST | None = field(default=None, repr=False, compare=False)
    """The node the rule pointed at; None once the finding has left the pass that found it."""
    proposal: Proposal | None = field(default=None, repr=False, compare=False)

    @property
    def fixable(self) -> bool:
        """Whether the finding offers a fix."""
        return self.safety != "report"

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """The key by which findings are sorted for people."""
        return self.path, self.line, self.column, self.code, self.message


def judged(answers: Sequence[Answer], unsafe: str | None) -> tuple[Safety, Certainty, tuple[str, ...], str | None]:
    """Safety, certainty, reasons and missing fact of a fix that rests on `answers`.

    The first answer is the one about the receiver: its certainty is the finding's. A fix is safe when every answer is
    proved and the rule gives no reason against it; an answer that is neither proved nor inferred leaves a report.
    """
    why = tuple(dict.fromkeys(step for answer in answers for step in answer.why))
    certainty: Certainty = "inferred" if answers and answers[0].certainty != "proved" else "proved"
    weak = [answer for answer in answers if answer.certainty != "proved"]
    unknown = [answer for answer in weak if answer.certainty != "inferred"]
    missing = next((answer.missing for answer in (*unknown, *weak) if answer.missing), None)
    if unknown:
        return "report", certainty, why, missing or unsafe or "a fact that the fix rests on is unknown"
    if weak:
        return "unsafe", certainty, why, missing or unsafe or "a fact that the fix rests on is inferred, not proved"
    return ("unsafe" if unsafe else "safe"), certainty, why, unsafe
