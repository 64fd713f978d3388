"""Requirement files of pip: requirements.txt and what it includes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from alchemod.facts.dependencies.reading import Reading
from alchemod.facts.dependencies.requirement import Kind, kind_of_group

_MAIN_WORDS = {
    *("requirements", "requirement", "requires", "reqs", "req", "deps", "dependencies"),
    *(
        "base",
        "main",
        "core",
        "common",
        "default",
        "all",
        "install",
        "runtime",
        "prod",
        "production",
        "deploy",
    ),
    *("app", "api", "backend", "server", "web"),
}
_FILE_NAME = re.compile(r"(?:.*[-_.])?requirements?(?:[-_.].*)?\.(?:txt|in)", re.IGNORECASE)
_FOLDERS = frozenset({"requirements", "requirement", "requires", "reqs", "req", "deps", "dependencies"})
_INCLUDE = re.compile(r"(?:-r|--requirement)(?:\s+|=)?(?P<include>.+)|(?:-c|--constraint)(?:\s+|=)?(?P<constraint>.+)")


def requirement_files(root: Path, entries: list[str]) -> Iterator[tuple[Path, Kind]]:
    """Yield the requirement files among the `entries` of the folder `root`, with the kind their names tell.

    `requirements/prod.txt` is main, `requirements-dev.txt` is for development, and a name that says neither
    (`requirements-mysql.txt`) counts as extra: it does not narrow what the main files allow.
    """
    for entry in entries:
        if _FILE_NAME.fullmatch(entry):
            yield root / entry, _kind(entry)
        elif entry.lower() in _FOLDERS and os.path.isdir(root / entry):
            for name in sorted(_listed(root / entry)):
                if name.endswith((".txt", ".in")):
                    yield root / entry / name, _kind(name)


def read_requirement_file(reading: Reading, path: Path, kind: Kind, seen: set[Path]) -> None:
    """Add what the file and its includes require; leave out the files in `seen`, add those read to it."""
    pending = [(path, kind)]
    while pending:
        current, kind = pending.pop()
        try:
            resolved = current.resolve()
        except (OSError, RuntimeError, ValueError):
            continue
        if resolved in seen:
            continue
        seen.add(resolved)
        for number, line in _logical_lines(reading.text(current)):
            included = _INCLUDE.match(line)
            if included is None:
                if not line.startswith("-"):
                    reading.add(line, kind, current, number)
                continue
            target = (included["include"] or included["constraint"]).strip().strip("\"'")
            if "://" not in target:
                pending.append((current.parent / target, Kind.CONSTRAINT if included["constraint"] else kind))


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _kind(file_name: str) -> Kind:
    stem = file_name.rsplit(".", 1)[0]
    kind = kind_of_group(stem)
    if kind is Kind.EXTRA and _MAIN_WORDS.issuperset(filter(None, re.split(r"[^a-z0-9]+", stem.lower()))):
        return Kind.MAIN
    return kind


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    first, joined = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        first = first or number
        if line.endswith("\\"):
            joined += line[:-1]
            continue
        content = re.sub(r"(^|\s)#.*", "", joined + line).strip()
        if content:
            yield first, content
        first, joined = 0, ""
