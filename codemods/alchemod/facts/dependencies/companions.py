"""What else the dependency files have to ask for, where SQLAlchemy is raised: packages built on it, Python itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alchemod.facts.dependencies.implied import IMPLYING, implied_versions, working_versions
from alchemod.facts.dependencies.project import Dependencies
from alchemod.facts.dependencies.requirement import Kind
from alchemod.facts.versions import Step, VersionRange, parse_specifiers

_PYTHONS: Final = {"2.1": "3.11"}
"""The lowest Python by SQLAlchemy, from the metadata of the wheels."""
_FILES: Final = ("pyproject.toml", "setup.cfg")
_ASKED: Final = re.compile(
    r"^[ \t]*(requires-python|python_requires|python)[ \t]*=[ \t]*[\"']?([^\"'\n#]+)", re.MULTILINE
)

_POETRY: Final = "tool.poetry.dependencies"
_SECTION: Final = re.compile(r"^[ \t]*\[([^\[\]\n]+)\]", re.MULTILINE)


def companions(root: Path, goal: Step) -> Iterator[str]:
    """One line for each requirement of the project at `root` that SQLAlchemy `goal` does not go with."""
    dependencies = Dependencies(root)
    asked = VersionRange.exactly(goal, "").versions
    for package in IMPLYING:
        for row in dependencies.declaring(package):
            if row.kind in {Kind.LOCK, Kind.METADATA} or implied_versions(package, row.versions) & asked:
                continue
            wanted = working_versions(package, goal)
            yield f"{row.place}: {package}{row.specifiers} does not go with SQLAlchemy {goal}, ask for {wanted}"
    if goal in _PYTHONS:
        yield from _pythons(root, goal)


def _pythons(root: Path, goal: Step) -> Iterator[str]:
    """Where a Python below the floor is allowed."""
    floor = parse_specifiers(f">={_PYTHONS[goal]}")
    for name in _FILES:
        try:
            text = (root / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        for found in _ASKED.finditer(text):
            try:
                asked = parse_specifiers(found[2].strip())
            except ValueError:
                continue
            is_meant = found[1] != "python" or _section(text, found.start()) == _POETRY
            if is_meant and asked.lower is not None and floor.lower is not None and asked.lower < floor.lower:
                line = text.count("\n", 0, found.start(1)) + 1
                yield f"{name}:{line}: {found[1]} allows Python below {_PYTHONS[goal]}, which SQLAlchemy {goal} needs"


def _section(text: str, at: int) -> str:
    """The name of the section of a configuration file that a place belongs to."""
    return next((found[1].strip() for found in reversed(list(_SECTION.finditer(text, 0, at)))), "")
