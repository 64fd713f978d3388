"""House rules checked module by module: what is imported, names, lengths, cases per rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "codemods" / "alchemod"
MODULES = sorted(path for name in ("codemods", "cli") for path in (ROOT / name).rglob("*.py"))
RULES = sorted(path for path in LIBRARY.glob("rules/*/*.py") if not path.name.startswith("_"))

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "manager", "tools"}
LONGEST_MODULE = 400  # lines
GENERATED = LIBRARY / "rules" / "_index.py"
"""As long as there are rules: `scripts/index_rules.py` writes it, nobody reads it."""
FOREIGN = ("sqlalchemy", "libcst.matchers", "libcst.metadata")
"""The analysis reads code that uses SQLAlchemy and never imports it; the two parts of LibCST are too slow."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_are_modules_and_rules() -> None:
    assert len(MODULES) > 20
    assert len(RULES) >= 3


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_banned_imports(path: Path) -> None:
    foreign = tuple(f"{module}." for module in FOREIGN)
    assert not [module for module in imported(path) if f"{module}.".startswith(foreign)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_names_say_something_and_modules_stay_short(path: Path) -> None:
    assert path.stem not in VAGUE_NAMES
    assert path == GENERATED or len(path.read_bytes().splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", RULES, ids=name)
def test_every_rule_has_cases_that_change_and_cases_that_must_not(path: Path) -> None:
    folder = ROOT / "fixtures" / path.relative_to(LIBRARY).with_suffix("")
    cases = [case.name for case in folder.iterdir()] if folder.is_dir() else []
    assert any(case.startswith("keep_") for case in cases)
    assert any(not case.startswith(("keep_", "_")) for case in cases)
