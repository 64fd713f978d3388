"""A requirement: one line of a dependency file that names a package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from alchemod.facts.versions import ANY, VersionSet, parse_specifiers


class Kind(IntEnum):
    """What a requirement is for. Smaller kinds say more about the versions that the project's code meets."""

    MAIN = 0
    """Always installed with the project."""
    EXTRA = 1
    """Installed on request: extras, requirement files for one purpose."""
    METADATA = 2
    """Metadata of a source distribution, written when it was built."""
    DEVELOPMENT = 3
    """For tests, documentation and development only."""
    CONSTRAINT = 4
    """Narrows a version without asking for the package."""
    LOCK = 5
    """The exact version that a lock file chose."""


@dataclass(frozen=True)
class Requirement:
    """A package named by a dependency file: normalised name (PEP 503), specifiers and marker as written.

    `path` is relative to the project root with `/`; `line` counts from 1.
    """

    name: str
    specifiers: str
    marker: str
    kind: Kind
    path: str
    line: int

    @cached_property
    def versions(self) -> VersionSet:
        """The versions allowed; all of them if the specifiers cannot be read."""
        try:
            return parse_specifiers(self.specifiers)
        except ValueError:
            return ANY

    @property
    def place(self) -> str:
        """`file:line`, for messages."""
        return f"{self.path}:{self.line}"


_REQUIREMENT = re.compile(
    r"\s*(?:[\w.-]+::)?(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?P<rest>.*)",
    re.DOTALL,
)
_EGG = re.compile(r"#(?:.*&)?egg=(?P<name>[\w.-]+)")
_DEVELOPMENT_WORDS = {
    *(
        "dev",
        "devel",
        "develop",
        "development",
        "local",
        "tool",
        "tools",
        "build",
        "release",
        "ci",
        "tox",
        "nox",
    ),
    *("test", "tests", "testing", "bench", "benchmark", "benchmarks", "example", "examples"),
    *("doc", "docs", "documentation", "lint", "linting", "linters", "style", "format", "quality"),
    *("type", "types", "typing", "mypy"),
}


def normalised(name: str) -> str:
    """Return the package name as PEP 503 compares it: `Flask_SQLAlchemy` is `flask-sqlalchemy`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def split_requirement(text: str) -> tuple[str, str, str] | None:
    """Return name, specifiers and marker of a requirement as in PEP 508; None if `text` names no package.

    A requirement by URL has no specifiers.
    """
    text = re.split(r"(?:^|\s)--?[a-z]", text, maxsplit=1)[0]
    if re.match(r"\s*[\w+]+://", text):
        egg = _EGG.search(text)
        return (normalised(egg["name"]), "", "") if egg else None
    requirement, _, marker = text.partition(";")
    parts = _REQUIREMENT.fullmatch(requirement)
    if parts is None:
        return None
    rest = parts["rest"].strip()
    return normalised(parts["name"]), "" if rest.startswith("@") else rest, marker.strip()


def kind_of_group(name: str) -> Kind:
    """Return the kind of an extra or a dependency group by its name: `docs` is for development."""
    words = re.split(r"[^a-z]+", name.lower())
    return Kind.DEVELOPMENT if _DEVELOPMENT_WORDS.intersection(words) else Kind.EXTRA
