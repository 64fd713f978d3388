"""The benchmark measures what it says, on the example application instead of the corpus."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "fixtures" / "projects" / "shop"


def measured(part: str) -> dict[str, float]:
    command = [sys.executable, str(ROOT / "benchmarks" / "speed.py"), "--part", part, str(SHOP)]
    answer: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return answer


def test_the_floor_reads_every_file() -> None:
    floor = measured("floor")
    files = list(SHOP.rglob("*.py"))
    assert floor["files"] == len(files)
    assert floor["lines"] == sum(path.read_bytes().count(b"\n") for path in files)
    assert 0 < floor["passed"] < len(files)


def test_the_engine_runs_the_rules() -> None:
    engine = measured("engine")
    assert engine["seconds"] > 0
    assert engine["findings"] > 10
    assert engine["changed"] >= 3


def test_the_peer_rewrites_the_plainest_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    import libcst as cst
    from libcst.codemod import CodemodContext

    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from filter_by_codemod import PlainFilterBy  # type: ignore[import-not-found]

    tree = cst.parse_module("s.query(Book).filter_by(a=1, b=x).first()\ns.filter_by(a=1)\n")
    code = PlainFilterBy(CodemodContext()).transform_module(tree).code
    assert code == "s.query(Book).filter(Book.a == 1, Book.b == x).first()\ns.filter_by(a=1)\n"
