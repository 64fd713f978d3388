"""The verdict on a case: each promise that can be broken, broken once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.cases import Case, read_case
from bench.execution import Run, Scenario, Statement
from bench.tool import Found, Refactored
from bench.verdict import portrait, wrong_findings, wrong_runs, wrong_scenario

SELECT = Statement("SELECT 1", "(3,)")


def case(folder: Path, head: str = "") -> Case:
    path = folder / "querying" / "rule" / "a.py"
    path.parent.mkdir(parents=True)
    path.write_text(f"# expect: ALC201 safe\n{head}print(1)\n", "utf-8")
    return read_case(path)


def run(
    stdout: str = "1\n",
    error: str | None = None,
    sent: tuple[Statement, ...] = (SELECT,),
    rows: str = "INSERT 1",
    kept: int = 0,
    version: str = "2.0",
) -> Run:
    return Run(version, stdout, error, "", sent, (rows,), checked_out=kept, peak_checked_out=kept)


def found(code: str = "ALC201", safety: str = "safe") -> Found:
    return Found("a.py", 3, code, safety, "message", ("because",), None)


def refactored(*findings: Found) -> Refactored:
    return Refactored(findings, {"a.py": b"x = 1\r\ny\n"}, ())


def test_the_same_run_is_right(tmp_path: Path) -> None:
    assert list(wrong_runs(case(tmp_path), [run()], [run()])) == []


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        (run(stdout="2\n"), "SQLAlchemy 2.0: other output"),
        (run(error="builtins.KeyError: 1"), "other escaped exception"),
        (run(rows="INSERT 2"), "other committed rows"),
        (run(kept=1), "1 connections stay checked out, 0 before"),
        (run(sent=(Statement("SELECT 1", "(4,)"),)), "other statements"),
        (run(sent=(SELECT, Statement("COMMIT"))), "1 commits, 0 before"),
    ],
)
def test_a_different_run_is_wrong(tmp_path: Path, after: Run, problem: str) -> None:
    problems = list(wrong_runs(case(tmp_path), [run()], [after]))
    assert any(problem in text for text in problems), problems


def test_a_rollback_more_or_less_is_no_difference(tmp_path: Path) -> None:
    after = run(sent=(SELECT, Statement("ROLLBACK")))
    assert list(wrong_runs(case(tmp_path), [run()], [after])) == []


@pytest.mark.parametrize(
    ("promise", "count", "kept"),
    [
        ("fewer", 1, True),
        ("fewer", 2, False),
        ("-1", 1, True),
        ("-1", 2, False),
        ("+1", 3, True),
        ("any", 9, True),
    ],
)
def test_promises_about_the_number_of_statements(tmp_path: Path, promise: str, count: int, kept: bool) -> None:
    wrong = list(
        wrong_runs(
            case(tmp_path, f"# statements: {promise}\n"),
            [run(sent=(SELECT,) * 2)],
            [run(sent=(SELECT,) * count)],
        )
    )
    assert (not wrong) == kept


def test_promised_sql_must_be_new(tmp_path: Path) -> None:
    promised = case(tmp_path, "# statements: any\n# sql: FROM  book\n")
    new = run(sent=(Statement("SELECT x\nFROM book"),))
    assert list(wrong_runs(promised, [run()], [new])) == []
    assert list(wrong_runs(promised, [new], [new]))
    assert list(wrong_runs(promised, [run()], [run()]))


def test_stated_outcomes_replace_the_comparison(tmp_path: Path) -> None:
    head = "# raises before: NameError\n# prints after: 2\n# statements: any\n"
    stated = case(tmp_path, head)
    raising = run(stdout="", error="builtins.NameError: x")
    assert list(wrong_runs(stated, [raising], [run(stdout="2\n")])) == []
    assert list(wrong_runs(stated, [raising], [run(stdout="3\n")]))
    assert list(wrong_runs(stated, [run(stdout="2\n")], [run(stdout="2\n")]))


def test_a_program_that_fails_before_is_named(tmp_path: Path) -> None:
    failing = run(error="builtins.NameError: x")
    assert any("fails before" in text for text in wrong_runs(case(tmp_path), [failing], [failing]))


def test_a_version_that_only_runs_after_is_held_against_the_last_before(tmp_path: Path) -> None:
    versions = case(tmp_path, "# before: 1.4\n# after: 1.4 2.0\n")
    before, after = run(version="1.4"), [run(version="1.4"), run(stdout="2\n", version="2.0")]
    assert [text.splitlines()[0] for text in wrong_runs(versions, [before], after)] == ["SQLAlchemy 2.0: other output"]


def test_findings_are_counted(tmp_path: Path) -> None:
    expecting = case(tmp_path, "# says: because\n")
    assert list(wrong_findings(expecting, refactored(found()))) == []
    assert list(wrong_findings(expecting, refactored())) == [
        "missing: ALC201 safe",
        "no finding says 'because'",
    ]
    twice = list(wrong_findings(expecting, refactored(found(), found(safety="report"))))
    assert twice == ["not expected: ALC201 report (line 3)"]


def test_the_portrait_shows_findings_and_diff() -> None:
    text = portrait(refactored(found()), {"a.py": b"x = 1\r\n\xff\n"})
    assert text.splitlines() == [
        "a.py:3: ALC201 safe: message",
        "    why: because",
        "",
        "--- before/a.py",
        "+++ after/a.py",
        "@@ -1,2 +1,2 @@",
        " x = 1\\r",
        "-\\xff",
        "+y",
    ]


ROLLBACK = Statement("ROLLBACK")


def held(run: Run, number: int) -> Run:
    return replace(run, held=number)


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        (run(stdout="2\n"), "other outcome"),
        (run(error="builtins.KeyError: 1"), "other escaped exception"),
        (run(rows="INSERT 2"), "other committed rows"),
        (held(run(), 1), "1 connections are held, 0 before"),
        (run(sent=(SELECT, Statement("COMMIT"))), "other statements and transaction steps"),
        (run(sent=(Statement("BEGIN"), SELECT)), "other statements and transaction steps"),
    ],
)
def test_a_scenario_that_goes_another_way_is_wrong(after: Run, problem: str) -> None:
    problems = list(wrong_scenario(Scenario("f()", fail_at=2), run(), after))
    assert any(problem in text and "f(), step 2 failing" in text for text in problems), problems


def test_a_scenario_may_gain_a_rollback_and_not_lose_one() -> None:
    rolled_back = run(sent=(SELECT, ROLLBACK))
    assert list(wrong_scenario(Scenario("f()"), run(), rolled_back)) == []
    assert list(wrong_scenario(Scenario("f()"), rolled_back, run())) == ["SQLAlchemy 2.0, f(): 0 rollbacks, 1 before"]
