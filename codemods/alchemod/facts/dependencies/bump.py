"""Raising the SQLAlchemy that a project asks for, in its dependency files, their format kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alchemod.facts.dependencies.project import Dependencies
from alchemod.facts.dependencies.requirement import Kind, Requirement
from alchemod.facts.versions import Step, parse_specifiers

_NEXT: Final[Mapping[Step, str]] = {"1.4": "2.0", "2.0": "2.1", "2.1": "2.2"}
_NAME: Final = re.compile(r"(?<![\w.-])sqlalchemy(?![.-]*\w)", re.IGNORECASE)
_AFTER_NAME: Final = re.compile(r"[ \t]*(\[[^\]\n]*\])?[ \t]*")
_HASHES: Final = re.compile(r"--hash")
_WINDOW: Final = 400
"""How far behind the line of a requirement its version is looked for, in characters."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A requirement of SQLAlchemy that asks for another version: where it stands, what it says now and then."""

    place: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bump:
    """What raising the requirement changes: old and new bytes by file, each requirement, and what is left to do."""

    contents: Mapping[Path, tuple[bytes, bytes]]
    raised: tuple[Raised, ...]
    by_hand: tuple[str, ...]


def bump(root: Path, goal: Step, *, asyncio: bool = False) -> Bump:
    """Let the dependency files of the project at `root` ask for SQLAlchemy `goal`; nothing is written.

    Requirements that ask for the goal already stay. Lock files, and files whose lines carry hashes, are for the tool
    that wrote them. With `asyncio`, a requirement gets the extra of that name: from SQLAlchemy 2.1 on, greenlet is only
    installed with it ("What's New in SQLAlchemy 2.1").
    """
    rows = [row for row in Dependencies(root).declaring("sqlalchemy") if row.kind is not Kind.METADATA]
    contents: dict[Path, tuple[bytes, bytes]] = {}
    raised: list[Raised] = []
    by_hand: list[str] = []
    for path in dict.fromkeys(row.path for row in rows):
        own = [row for row in rows if row.path == path]
        if any(row.kind is Kind.LOCK for row in own):
            by_hand.append(f"{path}: lock SQLAlchemy anew with the tool that wrote this file")
            continue
        try:
            old = (root / path).read_bytes()
            text = old.decode("utf-8")
        except (OSError, UnicodeDecodeError):
            by_hand.append(f"{path}: cannot be read as UTF-8: ask for SQLAlchemy {goal} there")
            continue
        if _HASHES.search(text):
            by_hand.append(f"{path}: compile it anew, its lines carry hashes")
            continue
        new, changed, left = _raised(text, own, goal, asyncio)
        raised += changed
        by_hand += left
        if new != text:
            contents[root / path] = (old, new.encode())
    return Bump(contents, tuple(raised), tuple(by_hand))


def _raised(text: str, rows: Iterable[Requirement], goal: Step, asyncio: bool) -> tuple[str, list[Raised], list[str]]:
    raised: list[Raised] = []
    by_hand: list[str] = []
    for row in sorted(rows, key=lambda row: -row.line):  # from the end, so that places stay
        specifiers = _specifiers(row.specifiers, goal)
        found = _place(text, row)
        if found is None:
            if specifiers != row.specifiers:
                by_hand.append(f"{row.place}: ask for SQLAlchemy {specifiers} here")
            continue
        name_end, extras, start, end = found
        extra = "[asyncio]" if asyncio and not extras and _is_requirement(text, name_end, start) else ""
        if specifiers == row.specifiers and not extra:
            continue
        raised.append(Raised(row.place, f"{extras}{row.specifiers}", f"{extras or extra}{specifiers}"))
        text = text[:name_end] + extra + text[name_end:start] + specifiers + text[end:]
    return text, raised[::-1], by_hand[::-1]


def _place(text: str, row: Requirement) -> tuple[int, str, int, int] | None:
    """The end of the name, the extras, and the span of the specifiers, of a requirement in the text of its file."""
    lines = text.splitlines(keepends=True)
    begin = sum(map(len, lines[: row.line - 1]))
    name = _NAME.search(text, begin, begin + _WINDOW)
    if name is None:
        return None
    after = _AFTER_NAME.match(text, name.end())
    assert after is not None
    if not row.specifiers:
        at = after.end(1) if after[1] else name.end()
        return name.end(), after[1] or "", at, at
    start = text.find(row.specifiers, after.end(), begin + _WINDOW)
    return (name.end(), after[1] or "", start, start + len(row.specifiers)) if start >= 0 else None


def _is_requirement(text: str, name_end: int, start: int) -> bool:
    """Whether name and version stand in one text (PEP 508), not in key and value of a table."""
    return not text[name_end:start].strip()


def _specifiers(old: str, goal: Step) -> str:
    """The specifiers for the series of the goal, in the manner of the old ones; the old ones if they ask for it."""
    if _asks_for(old, goal):
        return old
    if re.fullmatch(r"===?\s*[\w.*]+", old):
        return f"=={goal}.*"
    if re.fullmatch(r"~=\s*[\w.]+", old):
        return f"~={goal}.0"
    if re.fullmatch(r"[\^~]\s*[\w.]+", old):
        return f"~{goal}"
    comma = ", " if re.search(r",\s", old) else ","
    return f">={goal}{comma}<{_NEXT[goal]}"


def _asks_for(specifiers: str, goal: Step) -> bool:
    try:
        versions = parse_specifiers(specifiers)
    except ValueError:
        return False
    series = parse_specifiers(f">={goal},<{_NEXT[goal]}")
    return bool(versions & series) and (versions.lower or ()) >= (series.lower or ())


def summarised(raised: Sequence[Raised]) -> list[str]:
    """One line for each raised requirement."""
    return [f"{one.place}: SQLAlchemy{one.old or ' (any version)'} becomes SQLAlchemy{one.new}" for one in raised]
