"""The requirement of SQLAlchemy raised in dependency files as projects write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.facts.dependencies.bump import bump
from alchemod.facts.versions import Step


def bumped(root: Path, name: str, text: str, goal: Step = "2.0", *, asyncio: bool = False) -> str:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode())
    found = bump(root, goal, asyncio=asyncio)
    return found.contents[root / name][1].decode() if found.contents else text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SQLAlchemy", "SQLAlchemy>=2.0,<2.1"),
        ("sqlalchemy==1.3.24", "sqlalchemy==2.0.*"),
        ("SQLAlchemy >= 1.3, < 2.0  # old", "SQLAlchemy >=2.0, <2.1  # old"),
        ("SQLAlchemy[asyncio]~=1.4.2 ; python_version < '4'", "SQLAlchemy[asyncio]~=2.0.0 ; python_version < '4'"),
        ("sqlalchemy-utils==0.37\nsqlalchemy<2\n", "sqlalchemy-utils==0.37\nsqlalchemy>=2.0,<2.1\n"),
        ("six\r\nSQLAlchemy<1.4\r\n", "six\r\nSQLAlchemy>=2.0,<2.1\r\n"),
        ("sqlalchemy>=2.0.10,<3\n", "sqlalchemy>=2.0.10,<3\n"),
    ],
)
def test_requirement_lines(tmp_path: Path, old: str, new: str) -> None:
    assert bumped(tmp_path, "requirements.txt", old) == new


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "p"\ndependencies = [\n  "flask",\n  "SQLAlchemy>=1.4", # db\n]\n',
            '[project]\nname = "p"\ndependencies = [\n  "flask",\n  "SQLAlchemy>=2.0,<2.1", # db\n]\n',
        ),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\npython = "^3.9"\nsqlalchemy = "^1.4.46"\n',
            '[tool.poetry.dependencies]\npython = "^3.9"\nsqlalchemy = "~2.0"\n',
        ),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\nSQLAlchemy = {version = ">=1.4,<2.0", extras = ["asyncio"]}\n',
            '[tool.poetry.dependencies]\nSQLAlchemy = {version = ">=2.0,<2.1", extras = ["asyncio"]}\n',
        ),
        (
            "setup.cfg",
            "[options]\ninstall_requires =\n    flask\n    sqlalchemy>=1.3\n",
            "[options]\ninstall_requires =\n    flask\n    sqlalchemy>=2.0,<2.1\n",
        ),
        (
            "setup.py",
            "from setuptools import setup\nsetup(install_requires=['six', 'SQLAlchemy>=1.2,<1.4'])\n",
            "from setuptools import setup\nsetup(install_requires=['six', 'SQLAlchemy>=2.0,<2.1'])\n",
        ),
    ],
)
def test_other_files(tmp_path: Path, name: str, old: str, new: str) -> None:
    assert bumped(tmp_path, name, old) == new


def test_the_extra_that_brings_greenlet(tmp_path: Path) -> None:
    assert bumped(tmp_path, "requirements.txt", "sqlalchemy>=2.0\n", "2.1", asyncio=True) == (
        "sqlalchemy[asyncio]>=2.1,<2.2\n"
    )


def test_lock_files_and_hashes_are_left_to_their_tools(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sqlalchemy==1.4.46 \\\n    --hash=sha256:00\n")
    (tmp_path / "poetry.lock").write_text('[[package]]\nname = "sqlalchemy"\nversion = "1.4.46"\n')
    found = bump(tmp_path, "2.0")
    assert not found.contents
    assert sorted(found.by_hand) == [
        "poetry.lock: lock SQLAlchemy anew with the tool that wrote this file",
        "requirements.txt: compile it anew, its lines carry hashes",
    ]


def test_a_project_without_dependency_files(tmp_path: Path) -> None:
    found = bump(tmp_path, "2.0")
    assert (found.contents, found.raised, found.by_hand) == ({}, (), ())
