"""Programs that ask row by row, with the number of SELECTs that would do: how many of them are found and mended.

The cases of ALC202 and ALC203 with a `selects:` line are such programs; that the mended ones send just so many is part
of their own test. What is not found yet is there too, with `expect: nothing` or a report.
"""

from __future__ import annotations

from pathlib import Path

from bench.cases import Case, find_cases, read_case

ROOT = Path(__file__).parents[2] / "fixtures" / "rules"
FOLDER = ROOT / "querying"
RULES = ("lazy_load_in_loop", "query_in_loop")


def cases() -> list[Case]:
    return [read_case(path) for path in find_cases(ROOT) if path.parent.parent == FOLDER and path.parent.name in RULES]


def test_enough_programs_reach_the_ideal() -> None:
    programs = [case for case in cases() if case.selects is not None]
    assert all(before > ideal for before, ideal in (case.selects for case in programs if case.selects))
    assert len(programs) >= 40
    assert len([case for case in programs if case.is_fixed]) >= 36


def test_enough_programs_are_spread_over_files() -> None:
    spread = [
        case
        for case in cases()
        if case.selects is not None and len([name for name in case.files if name.endswith(".py")]) >= 3
    ]
    assert len(spread) >= 10


def test_enough_look_alikes_stay_as_they_are() -> None:
    assert len([case for case in cases() if case.is_keep]) >= 30
