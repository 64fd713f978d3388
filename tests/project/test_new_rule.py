"""The scaffold for a new rule: what it writes is a rule and two readable cases."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from alchemod.engine.rule import HEADINGS
from bench.cases import read_case

SCRIPT = Path(__file__).parents[2] / "scripts" / "new_rule.py"


@pytest.fixture
def scaffold() -> ModuleType:
    return loaded(SCRIPT)


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "codemods" / "alchemod" / "rules" / "querying"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    return tmp_path


def test_a_rule_with_a_case_that_changes_and_one_that_must_not(scaffold: ModuleType, house: Path) -> None:
    module, *cases = scaffold.new_rule(house, "ALC299", "old-name", "querying")
    assert [case.name for case in cases] == ["plain.py", "keep_foreign.py"]
    changes, keeps = (read_case(case) for case in cases)
    assert changes.expected == {("ALC299", "safe"): 1}
    assert changes.rule == "querying/old_name"
    assert changes.runnable
    assert keeps.is_keep
    rule = loaded(module).OldName
    assert rule.code == "ALC299"
    lines = (inspect.getdoc(rule) or "").splitlines()
    assert [line[:-1] for line in lines if re.match(r"\S.*:$", line)] == [*HEADINGS]


def test_nothing_is_overwritten(scaffold: ModuleType, house: Path) -> None:
    scaffold.new_rule(house, "ALC299", "old-name", "querying")
    with pytest.raises(SystemExit, match="is already there"):
        scaffold.new_rule(house, "ALC299", "old-name", "querying")


@pytest.mark.parametrize(
    ("code", "name", "folder", "message"),
    [
        ("ALC9", "old-name", "querying", "'ALC9' is no code"),
        ("ALC299", "OldName", "querying", "'OldName' is no name"),
        ("ALC299", "old-name", "nowhere", "there is no folder 'nowhere' for rules; there are querying"),
    ],
)
def test_wrong_arguments_are_named(
    scaffold: ModuleType, house: Path, code: str, name: str, folder: str, message: str
) -> None:
    with pytest.raises(SystemExit, match=message):
        scaffold.new_rule(house, code, name, folder)
