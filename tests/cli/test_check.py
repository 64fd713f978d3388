"""`alchemod check`: findings, summary, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Command
from engine.toys import GATE, write


def test_findings_and_summary(alchemod: Command, project: Path) -> None:
    write(project, {"app/a.py": GATE + "x = odd\n", "app/b.py": GATE + "é = 'ü', odd\n", "c.py": "1\n"})
    ran = alchemod("check")
    assert ran.out.splitlines() == [
        "app/a.py:2:5: ALC903 odd is odd: an even name",
        "app/b.py:2:10: ALC903 odd is odd: an even name",
        "Scanned 3 files: 2 findings in 2 files.",
        "  ALC903 toys: 2 reports",
    ]
    assert (ran.code, ran.err) == (1, "")


def test_nothing_found(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": "x = 1\n"})
    ran = alchemod("check")
    assert (ran.code, ran.out) == (0, "Scanned 1 file: no findings.\n")


def test_exit_zero_turns_one_into_zero(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "odd\n"})
    assert alchemod("check").code == 1
    assert alchemod("check", "--exit-zero").code == 0


def test_exit_zero_leaves_errors(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "odd\n", "b.py": GATE + "x = (\n"})
    ran = alchemod("check", "--exit-zero")
    assert ran.code == 2
    assert ran.err.startswith("b.py:2: error: not valid in Python 3")
    assert "odd is odd" in ran.out
    assert "1 file skipped: 1 cannot be parsed." in ran.out


def test_quiet_has_findings_only(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "odd\n"})
    assert alchemod("check", "-q").out == "a.py:2:1: ALC903 odd is odd: an even name\n"


def test_paths_are_relative_to_the_project_wherever_one_stands(
    alchemod: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, {"app/a.py": GATE + "odd\n", "b.py": GATE + "odd\n"})
    monkeypatch.chdir(project / "app")
    ran = alchemod("check", ".")
    assert ran.out.splitlines()[0] == "app/a.py:2:1: ALC903 odd is odd: an even name"
    assert ran.out.splitlines()[-1] == f"Paths are relative to {project}."
    assert "b.py" not in ran.out


def test_a_named_file_is_parsed_whatever_it_holds(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": "x = (\n"})
    assert alchemod("check").code == 0
    ran = alchemod("check", "a.py")
    assert ran.code == 2
    assert ran.err.startswith("a.py:1: error: not valid")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--select", "NOPE1"], "--select: 'NOPE1' is no rule code, name or prefix"),
        (["--target", "3.0"], "--target must be one of '1.3', '1.4', '2.0', '2.1', not '3.0'"),
        (["--format", "xml"], "--format must be one of 'text', 'json', not 'xml'"),
        (["--config", "none.toml"], "none.toml: no such configuration file"),
        (["nowhere"], "nowhere: no such file or folder"),
        (["--stdin-filename", "a.py"], "--stdin-filename goes with the path - (standard input) only"),
        (["-", "a.py"], "- (standard input) cannot be mixed with other paths"),
        (["--exclude", "!"], "exclude: '!' is no pattern as in .gitignore: it matches nothing"),
        (["--exclude", "["], "exclude: '[' is no pattern as in .gitignore: it has a bracket that is not closed"),
    ],
)
def test_wrong_usage_is_one_sentence(
    alchemod: Command, project: Path, arguments: list[str], sentence: str | None
) -> None:
    write(project, {"a.py": GATE + "x = (\n"})
    ran = alchemod("check", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1
    assert "a.py" not in ran.err or "stdin" in ran.err
    if sentence:
        assert ran.err == f"alchemod: {sentence}\n"


@pytest.mark.parametrize("arguments", [["check", "--nope"], ["chekc"], ["check", "--select"], ["explain"]])
def test_what_the_command_line_does_not_know_is_one_sentence(alchemod: Command, arguments: list[str]) -> None:
    ran = alchemod(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1


def test_a_wrong_configuration_names_file_and_line(alchemod: Command, project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.alchemod]\nselekt = []\n")
    ran = alchemod("check")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("alchemod: ")
    assert all(part in ran.err for part in ("pyproject.toml:2", "'selekt'", "did you mean 'select'?"))
    assert len(ran.err.splitlines()) == 1


def test_a_failing_rule_is_named_without_a_traceback(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "faulty\nodd\n"})
    ran = alchemod("check")
    assert ran.code == 2
    assert ran.err == "a.py:2: error: ALC904: the rule failed here and was passed over: ZeroDivisionError: by nought\n"
    assert "odd is odd" in ran.out
    assert "Traceback (most recent call last)" in alchemod("check", "--debug").err


def test_json(alchemod: Command, project: Path) -> None:
    write(
        project,
        {
            "app/a.py": GATE + "def f():\n    return 'ü', odd\n",
            "b.py": GATE + "faulty\n",
            "c.py": b"import sqlalchemy\n\xff",
        },
    )
    ran = alchemod("check", "--format", "json")
    document = json.loads(ran.out)
    assert ran.code == 2
    assert list(document) == ["version", "findings", "errors", "notes", "summary"]
    assert document["version"] == 1
    [finding] = document["findings"]
    fingerprint = finding.pop("fingerprint")
    assert len(fingerprint) == 16
    assert finding == {
        "path": "app/a.py",
        "line": 3,
        "column": 17,
        "end_line": 3,
        "end_column": 20,
        "code": "ALC903",
        "name": "toys",
        "message": "odd is odd: an even name",
        "level": "warning",
        "safety": "report",
        "certainty": "proved",
        "why": [],
        "missing": "an even name",
        "fixable": False,
        "change_set": None,
    }
    assert [(row["path"], row["line"], row["rule"], row["kind"]) for row in document["errors"]] == [
        ("b.py", 2, "ALC904", "rule"),
        ("c.py", 2, None, "decode"),
    ]
    assert document["summary"] == {
        "files_scanned": 3,
        "files_skipped": 1,
        "findings": 1,
        "fixable_safe": 0,
        "fixable_unsafe": 0,
        "suppressed": 0,
        "errors": 2,
    }


def test_a_version_that_is_too_old_is_named_with_the_way_out(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old(); old()\n"})
    ran = alchemod("check", "--target", "1.3")
    assert "fix not offered: it needs SQLAlchemy 1.4, the project allows 1.3" in ran.out
    assert "2 fixes need SQLAlchemy 1.4, the project allows 1.3: --target 1.4" in ran.out


def test_rules_and_explain(alchemod: Command) -> None:
    ran = alchemod("rules")
    assert ran.code == 0
    assert "ALC901  on   toys" in ran.out
    assert alchemod("explain", "alc901").out.startswith("ALC901 toys (part of the default run;")
    ran = alchemod("explain", "ALC90")
    assert ran.code == 2
    assert ran.err.startswith("alchemod: there is no rule 'ALC90'; did you mean 'ALC90")


def test_help_and_version(alchemod: Command) -> None:
    assert "Usage: alchemod" in alchemod("--help").out
    assert alchemod("--version").out.startswith("alchemod 0.")
    assert "--unsafe-fixes" in alchemod("diff", "--help").out


def test_selecting_nothing_is_an_error(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE})
    ran = alchemod("check", "--select", ",")
    assert (ran.code, "--select names no rule" in ran.err) == (2, True)
