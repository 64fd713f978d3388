"""The example application: refactored, it prints the same, keeps the same rows and asks less often."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.execution import Bench, Program, Run
from bench.tool import Refactored, apply

SHOP = Path(__file__).parents[2] / "fixtures" / "projects" / "shop"
VERSIONS = ("1.4", "2.0")
SEASON = b"from shop.season import main\nmain()\n"
TESTS = b"""
import unittest
suite = unittest.defaultTestLoader.discover(".")
result = unittest.TextTestRunner().run(suite)
print(result.testsRun, len(result.failures) + len(result.errors))
"""


def shop_files() -> dict[str, bytes]:
    files = (path for path in sorted(SHOP.rglob("*")) if path.is_file() and path.suffix in (".py", ".toml"))
    return {path.relative_to(SHOP).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def refactored() -> Refactored:
    return apply(shop_files(), VERSIONS)


def run(bench: Bench, files: dict[str, bytes], main: bytes) -> list[Run]:
    program = Program({**files, "main.py": main}, "main.py")
    return bench.run((version, program) for version in VERSIONS)


def test_every_rule_fixes_something(refactored: Refactored) -> None:
    fixed = {finding.code for finding in refactored.findings if finding.safety == "safe"}
    assert fixed >= {"ALC101", "ALC201", "ALC202"}
    assert not refactored.errors


def test_the_season_is_the_same_with_fewer_statements(bench: Bench, refactored: Refactored) -> None:
    runs = zip(run(bench, shop_files(), SEASON), run(bench, dict(refactored.files), SEASON), strict=True)
    for before, after in runs:
        assert before.error is None, before.traceback
        assert after.error is None, after.traceback
        assert len(before.stdout.splitlines()) > 20
        assert after.stdout == before.stdout
        assert after.databases == before.databases
        assert after.commits == before.commits
        assert len(after.queries) < len(before.queries)


def test_its_own_tests_pass_before_and_after(bench: Bench, refactored: Refactored) -> None:
    for files in (shop_files(), dict(refactored.files)):
        assert [done.stdout for done in run(bench, files, TESTS)] == ["4 0\n", "4 0\n"]


def test_a_second_run_changes_nothing(refactored: Refactored) -> None:
    assert apply(refactored.files, VERSIONS).files == refactored.files


def test_no_keyword_filter_is_left_but_the_dynamic_one(refactored: Refactored) -> None:
    left = [line.strip() for text in refactored.files.values() for line in text.decode().splitlines()]
    assert [line for line in left if "filter_by" in line] == [
        "return db.query(Product).filter_by(**wanted).order_by(Product.id).all()"
    ]


def test_no_session_is_closed_by_hand_in_the_jobs(refactored: Refactored) -> None:
    assert b".close()" not in refactored.files["shop/jobs.py"]
