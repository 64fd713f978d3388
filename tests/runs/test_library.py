"""alchemod as a library: the public names, and a run without the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import alchemod
from alchemod.engine.registry import Registry
from alchemod.runs.analyse import analyse
from alchemod.settings.options import Settings, SettingsError
from engine.toys import GATE, TOYS, OldCall, write


def test_every_public_name_is_there() -> None:
    assert sorted({*alchemod._HOMES, "__version__"}) == alchemod.__all__
    for name in alchemod.__all__:
        assert getattr(alchemod, name) is not None
    with pytest.raises(AttributeError, match="'alchemod' has no attribute 'nope'"):
        alchemod.nope  # noqa: B018


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import sys, alchemod; print(sorted(name for name in sys.modules if name.startswith('alchemod')))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "['alchemod', 'alchemod._version']"


def test_nothing_is_written_until_apply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCHEMOD_STATE", str(tmp_path / "state"))
    root = tmp_path / "project"
    write(root, {"a.py": GATE + "old()\n"})
    outcome = analyse(root, [], Settings(), registry=Registry.of(*TOYS))
    assert (root / "a.py").read_text() == GATE + "old()\n"
    assert outcome.summary.files_changed == 1
    applied = alchemod.apply(outcome)
    assert applied.written == (root / "a.py",)
    assert (root / "a.py").read_text() == GATE + "new()\n"
    assert alchemod.undo(root, applied.run).restored == (root / "a.py",)


def test_a_wrong_selection_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="NOPE1"):
        analyse(tmp_path / "nowhere", [], Settings(select=("NOPE1",)), registry=Registry.of(OldCall))


def test_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.py": GATE + "old(risky(odd))\nodd  # alchemod: ignore[ALC903]\n",
            "b.py": GATE + "x = (\n",
            "c.py": "plain\n",
            "out.py": GATE + "old()\n",
            "build/d.py": GATE + "old()\n",
        },
    )
    summary = analyse(tmp_path, [], Settings(exclude=("out.py",)), registry=Registry.of(*TOYS)).summary
    assert (summary.files_scanned, summary.files_skipped, summary.files_excluded) == (3, 1, 1)
    assert (summary.findings, summary.fixable_safe, summary.fixable_unsafe) == (3, 1, 1)
    assert (summary.suppressed, summary.errors, summary.paths_ignored) == (1, 1, 1)
    assert (summary.files_changed, summary.fixed, summary.dropped) == (1, 1, 0)


def test_the_same_whatever_order_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": GATE + "old()\n", "b.py": GATE + "odd\n"})
    registry = Registry.of(*TOYS)
    one = analyse(tmp_path, [tmp_path / "b.py", tmp_path / "a.py"], Settings(), registry=registry)
    other = analyse(tmp_path, [tmp_path / "a.py", tmp_path / "b.py"], Settings(), registry=registry)
    assert one.findings == other.findings
