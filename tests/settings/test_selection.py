"""Which rules run."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from alchemod.settings.options import Selectors, Settings, SettingsError
from alchemod.settings.selection import selected


class Rule(NamedTuple):
    code: str
    name: str
    on: bool


RULES = (
    Rule("ALC001", "unused-suppression", True),
    Rule("ALC101", "session-without-context-manager", True),
    Rule("ALC201", "filter-by-keywords", True),
    Rule("ALC202", "lazy-load-in-loop", True),
    Rule("ALC210", "opt-in", False),
    Rule("MIG501", "removed-thing", True),
    Rule("MIG502", "opt-in-migration", False),
)
ON = {"ALC001", "ALC101", "ALC201", "ALC202"}


def chosen(*layers: Selectors, within: str | None = None, **options: tuple[str, ...]) -> set[str]:
    return set(selected(RULES, Settings(layers=layers, **options), within))  # type: ignore[arg-type]


def test_by_default_the_rules_that_are_on() -> None:
    assert chosen() == ON


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (("ALC201",), {"ALC201"}),
        (("filter-by-keywords",), {"ALC201"}),
        (("ALC210",), {"ALC210"}),
        (("opt-in",), {"ALC210"}),
        (("ALC2",), {"ALC201", "ALC202", "ALC210"}),
        (("ALC20",), {"ALC201", "ALC202"}),
        (("MIG",), {"MIG501", "MIG502"}),
        (("ALC1", "MIG501"), {"ALC101", "MIG501"}),
        (("ALL",), {rule.code for rule in RULES}),
    ],
)
def test_what_is_selected_runs(select: tuple[str, ...], expected: set[str]) -> None:
    assert chosen(select=select) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"ignore": ("ALC2",)}, {"ALC001", "ALC101"}),
        ({"ignore": ("ALL",)}, set()),
        ({"extend_select": ("MIG502", "ALC210")}, ON | {"MIG502", "ALC210"}),
        ({"select": ("ALC2",), "ignore": ("ALC202",)}, {"ALC201", "ALC210"}),
        ({"select": ("ALC201",), "ignore": ("ALC2",)}, {"ALC201"}),
        ({"select": ("ALC201",), "ignore": ("ALC",)}, {"ALC201"}),
        ({"select": ("ALC20",), "ignore": ("ALC2",)}, {"ALC201", "ALC202"}),
        ({"select": ("ALC2",), "ignore": ("ALC20",), "extend_select": ("lazy-load-in-loop",)}, {"ALC202", "ALC210"}),
        ({"select": ("ALL",), "ignore": ("MIG",)}, ON | {"ALC210"}),
        ({"select": ("ALC201",), "ignore": ("filter-by-keywords",)}, set()),
    ],
)
def test_the_most_specific_selector_wins(options: dict[str, tuple[str, ...]], expected: set[str]) -> None:
    assert chosen(**options) == expected


@pytest.mark.parametrize(
    ("configured", "given", "expected"),
    [
        (Selectors(select=("ALC1",)), Selectors(select=("ALC2",)), {"ALC201", "ALC202", "ALC210"}),
        (Selectors(select=("ALC201",)), Selectors(ignore=("ALC2",)), set()),
        (Selectors(ignore=("ALC201",)), Selectors(select=("ALC2",)), {"ALC201", "ALC202", "ALC210"}),
        (Selectors(ignore=("ALC201",)), Selectors(extend_select=("ALC2",)), {*ON, "ALC210"}),
        (Selectors(ignore=("ALC201",)), Selectors(), ON - {"ALC201"}),
        (Selectors(select=()), Selectors(), set()),
        (Selectors(select=()), Selectors(extend_select=("ALC101",)), {"ALC101"}),
        (Selectors(select=("ALC1",), extend_select=("ALC202",)), Selectors(ignore=("ALC101",)), {"ALC202"}),
    ],
)
def test_the_command_line_goes_over_the_configuration(
    configured: Selectors, given: Selectors, expected: set[str]
) -> None:
    assert chosen(configured, given) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"MIG501"}),
        ({"extend_select": ("MIG502",)}, {"MIG501", "MIG502"}),
        ({"select": ("MIG502", "ALC201")}, {"MIG502"}),
        ({"select": ("ALC",)}, {"MIG501"}),
        ({"select": ("ALL",), "ignore": ("MIG501",)}, {"MIG502"}),
        ({"ignore": ("ALC201",)}, {"MIG501"}),
    ],
)
def test_within_a_family(options: dict[str, tuple[str, ...]], expected: set[str]) -> None:
    assert chosen(within="MIG", **options) == expected


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("ALC2O1", "; did you mean 'ALC201'?"),
        ("alc201", "; did you mean 'ALC201'?"),
        ("filter-by-keyword", "; did you mean 'filter-by-keywords'?"),
        ("Filter-By-Keywords", "; did you mean 'filter-by-keywords'?"),
        ("XYZ", ""),
        ("AL", "; did you mean 'ALL'?"),
        ("", ""),
        ("ALC9", ""),
        ("all", "; did you mean 'ALL'?"),
    ],
)
@pytest.mark.parametrize("option", ["select", "extend_select", "ignore"])
def test_an_unknown_selector(selector: str, hint: str, option: str) -> None:
    with pytest.raises(SettingsError) as caught:
        chosen(**{option: (selector,)})
    flag = "--" + option.replace("_", "-")
    message = str(caught.value)
    assert message.startswith(f"{flag}: {selector!r} is no rule code, name or prefix")
    assert message.endswith(hint)
    if not hint:
        assert message.endswith("prefix")


def test_an_unknown_selector_says_where_it_stands() -> None:
    settings = Settings(select=("NOPE1",), origin={"select": "pyproject.toml:12"})
    with pytest.raises(SettingsError, match=r"^pyproject.toml:12: 'NOPE1' is no rule"):
        selected(RULES, settings)
