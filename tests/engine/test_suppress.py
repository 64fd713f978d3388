"""Suppressions, and the findings about those of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.engine.fixpoint import Result
from engine.toys import GATE, OddName, OldCall, settle, write


def run(tmp_path: Path, code: str) -> Result:
    write(tmp_path, {"a.py": GATE + code})
    return settle(tmp_path, OddName)


def lines(result: Result, code: str = "ALC903") -> list[int]:
    return [finding.line - 1 for finding in result.findings if finding.code == code]


@pytest.mark.parametrize(
    "code",
    [
        "odd  # alchemod: ignore[ALC903]",
        "odd  # alchemod: ignore",
        "odd  # alchemod:ignore[toys]  because",
        "odd  # noqa: F821  # alchemod: ignore[ALC903]",
        "odd  # alchemod: ignore[ALC901, ALC903]",
        "f(  # alchemod: ignore[ALC903]\n  odd,\n)",
        "f(\n  odd,\n)  # alchemod: ignore[ALC903]",
        "f(\n  odd,\n  # alchemod: ignore[ALC903]\n)",
        "for x in odd:  # alchemod: ignore[ALC903]\n    pass",
        "def f(\n    x=odd\n):  # alchemod: ignore[ALC903]\n    pass",
        "x = 1\n# alchemod: ignore-file[ALC903]\nodd",
        "# alchemod: ignore-file\nodd",
        "x = '''\n'''; odd  # alchemod: ignore[ALC903]",
    ],
)
def test_suppressed(tmp_path: Path, code: str) -> None:
    result = run(tmp_path, code)
    assert lines(result) == []
    assert result.suppressed == 1


@pytest.mark.parametrize(
    "code",
    [
        "# alchemod: ignore[ALC903]\nodd",
        "odd\n# alchemod: ignore[ALC903]",
        "odd  # alchemod: ignore[ALC901]",
        "odd  # alchemod: ignore[]",
        "odd  # alchemod: ignore[ALC903",
        "odd  # alchemod: ignored",
        "odd  # alchemod: ignore-file[ALC903]",
        "for x in y:  # alchemod: ignore[ALC903]\n    odd",
        "for x in odd:\n    pass  # alchemod: ignore[ALC903]",
        "for x in odd:\n    # alchemod: ignore[ALC903]\n    pass",
        "odd, '# alchemod: ignore[ALC903]'",
    ],
)
def test_not_suppressed(tmp_path: Path, code: str) -> None:
    result = run(tmp_path, code)
    assert len(lines(result)) == 1
    assert result.suppressed == 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x  # alchemod: ignore[ALC903]", "nothing here is a finding of ALC903"),
        ("x  # alchemod: ignore[toys]", "nothing here is a finding of toys"),
        ("x  # alchemod: ignore[ALC999]", "there is no rule ALC999"),
        ("odd  # alchemod: ignore[ALC903, ALC99]", "there is no rule ALC99"),
        ("x  # alchemod: ignore", "this comment suppresses nothing"),
        ("x  # alchemod: ignore[ALC903", "the list of codes has no closing bracket"),
        ("x  # alchemod: ignore[ ]", "the list of codes is empty"),
        ("# alchemod: ignore-file[ALC903]", "nothing here is a finding of ALC903"),
        ("x  # alchemod: ignore-file[ALC903]", "`ignore-file` counts only on a line of its own"),
    ],
)
def test_of_no_use(tmp_path: Path, code: str, said: str) -> None:
    result = run(tmp_path, code)
    [finding] = [finding for finding in result.findings if finding.code == "ALC001"]
    assert finding.message == f"unused suppression: {said}"
    assert (finding.safety, finding.line) == ("report", 2)
    assert finding.column == code.index("#") + 1


def test_a_used_comment_is_not_reported(tmp_path: Path) -> None:
    assert run(tmp_path, "odd  # alchemod: ignore[ALC903]").findings == []


def test_a_rule_that_did_not_run_is_given_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "x  # alchemod: ignore[ALC901]\n"})
    assert len(settle(tmp_path, OldCall, OddName).findings) == 1
    # the registry knows ALC901, the run leaves it out
    from alchemod.engine.find import Finder
    from alchemod.engine.registry import Registry
    from alchemod.facts.project import Project
    from alchemod.inference import Inference
    from alchemod.settings.options import Settings
    from engine.toys import found_in

    project = Project.load(found_in(tmp_path).files, tmp_path)
    registry = Registry.of(OldCall, OddName)
    finder = Finder(project, Inference(project), registry, frozenset({"ALC001", "ALC903"}), Settings())
    assert finder.find(tmp_path / "a.py").findings == []


def test_carriage_returns_end_lines(tmp_path: Path) -> None:
    result = run(tmp_path, "odd  # alchemod: ignore[ALC903]\r\nodd\rodd  # alchemod: ignore[ALC903]\r")
    assert lines(result) == [2]
    assert result.suppressed == 2
