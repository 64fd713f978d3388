"""What a rule is: one module, one class, one code."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from alchemod.engine.finding import Answer, Finding, Level, Proposal, judged

if TYPE_CHECKING:
    from alchemod.edits.verbs import Verb
    from alchemod.facts.project import Project

HEADINGS = ("What it does", "Why", "Example", "Use instead", "Fix safety", "References")
"""The headings of a rule's docstring, in order."""


class Rule:
    """Finds one thing on `ast`, and proposes edits.

    A rule has methods `find_<NodeClass>(self, node, ctx)` that yield findings. Which nodes they get is decided by
    `names`, the identifiers the rule asks for: `find_Call` gets the calls whose last name (`f` in `f()` and `a.f()`) is
    one of them, `find_Attribute` the attributes and `find_Name` the names so called; a method for any other class gets
    the nodes on whose lines one of the names occurs as a word. A method that serves several classes gets several names:
    `find_AsyncFor = find_For`.

    The name of a rule is that of its module, with hyphens. Its docstring has the headings of `HEADINGS`.
    """

    code: ClassVar[str]
    names: ClassVar[tuple[str, ...]] = ()
    tokens: ClassVar[tuple[str, ...]] = ()
    """Texts of which a file must hold one for the rule to find anything in it; none: every file will do."""
    min_version: ClassVar[str] = "1.4"
    """The SQLAlchemy version that the fixed code needs."""
    on: ClassVar[bool] = True
    """Whether the rule is part of the default run; for a MIG rule: whether `migrate` runs it unasked."""
    since: ClassVar[str] = ""
    """For a MIG rule: the lowest `migrate --to` that runs it. It also runs for the versions above."""
    level: ClassVar[Level] = "warning"
    after: ClassVar[tuple[str, ...]] = ()
    """Codes of the rules that change a site first when both want it."""
    yields_to: ClassVar[tuple[str, ...]] = ()
    """Codes of the rules that, when they run and want a site, keep this one away from it."""

    @property
    def name(self) -> str:
        """The name of the rule: that of its module, with hyphens."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")

    def names_from(self, project: Project) -> Iterable[str]:
        """Further identifiers to dispatch on, which the facts of the project supply (factories, relationships)."""
        return ()

    def fix(
        self,
        node: ast.AST,
        message: str,
        *verbs: Verb,
        given: Sequence[Answer] = (),
        unsafe: str | None = None,
        elsewhere: Sequence[tuple[Path, Verb]] = (),
        min_version: str | None = None,
        level: Level | None = None,
    ) -> Finding:
        """A finding at `node` with the edits that remove it.

        `given` are the answers the fix rests on, the one about the receiver first; the fix is safe only if all are
        proved. `unsafe` is a reason why it is not safe here all the same. `elsewhere` holds edits in other files.
        `min_version` is the SQLAlchemy version these edits need, where it is not that of the rule.
        """
        safety, certainty, why, missing = judged(given, unsafe)
        if safety == "report":
            return self.report(node, message, missing=missing, given=given)
        return Finding(
            self.code, self.name, _said(message, missing), level or self.level, safety, certainty, why, missing,
            min_version=min_version or self.min_version, node=node, proposal=Proposal(verbs, elsewhere),
        )  # fmt: skip

    def report(
        self,
        node: ast.AST,
        message: str,
        *,
        missing: str | None = None,
        given: Sequence[Answer] = (),
        level: Level | None = None,
    ) -> Finding:
        """A finding at `node` without a fix; `missing` names the fact that keeps the rule from offering one."""
        _, certainty, why, weak = judged(given, None)
        missing = missing or weak
        return Finding(
            self.code, self.name, _said(message, missing), level or self.level, "report", certainty, why, missing,
            node=node,
        )  # fmt: skip


def _said(message: str, missing: str | None) -> str:
    return f"{message}: {missing}" if missing else message
