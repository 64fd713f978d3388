"""The import contracts of `pyproject.toml` hold, and they would notice if they did not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The packages and the contracts, in a folder of their own."""
    for name in ("codemods", "cli"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(folder / name) for name in ("codemods", "cli"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_contracts_hold(copy: Path) -> None:
    result = lint_imports(copy)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("codemods/alchemod/settings/options.py", "import alchemod.runs"),
        ("codemods/alchemod/engine/find.py", "import alchemod.rules"),
        ("codemods/alchemod/engine/find.py", "import alchemod_cli"),
        ("codemods/alchemod/facts/project.py", "import libcst"),
        ("codemods/alchemod/rules/querying/static_sql_statement.py", "import sqlglot"),
    ],
)
def test_an_import_from_a_higher_floor_is_noticed(copy: Path, file: str, line: str) -> None:
    path = copy / file
    path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout


def test_a_room_without_a_floor_is_noticed(copy: Path) -> None:
    room = copy / "codemods" / "alchemod" / "attic"
    room.mkdir()
    (room / "__init__.py").touch()
    result = lint_imports(copy)
    assert result.returncode == 1
    assert "attic" in result.stdout
