"""What the registry knows of rules, and in which order they own a site."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from alchemod.engine.registry import Registry, RuleEntry, rule_class
from alchemod.engine.rule import Rule


def entry(code: str, **fields: object) -> RuleEntry:
    return RuleEntry(code, f"name-of-{code.lower()}", "", f"nowhere.{code}", **fields)  # type: ignore[arg-type]


def test_iteration_is_by_code_and_includes_the_finding_of_the_engine() -> None:
    codes = [one.code for one in Registry([entry("MIG1"), entry("ALC201")])]
    assert codes == ["ALC001", "ALC201", "MIG1"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry("B"), entry("A")], ["A", "B"]),
        ([entry("A", after=("B",)), entry("B")], ["B", "A"]),
        ([entry("A", yields_to=("C",)), entry("B"), entry("C")], ["C", "A", "B"]),
        ([entry("A", after=("Z",)), entry("B")], ["A", "B"]),
        ([entry("A", after=("B",)), entry("B", after=("A",))], ["B", "A"]),
    ],
    ids=["by code", "after", "yields", "absent", "cycle"],
)
def test_order(entries: list[RuleEntry], expected: list[str]) -> None:
    ranks = Registry(entries).order(one.code for one in entries)
    assert sorted(ranks, key=lambda code: ranks[code]) == expected


def test_a_rule_is_imported_when_it_is_first_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry([entry("ALC201")])
    assert "nowhere.ALC201" not in sys.modules
    module = ModuleType("nowhere.ALC201")

    class FilterBy(Rule):
        """Filter by."""

        code = "ALC201"
        __module__ = "nowhere.ALC201"

    module.FilterBy = FilterBy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nowhere.ALC201", module)
    rule = registry.rule("ALC201")
    assert isinstance(rule, FilterBy)
    assert registry.rule("ALC201") is rule
    assert registry.documentation("ALC201") == "Filter by."


def test_a_module_must_define_exactly_one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "empty", ModuleType("empty"))
    with pytest.raises(ImportError, match="empty defines 0 rules"):
        rule_class("empty")


def test_the_engine_documents_its_own_finding() -> None:
    assert "ignore-file" in Registry([]).documentation("ALC001")
    with pytest.raises(KeyError):
        Registry([]).rule("ALC001")
