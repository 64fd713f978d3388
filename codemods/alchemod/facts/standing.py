"""Where a project stands on the way from one SQLAlchemy to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alchemod.facts.project import Project
from alchemod.facts.versions import VersionRange

_FUTURE: Final = re.compile(rb"\bfuture\s*=\s*True\b|\bsqlalchemy\.future\b")
_ASYNCIO: Final = b"sqlalchemy.ext.asyncio"
_WRITTEN_FOR_2: Final = re.compile(rb"\b(?:DeclarativeBase|mapped_column|MappedAsDataclass)\b")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told by the dependency files, and by what the files of the project mention.

    `future` are the places (file, line) that switch on 2.0 behaviour under 1.4, `new_mappings` how many files use names
    that came with 2.0, `asyncio` whether the asynchronous extension is used.
    """

    declared: VersionRange
    future: tuple[tuple[Path, int], ...]
    new_mappings: int
    asyncio: bool


def standing(project: Project) -> Standing:
    """Where `project` stands."""
    texts = [(path, project.source(path).utf8) for path in project.paths if path in project]
    return Standing(
        declared=project.declared,
        future=tuple(place for path, text in texts for place in _places(path, text)),
        new_mappings=sum(bool(_WRITTEN_FOR_2.search(text)) for _, text in texts),
        asyncio=any(_ASYNCIO in text for _, text in texts),
    )


def _places(path: Path, text: bytes) -> Iterator[tuple[Path, int]]:
    if b"sqlalchemy" in text:
        for found in _FUTURE.finditer(text):
            yield path, text.count(b"\n", 0, found.start()) + 1
