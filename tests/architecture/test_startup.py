"""What a start imports: heavy modules only when the work needs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import alchemod
import alchemod_cli


def imported_by(folder: Path, *arguments: str) -> set[str]:
    """Every module that `python -m alchemod ARGUMENTS` imports, as `-X importtime` lists them."""
    sources = (Path(package.__file__).parents[1] for package in (alchemod, alchemod_cli) if package.__file__)
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "alchemod", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources))},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:"))
    return set(rows)


def packages(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_the_version_is_printed_without_the_command_line_framework(tmp_path: Path) -> None:
    modules = imported_by(tmp_path, "--version")
    assert "alchemod" in modules
    assert not packages(modules) & {"typer", "click", "pydantic", "libcst", "rich", "sqlalchemy", "sqlglot"}


@pytest.mark.parametrize("command", ["check", "diff"])
def test_an_empty_folder_is_checked_without_heavy_modules(tmp_path: Path, command: str) -> None:
    modules = imported_by(tmp_path, command, str(tmp_path))
    assert "alchemod_cli" in packages(modules)
    assert not packages(modules) & {"pydantic", "libcst", "rich", "sqlalchemy", "sqlglot"}


def test_code_without_findings_is_checked_without_libcst(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(
        "from sqlalchemy import Column, Integer\nfrom sqlalchemy.orm import declarative_base\n\n"
        "Base = declarative_base()\n\n\nclass Book(Base):\n    __tablename__ = 'book'\n"
        "    id = Column(Integer, primary_key=True)\n"
    )
    assert "libcst" not in packages(imported_by(tmp_path, "check", str(tmp_path)))
