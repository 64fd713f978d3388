"""Versions: their order (PEP 440), the specifiers of pip, Poetry and conda, the range a project allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

Step: TypeAlias = Literal["1.3", "1.4", "2.0", "2.1"]
"""A series of SQLAlchemy whose behaviour alchemod knows."""

STEPS: tuple[Step, ...] = ("1.3", "1.4", "2.0", "2.1")

_Key: TypeAlias = tuple[tuple[int, ...], int, int]
_Point: TypeAlias = tuple[_Key, int]
"""A place between versions: 0 is just before the version of the key, 1 just after it."""

_STAGES = {"dev": -4, "a": -3, "b": -2, "rc": -1, "": 0, "post": 1}
_SPELLINGS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "rev": "post", "r": "post"}
_BOTTOM: _Point = (((), -9, 0), 0)
_TOP: _Point = (((10**9,), 0, 0), 0)

_VERSION = re.compile(
    r"v?(?:\d+!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[._-]?(?P<stage>alpha|beta|preview|post|pre|dev|rev|rc|a|b|c|r)[._-]?(?P<number>\d*))?"
    r"(?:[._-]?(?:post|dev)\d*)?(?:\+[\w.]+)?",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    rf"\s*(?P<operator>===|==|~=|!=|<=|>=|<|>|=|\^|~)?\s*"
    rf"(?:(?P<any>\*)|(?P<version>{_VERSION.pattern})(?P<wildcard>\.\*)?(?P<build>=[\w*.]+)?)\s*,?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class VersionSet:
    """A set of versions as disjoint intervals, lowest first."""

    intervals: tuple[tuple[_Point, _Point], ...] = ((_BOTTOM, _TOP),)

    def __and__(self, other: VersionSet) -> VersionSet:
        """Return the versions in both sets."""
        pairs = ((max(a, c), min(b, d)) for a, b in self.intervals for c, d in other.intervals)
        return VersionSet(tuple(sorted((low, high) for low, high in pairs if low < high)))

    def __or__(self, other: VersionSet) -> VersionSet:
        """Return the versions in either set."""
        merged: list[tuple[_Point, _Point]] = []
        for low, high in sorted(self.intervals + other.intervals):
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return VersionSet(tuple(merged))

    def __bool__(self) -> bool:
        """Tell whether any version is in the set."""
        return bool(self.intervals)

    @property
    def lower(self) -> tuple[int, ...] | None:
        """The release numbers of the lower bound (an exclusive bound too); None if there is none."""
        if not self.intervals or self.intervals[0][0] == _BOTTOM:
            return None
        return self.intervals[0][0][0][0]

    @property
    def pinned(self) -> str | None:
        """The one version in the set, as text without trailing zeros; None if there may be several."""
        match self.intervals:
            case (((low, 0), (high, 1)),) if low == high:
                return ".".join(map(str, low[0]))
        return None


ANY = VersionSet()
NONE = VersionSet(())


@dataclass(frozen=True)
class VersionRange:
    """The versions of SQLAlchemy (or, by `package_range`, of another package) that a project allows.

    `source` says in words which line sets the lowest version; `assumed` is true where no file says anything.
    `lowest`, `highest` and `includes` speak of SQLAlchemy only: older ones count as 1.3, newer ones as 2.1.
    """

    versions: VersionSet
    source: str
    assumed: bool = False

    @classmethod
    def exactly(cls, step: str, source: str = "--target", assumed: bool = False) -> VersionRange:
        """Return the range of one series of SQLAlchemy, from its first release on: `exactly("1.4")`.

        Raises ValueError for a step that is not in STEPS.
        """
        for known in STEPS:
            if known == step:
                versions = _series(known) & _between((_key(step), 0), _TOP)
                return cls(versions, f"{source} {step}" if source == "--target" else source, assumed)
        raise ValueError(f"SQLAlchemy {step} is not one of {', '.join(STEPS)}")

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The series in the range, lowest first, never empty; pre-releases count if all else is ruled out."""
        released = tuple(step for step in STEPS if self.versions & _series(step))
        return released or tuple(step for step in STEPS if self.versions & _series(step, from_stage="dev")) or STEPS

    @property
    def lowest(self) -> Step:
        """The oldest series in the range: it decides what a fix may write."""
        return self.steps[0]

    @property
    def highest(self) -> Step:
        """The newest series in the range."""
        return self.steps[-1]

    @property
    def exact_lowest(self) -> tuple[int, ...]:
        """The release numbers of the lower bound, without trailing zeros: (1, 4, 24); () if there is none."""
        return self.versions.lower or ()

    def migrated(self, goal: Step) -> VersionRange:
        """The range that code must run on once it is migrated from this range to `goal`.

        To 1.4 is the first of two steps: the code then runs on 1.4 and on 2.0. A lower bound within the series of the
        goal stays ("1.4.46 and later").
        """
        newest = STEPS[STEPS.index(goal) + 1] if goal == "1.4" else goal
        window = _between((_key(goal), 0), _TOP) & (_series(goal) | _series(newest))
        lower = _between((_stripped_key(self.exact_lowest), 0), _TOP)
        return VersionRange(window & lower or window, f"--to {goal}")

    def allows(self, minimum: str) -> bool:
        """Tell whether every version in the range is at least `minimum` ("1.4", "1.4.24").

        A pre-release of `minimum` counts as `minimum`.
        """
        return self.exact_lowest >= parse_release(minimum)

    def includes(self, step: str) -> bool:
        """Tell whether some version of the series `step` is in the range."""
        return step in self.steps

    def __str__(self) -> str:
        """Return the range in words: "1.3 to 1.4"."""
        return self.lowest if self.lowest == self.highest else f"{self.lowest} to {self.highest}"


def parse_release(version: str) -> tuple[int, ...]:
    """Return the release numbers of a version without trailing zeros; raises ValueError if it is none."""
    return _key(version)[0]


def parse_specifiers(text: str) -> VersionSet:
    """Return the versions that `text` allows.

    Takes PEP 440 specifiers (`>=1.4,<2`, `~=1.4.2`, `==1.4.*`), Poetry's (`^1.4`, `~1.4`, `>=1.3 <2 || ^2.1`)
    and conda's (`=1.4`, `=1.4.49=py311_0`). Empty text and `*` allow all. Raises ValueError if the
    text is none of these.
    """
    alternatives = [part for part in re.split(r"\|\|?", text) if part.strip()] or [""]
    allowed = NONE
    for alternative in alternatives:
        allowed |= _conjunction(alternative.strip().strip("()"))
    return allowed


def _conjunction(text: str) -> VersionSet:
    allowed, position = ANY, 0
    while position < len(text.rstrip()):
        clause = _CLAUSE.match(text, position)
        if clause is None:
            raise ValueError(f"{text!r} is not a version specifier")
        if not clause["any"]:
            allowed &= _clause(clause["operator"] or "", clause["version"], bool(clause["wildcard"]))
        position = clause.end()
    return allowed


def _clause(operator: str, version: str, wildcard: bool) -> VersionSet:
    key, release = _key(version), _release(version)
    before, after = (key, 0), (key, 1)
    match operator:
        case ">=":
            return _between(before, _TOP)
        case ">":
            return _between((_key(version, "post", 10**9) if key[1] == 0 else key, 1), _TOP)
        case "<=":
            return _between(_BOTTOM, after)
        case "<":
            return _between(_BOTTOM, (_key(version, "dev") if key[1] == 0 else key, 0))
        case "!=":
            low, high = _prefix(release).intervals[0] if wildcard else (before, after)
            return _between(_BOTTOM, low) | _between(high, _TOP)
        case "~=":
            return _between(before, _TOP) & _prefix(release[:-1] or release)
        case "^":
            kept = next((place for place, number in enumerate(release) if number), len(release) - 1)
            return _between(before, _TOP) & _prefix(release[: kept + 1])
        case "~":
            return _between(before, _TOP) & _prefix(release[:2])
        case _ if wildcard or operator == "=":
            return _prefix(release)
    return _between(before, after)


def _stripped_key(release: tuple[int, ...]) -> _Key:
    return _stripped(release), 0, 0


def _between(low: _Point, high: _Point) -> VersionSet:
    return VersionSet(((low, high),)) if low < high else NONE


def _prefix(release: tuple[int, ...]) -> VersionSet:
    following = (*release[:-1], release[-1] + 1)
    return _between(((_stripped(release), _STAGES["dev"], 0), 0), ((_stripped(following), _STAGES["dev"], 0), 0))


def _series(step: Step, from_stage: str = "") -> VersionSet:
    series = _prefix(_release(step)) & _between((_key(step, from_stage), 0), _TOP)
    if step == STEPS[0]:
        return series | _between(_BOTTOM, (_key(step, from_stage), 0))
    return series | _between((_key(step, from_stage), 0), _TOP) if step == STEPS[-1] else series


def _key(version: str, stage: str | None = None, number: int = 0) -> _Key:
    parts = _VERSION.fullmatch(version.strip())
    if parts is None:
        raise ValueError(f"{version!r} is not a version")
    if stage is None:
        written = (parts["stage"] or "").lower()
        stage, number = _SPELLINGS.get(written, written), int(parts["number"] or 0)
    return _stripped(_release(version)), _STAGES[stage], number


def _release(version: str) -> tuple[int, ...]:
    parts = _VERSION.match(version.strip())
    return tuple(map(int, parts["release"].split("."))) if parts else ()


def _stripped(release: tuple[int, ...]) -> tuple[int, ...]:
    while release and release[-1] == 0:
        release = release[:-1]
    return release
