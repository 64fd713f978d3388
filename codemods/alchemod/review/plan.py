"""A migration told to people: where the project stands, the plan, what is left to do by hand, how to check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final, TypeAlias

from alchemod.engine.finding import Finding
from alchemod.facts.dependencies.bump import Bump, summarised
from alchemod.facts.standing import Standing
from alchemod.review.outcome import Outcome
from alchemod.settings.options import Goal

Opcode: TypeAlias = tuple[str, int, int, int, int]
_SHOWN: Final = 5
"""How many places of a rule the plan names; the checklist names all."""
CHECKLIST: Final = "alchemod-migration.md"
"""The file that holds what is left to do by hand."""
_TEST_COMMANDS: Final = (("noxfile.py", "nox"), ("tox.ini", "tox"), ("manage.py", "python manage.py test"))


@dataclass(frozen=True, slots=True)
class Plan:
    """The migration of one project to `goal`.

    `standing` is where it starts. `outcome` holds the findings and all changes, those of the dependency files included;
    `bump` is None when these were not asked for. `companions` are requirements that the goal does not go with.
    """

    goal: Goal
    standing: Standing
    outcome: Outcome
    bump: Bump | None
    companions: Sequence[str] = ()

    @property
    def review(self) -> list[Finding]:
        """The findings whose fixes are not made: they wait for `--unsafe-fixes`, or were left out as a whole."""
        return [one for one in self.outcome.findings if one.fixable and one.fingerprint not in self.outcome.fixed]

    @property
    def by_hand(self) -> list[Finding]:
        """The findings that have no fix."""
        return [one for one in self.outcome.findings if not one.fixable]

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """The plan: where the project stands, what changes by rule, what needs review, what stays by hand."""
        yield f"Migration to SQLAlchemy {self.goal}. {self._stands()}"
        yield from self._by_rule()
        yield from self._requirements()
        yield from _placed("To be reviewed (--unsafe-fixes makes these changes too):", self.review, verbose)
        yield from _placed("Left to do by hand:", self.by_hand, verbose)
        if not self.outcome.findings and self.bump is None and not self.companions:
            yield "Nothing is left to migrate."

    def ending(self) -> Iterator[str]:
        """How to check the result."""
        yield f"Check with: {self._check()}"

    def checklist(self, *, written: bool = False) -> str:
        """The hand work as a Markdown list; an empty list says so.

        `written` says that the changes are on disk by now, so that lines are those of the changed files.
        """
        shifts = _shifts(self.outcome) if written else {}
        text = [f"# Migration to SQLAlchemy {self.goal}: what is left to do", ""]
        text += ["Written by `alchemod migrate`; run it again to bring this list up to date.", ""]
        lines = [*self.companions, *(self.bump.by_hand if self.bump is not None else ())]
        if lines:
            text += ["## Dependency files", "", *(f"- [ ] {line}" for line in lines), ""]
        for title, findings in (("By hand", self.by_hand), ("To be reviewed", self.review)):
            for (code, name), found in _grouped(findings).items():
                text += [f"## {title}: {code} {name}", ""]
                text += [f"- [ ] `{one.path}:{_moved(one.line, shifts.get(one.path))}` {one.message}" for one in found]
                text.append("")
        if len(text) == 4:
            text += ["Nothing.", ""]
        return "\n".join([*text, "## Check", "", f"- [ ] `{self._check()}`", ""])

    def _stands(self) -> str:
        told = [f"The project is at {self.standing.declared} ({self.standing.declared.source})"]
        if self.standing.future:
            path, line = self.standing.future[0]
            more = f" and {len(self.standing.future) - 1} more" if len(self.standing.future) > 1 else ""
            told.append(f"2.0 behaviour is switched on at {self.outcome.displayed(path)}:{line}{more}")
        if self.standing.new_mappings:
            told.append(f"{self.standing.new_mappings} file(s) use mappings of 2.0 already")
        return "; ".join(told) + "."

    def _by_rule(self) -> Iterator[str]:
        fixed = self.outcome.fixed
        for (code, name), found in _grouped(self.outcome.findings).items():
            kinds = Counter(
                "changed" if one.fingerprint in fixed else "to be reviewed" if one.fixable else "by hand"
                for one in found
            )
            counts = ", ".join(
                f"{kinds[kind]} {kind}" for kind in ("changed", "to be reviewed", "by hand") if kinds[kind]
            )
            yield f"  {code} {name}: {counts}"

    def _requirements(self) -> Iterator[str]:
        if self.bump is not None:
            yield from (f"  {line}" for line in (*summarised(self.bump.raised), *self.bump.by_hand))
        yield from (f"  {line}" for line in self.companions)

    def _check(self) -> str:
        warn = "SQLALCHEMY_WARN_20=1 " if self.goal == "1.4" else ""
        return f"{warn}{_test_command(self.outcome.root)}"


def _shifts(outcome: Outcome) -> Mapping[str, Sequence[Opcode]]:
    """How the lines of each changed file move, by its path as findings show it."""
    found: dict[str, Sequence[Opcode]] = {}
    for path, change in outcome.changes.items():
        old, new = change.old.text.splitlines(), change.new.text.splitlines()
        found[outcome.displayed(path)] = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return found


def _moved(line: int, opcodes: Sequence[Opcode] | None) -> int:
    """Where a line of the old file is in the new one; for one that is changed, where the change begins."""
    for tag, start, end, new_start, new_end in opcodes or ():
        if start < line <= end:
            return new_start + line - start if tag == "equal" else min(new_start + line - start, max(new_end, 1))
    return line


def _test_command(root: Path) -> str:
    """The command that runs the tests of a project, as far as its files tell."""
    for name, command in _TEST_COMMANDS:
        if (root / name).is_file():
            return command
    return "python -W always::DeprecationWarning -m pytest"


def _grouped(findings: Iterable[Finding]) -> Mapping[tuple[str, str], list[Finding]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda one: (one.code, one.order)):
        groups.setdefault((finding.code, finding.name), []).append(finding)
    return groups


def _placed(title: str, findings: Sequence[Finding], verbose: bool) -> Iterator[str]:
    if not findings:
        return
    yield title
    for (code, _), found in _grouped(findings).items():
        shown = found if verbose else found[:_SHOWN]
        for one in shown:
            yield f"  {one.path}:{one.line}: {code} {one.message}"
        if left := len(found) - len(shown):
            yield f"  ... and {left} more of {code} (-v names them, --checklist writes them down)"
