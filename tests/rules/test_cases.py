"""Every fixture case: its findings, its diff, and what its program does before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

from bench.cases import Case, find_cases, read_case
from bench.execution import Bench
from bench.tool import Refactored, apply, whole_modules
from bench.verdict import portrait, wrong_findings, wrong_runs, wrong_scenario

ROOT = Path(__file__).parents[2] / "fixtures" / "rules"
SNAPSHOTS = Path(__file__).with_name("__snapshots__")
CASES = find_cases(ROOT)


def identifier(path: Path) -> str:
    """`querying/filter_by_keywords/dotted_model`"""
    return path.relative_to(ROOT).with_suffix("").as_posix()


class DiffSnapshot(SingleFileSnapshotExtension):
    """One `.diff` file per case, at the case's own path under `__snapshots__`."""

    _write_mode = WriteMode.TEXT
    file_extension = "diff"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str((SNAPSHOTS / identifier(_case_path(test_location))).parent)

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: object) -> str:
        return _case_path(test_location).stem


def _case_path(test_location: PyTestLocation) -> Path:
    path = test_location.item.callspec.params["case"]  # type: ignore[attr-defined]
    assert isinstance(path, Path)
    return path


@pytest.fixture(params=CASES, ids=identifier)
def case(request: pytest.FixtureRequest) -> Case:
    return read_case(request.param)


def refactor(case: Case, files: dict[str, bytes] | None = None, *options: str) -> Refactored:
    """Apply the rule of the case, with unsafe fixes when it expects any."""
    rule = Path(case.rule).name.replace("_", "-")
    codes = sorted({code for code, _ in case.expected})
    selected = ["--select", ",".join(dict.fromkeys([rule, *codes]))]
    unsafe = ["--unsafe-fixes"] if case.is_unsafe else []
    return apply(files or case.files, case.versions.after, *selected, *unsafe, *case.options, *options)


def test_case(case: Case, bench: Bench, snapshot: SnapshotAssertion) -> None:
    refactored = refactor(case)
    problems = list(wrong_findings(case, refactored))
    assert not problems, "\n".join(problems)
    fixes = any(safety != "report" for _, safety in case.expected)
    assert (refactored.files != case.files) == fixes, "bytes change exactly where a fix is expected"

    again = refactor(case, dict(refactored.files))
    assert again.files == refactored.files, "a second run changes something"
    with whole_modules():
        assert refactor(case).files == refactored.files, "rendering whole modules gives other bytes"

    if case.runnable:
        runs = bench.run(
            [
                *((version, case.program(case.files)) for version in case.versions.before),
                *((version, case.program(dict(refactored.files))) for version in case.versions.after),
            ]
        )
        split = len(case.versions.before)
        problems = list(wrong_runs(case, runs[:split], runs[split:]))
        assert not problems, "\n".join(problems)

        problems = list(wrong_scenarios(case, dict(refactored.files), bench))
        assert not problems, "\n".join(problems)

    assert portrait(refactored, case.files) == snapshot(extension_class=DiffSnapshot)


def wrong_scenarios(case: Case, files: dict[str, bytes], bench: Bench) -> Iterator[str]:
    """What the scenarios of a case do differently after, where nothing fails and where each step fails in turn."""
    versions = [version for version in case.versions.after if version in case.versions.before]
    jobs = [(version, scenario) for version in versions for scenario in case.scenarios]
    played = bench.run((version, case.program(case.files, scenario)) for version, scenario in jobs)
    if case.has_faults:
        failing = [
            (version, replace(scenario, fail_at=step))
            for (version, scenario), run in zip(jobs, played, strict=True)
            for step in range(1, run.steps + 1)
        ]
        played += bench.run((version, case.program(case.files, scenario)) for version, scenario in failing)
        jobs += failing
    again = bench.run((version, case.program(files, scenario)) for version, scenario in jobs)
    for (_, scenario), before, after in zip(jobs, played, again, strict=True):
        yield from wrong_scenario(scenario, before, after)


def test_every_snapshot_has_its_case() -> None:
    snapshots = {path.relative_to(SNAPSHOTS).with_suffix("").as_posix() for path in SNAPSHOTS.rglob("*.diff")}
    assert snapshots <= {identifier(path) for path in CASES}, "delete the snapshots of cases that are gone"
