"""`alchemod apply` and `alchemod undo`: asking, writing, taking back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.conftest import Command
from engine.toys import GATE, write


def test_without_a_terminal_nothing_is_written(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    ran = alchemod("apply")
    assert ran.code == 1
    assert "nothing was written: there is no terminal to ask on, --yes writes without asking" in ran.err
    assert "+new()" in ran.out
    assert (project / "a.py").read_text() == GATE + "old()\n"


def test_yes_writes_what_diff_shows_and_undo_takes_it_back(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n", "b.py": GATE + "old(odd)\n", "c.py": GATE})
    shown = alchemod("diff").out
    ran = alchemod("apply", "--yes")
    assert ran.code == 0
    assert ran.out == shown
    assert "Wrote 2 files. `alchemod undo` takes it back (run " in ran.err
    assert (project / "a.py").read_text() == GATE + "new()\n"
    assert sorted(path.name for path in project.iterdir()) == ["a.py", "b.py", "c.py", "pyproject.toml"]
    assert alchemod("diff").out == ""
    undone = alchemod("undo")
    assert undone.code == 0
    assert undone.out.startswith("Brought back 2 files of the run ")
    assert (project / "b.py").read_text() == GATE + "old(odd)\n"


def test_undo_with_nothing_to_undo(alchemod: Command, project: Path) -> None:
    ran = alchemod("undo")
    assert ran.code == 1
    assert ran.err == f"alchemod: there is no run to undo in {project}\n"
    assert alchemod("undo", "yesterday").code == 2


def test_undo_leaves_what_has_changed_since(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n", "b.py": GATE + "old()\n"})
    alchemod("apply", "--yes")
    (project / "a.py").write_text("mine\n")
    ran = alchemod("undo")
    assert ran.code == 1
    assert "a.py: has changed since the run and was left alone" in ran.err
    assert (project / "a.py").read_text() == "mine\n"
    assert (project / "b.py").read_text() == GATE + "old()\n"


def test_nothing_to_write(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "odd\n"})
    ran = alchemod("apply")
    assert (ran.code, ran.out) == (0, "")
    assert "1 finding in 1 file" in ran.err


def test_errors_do_not_keep_the_rest_from_being_written(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n", "b.py": GATE + "x = (\n"})
    assert alchemod("apply", "--yes").code == 2
    assert (project / "a.py").read_text() == GATE + "new()\n"


def test_a_file_that_cannot_be_written(alchemod: Command, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"a.py": GATE + "old()\n", "b.py": GATE + "old()\n"})
    replace = os.replace

    def refusing(source: str, target: str, **more: int) -> None:
        if str(target).endswith("a.py"):
            raise PermissionError(13, "Permission denied")
        replace(source, target, **more)

    monkeypatch.setattr(os, "replace", refusing)
    ran = alchemod("apply", "--yes")
    assert ran.code == 2
    assert ran.err.count("a.py: error:") == 1
    assert (project / "a.py").read_text() == GATE + "old()\n"
    assert (project / "b.py").read_text() == GATE + "new()\n"


def test_a_journal_that_cannot_be_written_stops_the_run(
    alchemod: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, {"a.py": GATE + "old()\n", "taken": ""})
    monkeypatch.setenv("ALCHEMOD_STATE", str(project / "taken"))
    ran = alchemod("apply", "--yes")
    assert ran.code == 2
    assert "alchemod: nothing was written: " in ran.err
    assert (project / "a.py").read_text() == GATE + "old()\n"


def test_json(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    ran = alchemod("apply", "--yes", "--format", "json")
    document = json.loads(ran.out)
    assert ran.code == 0
    assert document["diffs"][0]["path"] == "a.py"
    assert document["summary"]["fixable_safe"] == 1
    assert (project / "a.py").read_text() == GATE + "new()\n"


def test_json_without_a_terminal(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    ran = alchemod("apply", "--format", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["summary"]["findings"] == 1


def test_standard_input_becomes_the_new_text(alchemod: Command, project: Path) -> None:
    ran = alchemod("apply", "-", stdin=(GATE + "old('ü')\r\n").encode())
    assert ran.out == GATE + "new('ü')\r\n"
    assert ran.code == 0
    untouched = alchemod("apply", "-", stdin=b"x = 1")
    assert (untouched.code, untouched.out) == (0, "x = 1")


def test_standard_input_that_does_not_parse_is_passed_on(alchemod: Command, project: Path) -> None:
    ran = alchemod("apply", "-", stdin=b"x = (")
    assert (ran.code, ran.out) == (2, "x = (")
    assert ran.err.startswith("stdin.py:1: error: not valid in Python")


def test_an_interrupted_run_is_named_by_the_next(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    alchemod("apply", "--yes")
    [record] = (project.parent / "state").rglob("*.done")
    record.rename(record.with_suffix(".open"))
    ran = alchemod("check")
    assert f"the run {record.stem} was interrupted while it wrote 1 file" in ran.err
    assert f"`alchemod undo {record.stem}`" in ran.err
    assert ran.code == 0
