"""`alchemod migrate`: which rules run, the plan, the diff, writing, the requirement, the checklist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Command
from engine.toys import GATE, write

FILES = {"a.py": GATE + "removed()\nremoved(1)\nchanged\nplain()\nold()\n"}


def test_the_rules_of_the_goal_run_and_no_other(alchemod: Command, project: Path) -> None:
    write(project, FILES)
    found = {
        goal: {one["code"] for one in json.loads(alchemod("migrate", "--to", goal, "--format", "json").out)["findings"]}
        for goal in ("1.4", "2.0", "2.1")
    }
    assert found == {"1.4": {"MIG901"}, "2.0": {"MIG901"}, "2.1": {"MIG901", "MIG902"}}


def test_optional_rules_run_when_selected(alchemod: Command, project: Path) -> None:
    write(project, FILES)
    ran = alchemod("migrate", "--to", "2.0", "--diff", "--extend-select", "MIG903")
    assert "+modern()" in ran.out
    assert "+kept()" in ran.out
    assert "+new()" not in ran.out


def test_without_a_goal_nothing_is_scanned(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": "(\n"})
    assert alchemod("migrate").code == 2
    ran = alchemod("migrate", "--to", "1.5")
    assert ran.code == 2
    assert ran.err == "alchemod: migrate needs --to with one of 1.4, 2.0, 2.1, not '1.5'\n"
    assert alchemod("migrate", "--to", "2.0", "-", stdin=b"x\n").err == (
        "alchemod: migrate works on a project, not on standard input\n"
    )


def test_diff_prints_only_the_diff_and_writes_nothing(alchemod: Command, project: Path) -> None:
    write(project, FILES)
    ran = alchemod("migrate", "--to", "2.0", "--diff")
    assert ran.code == 1
    assert ran.out.startswith("diff --git a/a.py b/a.py\n")
    assert "Migration" not in ran.out
    assert (project / "a.py").read_text() == FILES["a.py"]
    write(project, {"a.py": GATE})
    assert alchemod("migrate", "--to", "2.0", "--diff").code == 0


def test_the_plan_says_what_changes_what_waits_and_what_is_left(alchemod: Command, project: Path) -> None:
    write(project, {**FILES, "b.py": GATE + "engine = create_engine(url, future=True)\n"})
    ran = alchemod("migrate", "--to", "2.1", "--yes")
    assert ran.code == 0
    told = ran.err.splitlines()
    assert told[0].startswith("Migration to SQLAlchemy 2.1. The project is at 1.4 to 2.0 (pyproject.toml:3 allows 1.4)")
    assert "2.0 behaviour is switched on at b.py:2" in told[0]
    assert "  MIG901 toys: 1 changed, 1 to be reviewed" in told
    assert "a.py:3: MIG901 removed() is gone, on the way to 2.1: its argument is not known" in ran.err
    assert "a.py:4: MIG902 changed means something else: what is meant" in ran.err
    assert told[-1].startswith("Check with: ")
    assert (project / "a.py").read_text() == FILES["a.py"].replace("removed()", "kept()")


def test_a_second_run_changes_nothing(alchemod: Command, project: Path) -> None:
    write(project, FILES)
    assert alchemod("migrate", "--to", "2.0", "--yes", "--unsafe-fixes", "--bump").code == 0
    again = alchemod("migrate", "--to", "2.0", "--diff", "--unsafe-fixes", "--bump")
    assert (again.code, again.out) == (0, "")


def test_bump_is_part_of_the_diff_and_of_undo(alchemod: Command, project: Path) -> None:
    write(project, FILES)
    before = (project / "pyproject.toml").read_text()
    ran = alchemod("migrate", "--to", "2.0", "--yes", "--bump")
    assert '+dependencies = ["sqlalchemy>=2.0,<2.1"]' in ran.out
    assert "pyproject.toml:3: SQLAlchemy>=1.4,<2.1 becomes SQLAlchemy>=2.0,<2.1" in ran.err
    assert (project / "pyproject.toml").read_text() == before.replace(">=1.4,<2.1", ">=2.0,<2.1")
    assert alchemod("undo").code == 0
    assert (project / "pyproject.toml").read_text() == before


def test_the_checklist_holds_the_hand_work(alchemod: Command, project: Path) -> None:
    write(project, FILES)
    assert alchemod("migrate", "--to", "2.1", "--yes", "--checklist").code == 0
    text = (project / "alchemod-migration.md").read_text()
    assert "- [ ] `a.py:4` changed means something else: what is meant" in text
    assert "## To be reviewed: MIG901" in text
    write(project, {"a.py": GATE})
    assert alchemod("migrate", "--to", "2.1", "--yes", "--checklist").code == 0
    assert "Nothing." in (project / "alchemod-migration.md").read_text()


@pytest.mark.parametrize("goal", ["1.4", "2.0"])
def test_migrate_asks_like_apply(alchemod: Command, project: Path, goal: str) -> None:
    write(project, FILES)
    ran = alchemod("migrate", "--to", goal)
    assert ran.code == 1
    assert "nothing was written: there is no terminal to ask on" in ran.err
    assert (project / "a.py").read_text() == FILES["a.py"]
