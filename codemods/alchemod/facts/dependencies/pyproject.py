"""TOML files that declare dependencies: pyproject.toml (PEP 621 and 735, Poetry, PDM, uv, Flit), Pipfile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from alchemod.facts.dependencies.reading import Reading, line_of, line_of_key
from alchemod.facts.dependencies.requirement import Kind, kind_of_group

Follow: TypeAlias = Callable[[Path, Kind], None]
"""Reads a requirement file that another file points to."""


def read_pyproject(reading: Reading, path: Path, follow: Follow) -> None:
    """Add what pyproject.toml requires: dependencies, extras and groups. Build requirements are left out."""
    text = reading.text(path)
    document = _parsed(reading, path, text)
    project = _table(document, "project")
    tools = _table(document, "tool")
    poetry, flit, uv = _table(tools, "poetry"), _table(tools, "flit", "metadata"), _table(tools, "uv")

    def add(requirement: str, kind: Kind) -> None:
        quoted = (f'"{requirement}"', f"'{requirement}'")
        reading.add(requirement, kind, path, line_of(text, *quoted, requirement))

    for requirement in _strings(project.get("dependencies")):
        add(requirement, Kind.MAIN)
    for requirement in _strings(flit.get("requires")):
        add(requirement, Kind.MAIN)
    for requirement in _strings(uv.get("constraint-dependencies")):
        add(requirement, Kind.CONSTRAINT)
    for requirement in _strings(uv.get("dev-dependencies")):
        add(requirement, Kind.DEVELOPMENT)
    for extras in (_table(project, "optional-dependencies"), _table(flit, "requires-extra")):
        for extra, requirements in extras.items():
            for requirement in _strings(requirements):
                add(requirement, kind_of_group(extra))
    for groups in (_table(document, "dependency-groups"), _table(tools, "pdm", "dev-dependencies")):
        for requirements in groups.values():
            for requirement in _strings(requirements):
                add(requirement, Kind.DEVELOPMENT)

    _read_table(reading, path, text, _table(poetry, "dependencies"), Kind.MAIN)
    _read_table(reading, path, text, _table(poetry, "dev-dependencies"), Kind.DEVELOPMENT)
    for group in _table(poetry, "group"):
        _read_table(reading, path, text, _table(poetry, "group", group, "dependencies"), Kind.DEVELOPMENT)
    dynamic = _table(tools, "setuptools", "dynamic")
    for file in _files(_table(dynamic, "dependencies").get("file")):
        follow(path.parent / file, Kind.MAIN)
    for extra in _table(dynamic, "optional-dependencies"):
        for file in _files(_table(dynamic, "optional-dependencies", extra).get("file")):
            follow(path.parent / file, kind_of_group(extra))
    for file in _files(_table(tools, "hatch", "metadata", "hooks", "requirements_txt").get("files")):
        follow(path.parent / file, Kind.MAIN)


def read_pipfile(reading: Reading, path: Path) -> None:
    """Add what a Pipfile requires."""
    text = reading.text(path)
    document = _parsed(reading, path, text)
    _read_table(reading, path, text, _table(document, "packages"), Kind.MAIN)
    _read_table(reading, path, text, _table(document, "dev-packages"), Kind.DEVELOPMENT)


def _parsed(reading: Reading, path: Path, text: str) -> Mapping[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reading.problem(path, None, "syntax", f"is not valid TOML ({error}); its dependencies are ignored")
        return {}


def _table(document: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    current: object = document
    for key in keys:
        current = current.get(key) if isinstance(current, dict) else None
    return current if isinstance(current, dict) else {}


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _files(value: object) -> Iterator[str]:
    yield from [value] if isinstance(value, str) else _strings(value)


def _read_table(reading: Reading, path: Path, text: str, table: Mapping[str, object], kind: Kind) -> None:
    """Add the requirements of a table: name = version, { version = ..., markers = ... } or a list of such."""
    for name, value in table.items():
        line = line_of_key(text, name)
        for variant in value if isinstance(value, list) else [value]:
            if isinstance(variant, str):
                reading.add(f"{name} {variant}", kind, path, line)
            elif isinstance(variant, dict):
                version = variant.get("version", "")
                marker = variant.get("markers") or (f"python {variant['python']}" if "python" in variant else "")
                optional = Kind.EXTRA if variant.get("optional") is True and kind is Kind.MAIN else kind
                reading.add(f"{name} {version}" + (f"; {marker}" if marker else ""), optional, path, line)
