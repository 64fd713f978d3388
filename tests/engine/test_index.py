"""The generated index of rules is what the rule modules say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from alchemod.engine.registry import entry_of
from alchemod.engine.rule import HEADINGS
from alchemod.rules._index import ENTRIES, registry

SCRIPT = Path(__file__).parents[2] / "scripts" / "index_rules.py"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("index_rules", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_index_is_up_to_date() -> None:
    module = generator()
    assert module.INDEX.read_text("utf-8") == module.rendered(), "run scripts/index_rules.py"


def test_entries_and_rules_agree() -> None:
    known = registry()
    for entry in ENTRIES:
        assert entry_of(type(known.rule(entry.code))) == entry
        assert entry.names or entry.dynamic
        assert entry.kinds


def test_codes_names_and_references_to_other_rules() -> None:
    codes = [entry.code for entry in registry()]
    assert len(set(codes)) == len({entry.name for entry in registry()}) == len(codes)
    for entry in ENTRIES:
        assert entry.code not in entry.after + entry.yields_to


def test_the_finding_of_the_engine_is_explained_as_rules_are() -> None:
    lines = registry().documentation("ALC001").splitlines()
    assert [line[:-1] for line in lines if line.endswith(":") and not line.startswith(" ")] == [*HEADINGS]
