"""Revision files of Alembic: history that rules on application code leave alone.

See Alembic's documentation, "Tutorial", sections "The Migration Environment" and "Editing the .ini File".
"""

from __future__ import annotations

import ast
import configparser
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_DEFAULT_FOLDERS = (("migrations", "versions"), ("alembic", "versions"))
_TEMPLATE = "script.py.mako"
"""`alembic init` puts this file into every migration environment."""


class ScriptLocations:
    """The migration environments of the project in `root`, and what counts as a revision file.

    A folder is an environment if alembic.ini (in the root or in a folder of it) or `[tool.alembic]` of
    pyproject.toml names it, or if it holds the template of revisions, or `env.py` beside `versions`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._configured = frozenset(_configured(root))
        self._is_environment = cache(self._looks_like_environment)
        self._is_inside = cache(self._lies_inside)

    def covers(self, path: Path) -> bool:
        """Tell whether a file lies in a migration environment."""
        return self._is_inside(path.parent)

    def _lies_inside(self, folder: Path) -> bool:
        if any(folder.parts[-2:] == default for default in _DEFAULT_FOLDERS):
            return True
        inside = [folder, *folder.parents]
        within = inside[: inside.index(self._root)] if self._root in inside else inside[:1]
        return any(self._is_environment(above) for above in within)

    def is_revision(self, tree: ast.Module, path: Path) -> bool:
        """Tell whether a file is a revision: it declares one, or lies in a migration environment."""
        return self.covers(path) or declares_revision(tree)

    def _looks_like_environment(self, folder: Path) -> bool:
        return (
            folder in self._configured
            or os.path.isfile(folder / _TEMPLATE)
            or (os.path.isdir(folder / "versions") and os.path.isfile(folder / "env.py"))
        )


def may_declare_revision(source: bytes) -> bool:
    """Tell whether `declares_revision` is worth asking."""
    return b"down_revision" in source


def declares_revision(tree: ast.Module) -> bool:
    """Tell whether a module assigns `revision` and `down_revision` and imports `alembic.op`, however spelled."""
    assigned = set[str]()
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=targets):
                for target in targets:
                    parts = target.elts if isinstance(target, ast.Tuple) else [target]
                    assigned.update(part.id for part in parts if isinstance(part, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                assigned.add(name)
    return {"revision", "down_revision"} <= assigned and any(map(_imports_operations, ast.walk(tree)))


def _imports_operations(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module="alembic", names=names, level=0):
            return any(alias.name in ("op", "*") for alias in names)
        case ast.ImportFrom(module="alembic.op", level=0):
            return True
        case ast.Import(names=names):
            return any(alias.name in ("alembic", "alembic.op") for alias in names)
    return False


def _configured(root: Path) -> Iterator[Path]:
    """Yield the folders that configuration names; the root and folders above it do not count.

    A script location without `env.py` counts only by its folder `versions`: it may be the whole application.
    """
    for file, script_location, version_locations in (*_from_ini_files(root), *_from_pyproject(root)):
        for folder in _folders(root, file, [script_location]):
            yield folder if os.path.isfile(folder / "env.py") else folder / "versions"
        yield from _folders(root, file, version_locations)


def _folders(root: Path, file: Path, locations: list[str]) -> Iterator[Path]:
    for location in filter(None, locations):
        location = location.replace("%(here)s", str(file.parent))
        package, colon, path = location.partition(":")
        if colon and not path.startswith(("/", "\\")):
            location = package.replace(".", "/") + "/" + path
        for base in (file.parent, root, root / "src"):
            folder = Path(os.path.normpath(base / location))
            if root in folder.parents and os.path.isdir(folder):
                yield folder


def _from_ini_files(root: Path) -> Iterator[tuple[Path, str, list[str]]]:
    for file in sorted([*root.glob("alembic*.ini"), *root.glob("*/alembic.ini")]):
        config = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            config.read_string(file.read_text(encoding="utf-8", errors="replace"))
        except (OSError, configparser.Error):
            continue
        for section in config.values():
            yield file, *_locations(section.get("script_location"), section.get("version_locations"))


def _from_pyproject(root: Path) -> Iterator[tuple[Path, str, list[str]]]:
    file = root / "pyproject.toml"
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if "tool.alembic" not in text:
        return
    import tomllib

    try:
        alembic = tomllib.loads(text).get("tool", {}).get("alembic", {})
    except (tomllib.TOMLDecodeError, RecursionError, AttributeError):
        return
    if isinstance(alembic, dict):
        yield file, *_locations(alembic.get("script_location"), alembic.get("version_locations"))


def _locations(script_location: object, version_locations: object) -> tuple[str, list[str]]:
    """Return the folders that the two settings name; version locations may be one text or a list."""
    script = script_location.strip() if isinstance(script_location, str) else ""
    if isinstance(version_locations, str):
        return script, re.split(rf"[\s,;{re.escape(os.pathsep)}]+", version_locations.strip())
    versions = version_locations if isinstance(version_locations, list) else []
    return script, [version for version in versions if isinstance(version, str)]
