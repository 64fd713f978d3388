"""What the dependency files ask for besides SQLAlchemy, when SQLAlchemy is raised."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.facts.dependencies.companions import companions
from alchemod.facts.versions import Step
from alchemod.runs.migrate import migrate
from alchemod.settings.options import Settings


@pytest.mark.parametrize(
    ("line", "goal", "wanted"),
    [
        ("flask-sqlalchemy==2.5.1", "2.0", "flask-sqlalchemy>=3"),
        ("flask-sqlalchemy<3", "2.1", "flask-sqlalchemy>=3"),
        ("sqlmodel==0.0.8", "2.0", "sqlmodel>=0.0.14"),
        ("Flask-SQLAlchemy>=2.4", "2.0", ""),
        ("Flask-SQLAlchemy==2.5.1", "1.4", ""),
        ("Flask-SQLAlchemy==3.0.5", "2.0", ""),
    ],
)
def test_packages_that_do_not_go_with_the_goal_are_named(tmp_path: Path, line: str, goal: Step, wanted: str) -> None:
    (tmp_path / "req").mkdir()
    (tmp_path / "req" / "base.txt").write_text(f"SQLAlchemy==1.4.50\n{line}\n", "utf-8")
    found = list(companions(tmp_path, goal))
    told = f"req/base.txt:2: {line} does not go with SQLAlchemy {goal}, ask for {wanted}"
    assert found == ([told] if wanted else [])


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("pyproject.toml", '[project]\nname = "shop"\nrequires-python = ">=3.8"\n', 3),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.9"\n', 2),
        ("setup.cfg", "[options]\npython_requires = >=3.7, <4\n", 2),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.11"\n', 0),
        ("pyproject.toml", '[tool.hatch.envs.test]\npython = "3.9"\n', 0),
    ],
)
def test_a_python_below_the_floor_is_named(tmp_path: Path, name: str, text: str, line: int) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert [one.partition(": ")[0] for one in companions(tmp_path, "2.1")] == ([f"{name}:{line}"] if line else [])
    assert list(companions(tmp_path, "2.0")) == []


def test_the_plan_and_the_checklist_name_them(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("Flask-SQLAlchemy==2.5.1\nSQLAlchemy==1.4.50\n", "utf-8")
    (tmp_path / "shop.py").write_text("from sqlalchemy import select\n", "utf-8")
    plan = migrate(tmp_path, [tmp_path], Settings(goal="2.0"))
    told = "requirements.txt:1: flask-sqlalchemy==2.5.1 does not go with SQLAlchemy 2.0, ask for flask-sqlalchemy>=3"
    assert f"  {told}" in list(plan.lines())
    assert f"- [ ] {told}" in plan.checklist()
