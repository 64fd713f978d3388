"""A run told as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.engine.fixpoint import Change
from alchemod.review import text
from alchemod.review.json import document
from alchemod.review.outcome import Outcome
from alchemod.text.source import decode

ROOT = Path("/project")


def finding(**fields: Any) -> Finding:
    told: dict[str, Any] = {
        "code": "ALC201", "name": "filter-by-keywords", "message": "m", "level": "warning", "safety": "safe",
        "certainty": "proved", "path": "a.py", "line": 1, "column": 1, "fingerprint": "f",
    }  # fmt: skip
    return Finding(**{**told, **fields})


def change(name: str, old: bytes, new: bytes) -> tuple[Path, Change]:
    path = ROOT / name
    return path, Change(decode(old, path), decode(new, path), 0)


def outcome(**fields: Any) -> Outcome:
    told: dict[str, Any] = {
        "root": ROOT, "findings": (), "failures": (), "changes": {}, "fixed": frozenset(), "dropped": frozenset(),
        "suppressed": 0, "scanned": 1, "skipped": 0, "excluded": 0, "ignored": 0, "allows": "1.3",
    }  # fmt: skip
    return Outcome(**{**told, **fields})


def summary(**fields: Any) -> list[str]:
    return list(text.summary(outcome(**fields)))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "a.py:1:1: ALC201 [safe] m"),
        ({"safety": "unsafe", "line": 3, "column": 7}, "a.py:3:7: ALC201 [unsafe] m"),
        ({"safety": "report"}, "a.py:1:1: ALC201 m"),
        ({"level": "error"}, "a.py:1:1: ALC201 [safe] error: m"),
        ({"level": "note", "safety": "report"}, "a.py:1:1: ALC201 note: m"),
    ],
)
def test_a_finding_is_a_line(fields: dict[str, Any], line: str) -> None:
    assert list(text.findings(outcome(findings=(finding(**fields),)))) == [line]


def test_the_reasons_stand_below_unless_unwanted() -> None:
    told = outcome(findings=(finding(why=("s is a Session", "it was opened here")),))
    assert list(text.findings(told))[1] == "    because s is a Session; it was opened here"
    assert len(list(text.findings(told, why=False))) == 1


def test_failures() -> None:
    rows = (
        Failure(ROOT / "a.py", 3, "ALC201", "rule", "the rule failed", "Traceback\n"),
        Failure(Path("/elsewhere/b.py"), None, None, "read", "cannot be read"),
        Failure(None, None, "ALC202", "rule", "no names"),
    )
    told = outcome(failures=rows)
    assert list(text.failures(told)) == [
        "a.py:3: error: ALC201: the rule failed",
        "/elsewhere/b.py: error: cannot be read",
        "alchemod: error: ALC202: no names",
    ]
    assert list(text.failures(told, traces=True))[1] == "Traceback"


def test_notes_are_no_errors() -> None:
    told = outcome(notes=(Failure(ROOT / "deep.py", None, None, "syntax", "nested too deeply"),), skipped=1)
    assert list(text.failures(told)) == ["deep.py: note: nested too deeply"]
    assert list(text.summary(told)) == ["Scanned 1 file: no findings.", "1 file skipped: 1 nested too deeply."]


def test_a_summary_of_nothing_says_so() -> None:
    assert summary(scanned=0) == ["Scanned 0 files: no findings."]


def test_a_summary_counts_by_rule_and_safety() -> None:
    findings = (
        finding(), finding(), finding(safety="unsafe", path="b.py"), finding(safety="report"),
        finding(code="ALC101", name="session-without-context-manager", safety="report"),
    )  # fmt: skip
    assert summary(findings=findings, scanned=1234)[:3] == [
        "Scanned 1,234 files: 5 findings in 2 files.",
        "  ALC101 session-without-context-manager: 1 report",
        "  ALC201 filter-by-keywords: 2 safe, 1 unsafe, 1 report",
    ]


def test_a_summary_says_what_changes() -> None:
    changes = dict([change("a.py", b"a\nb\n", b"a\nc\nd\n")])
    lines = summary(findings=(finding(),), changes=changes, fixed=frozenset({"f"}))
    assert lines[-1] == "1 finding can be fixed in 1 file (+2 -1 lines)."


def test_a_summary_says_what_is_left_out_and_why() -> None:
    findings = (
        finding(safety="report", needs="1.4"), finding(safety="report", needs="1.4"),
        finding(safety="report", needs="2.0"), finding(safety="report", fingerprint="d", message="torn"),
    )  # fmt: skip
    failures = (
        Failure(ROOT / "a.py", 1, None, "syntax", "x"),
        Failure(ROOT / "b.py", 1, None, "decode", "x"),
        Failure(ROOT / "c.py", 1, "ALC201", "rule", "x"),
    )
    lines = summary(findings=findings, failures=failures, dropped=frozenset({"d"}), skipped=2, suppressed=1, excluded=3)
    assert lines[2:] == [
        "1 fix left out as a whole:",
        "  a.py:1:1: ALC201 torn",
        "2 fixes need SQLAlchemy 1.4, the project allows 1.3: --target 1.4",
        "1 fix needs SQLAlchemy 2.0, the project allows 1.3: --target 2.0",
        "1 finding suppressed by comments.",
        "2 files skipped: 1 cannot be decoded, 1 cannot be parsed.",
        "3 errors, each named on the error output.",
        "Left alone: 3 files excluded by the settings.",
    ]


def test_json_survives_a_file_name_that_is_no_text() -> None:
    told = outcome(findings=(finding(path="b\udcff.py"),))
    raw = document(told).encode("utf-8", "backslashreplace")
    assert json.loads(raw)["findings"][0]["path"] == "b\udcff.py"


def test_json_is_the_same_for_the_same_run() -> None:
    changes = dict([change("b.py", b"1\n", b"2\n"), change("a.py", b"1\n", b"2\n")])
    first = document(outcome(changes=changes), diffs=True)
    assert first == document(outcome(changes=dict(reversed(changes.items()))), diffs=True)
    assert [row["path"] for row in json.loads(first)["diffs"]] == ["a.py", "b.py"]
    assert "diffs" not in json.loads(document(outcome()))
