"""Lock files (poetry.lock, pdm.lock, uv.lock, pylock.toml, Pipfile.lock) and conda's environment.yml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from alchemod.facts.dependencies.reading import Reading, line_of
from alchemod.facts.dependencies.requirement import Kind

_PACKAGE = re.compile(
    r"^\[\[packages?\]\]\n(?:(?!\[)[^\n]*\n)*?"
    r"name = \"(?P<name>[\w.-]+)\"\n(?:(?!\[)[^\n]*\n)*?version = \"(?P<version>[^\"]+)\"",
    re.MULTILINE,
)


def read_lock(reading: Reading, path: Path) -> None:
    """Add the versions that a TOML lock file chose. A package may be locked in several versions."""
    text = reading.text(path)
    counted, line = 0, 1
    for package in _PACKAGE.finditer(text):
        line += text.count("\n", counted, package.start("name"))
        counted = package.start("name")
        reading.add(f"{package['name']}=={package['version']}", Kind.LOCK, path, line)


def read_pipfile_lock(reading: Reading, path: Path) -> None:
    """Add the versions that Pipfile.lock chose."""
    text = reading.text(path)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        reading.problem(path, None, "syntax", "is not valid JSON; its versions are ignored")
        return
    for section in ("default", "develop"):
        packages = document.get(section) if isinstance(document, dict) else None
        for name, locked in packages.items() if isinstance(packages, dict) else ():
            version = locked.get("version") if isinstance(locked, dict) else None
            if isinstance(version, str):
                reading.add(f"{name}{version}", Kind.LOCK, path, line_of(text, f'"{name}": {{'))


def read_environment(reading: Reading, path: Path) -> None:
    """Add what a conda environment file requires, its `pip:` list too; only the plain block style is read."""
    for number, item in _listed(reading.text(path)):
        if not item.endswith(":"):
            reading.add(item, Kind.MAIN, path, number)


def _listed(text: str) -> Iterator[tuple[int, str]]:
    """Yield line numbers and items of the `dependencies:` list, nested lists included."""
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        content = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if content and not content[0].isspace() and not content.startswith("-"):
            inside = content == "dependencies:"
        item = re.fullmatch(r"\s*-\s+(.+)", content)
        if inside and item:
            yield number, item[1].strip("\"'")
