"""Versions: order and specifiers as PEP 440, Poetry and conda define them; ranges over the known series."""

from __future__ import annotations

import pytest

from alchemod.facts.versions import ANY, VersionRange, parse_release, parse_specifiers


def allowed(specifiers: str, version: str) -> bool:
    return bool(parse_specifiers(specifiers) & parse_specifiers(f"=={version}"))


@pytest.mark.parametrize(
    ("specifiers", "inside", "outside"),
    [
        (">=1.4,<2", ["1.4", "1.4.54", "1.9"], ["1.3.24", "2.0", "2.0.0b1"]),
        ("<2.0.0rc1", ["1.4", "2.0.0b4"], ["2.0.0rc1", "2.0"]),
        ("~=1.3", ["1.3", "1.4.54"], ["1.2", "2.0", "2.0.0b1"]),
        ("~=1.4.2", ["1.4.2", "1.4.54"], ["1.4.1", "1.5"]),
        ("==1.4.*", ["1.4", "1.4.0b1", "1.4.54"], ["1.3.24", "1.5", "2.0"]),
        ("==1.4", ["1.4.0"], ["1.4.1"]),
        ("===1.4.49", ["1.4.49"], ["1.4.48"]),
        ("!=1.3.21,>=1.3.16, <1.4", ["1.3.16", "1.3.20", "1.3.22"], ["1.3.21", "1.3.15", "1.4"]),
        ("!=1.4.*", ["1.3.24", "2.0"], ["1.4", "1.4.54"]),
        (">1.4", ["1.4.1"], ["1.4", "1.4.post1"]),
        ("<=1.4.10", ["1.4.10", "1.3"], ["1.4.11"]),
        ("^1.4", ["1.4", "1.9"], ["1.3", "2.0"]),
        ("^0.9.3", ["0.9.3", "0.9.9"], ["0.9.2", "0.10"]),
        ("^0", ["0.5"], ["1.0"]),
        ("~1.4", ["1.4", "1.4.54"], ["1.5"]),
        ("~1", ["1.9"], ["2.0"]),
        ("1.4.*", ["1.4.54"], ["1.5"]),
        (">=1.3 <1.4 || ^2.0", ["1.3.5", "2.1"], ["1.4", "3.0"]),
        ("=1.4", ["1.4.54"], ["1.5"]),
        ("=1.4.49=py311_0", ["1.4.49"], ["1.4.50"]),
        ("(>=1.4)", ["1.4"], ["1.3"]),
        (">= 2.1.0b1", ["2.1.0b1", "2.1"], ["2.0.58"]),
    ],
)
def test_specifiers(specifiers: str, inside: list[str], outside: list[str]) -> None:
    assert [version for version in inside if not allowed(specifiers, version)] == []
    assert [version for version in outside if allowed(specifiers, version)] == []


@pytest.mark.parametrize("anything", ["", "*", "  "])
def test_no_specifier_allows_all(anything: str) -> None:
    assert parse_specifiers(anything) == ANY


@pytest.mark.parametrize("nonsense", ["latest", ">=", ">=1.4,,", "{ver}", "==1.4.x", "1.4 or so"])
def test_nonsense_raises(nonsense: str) -> None:
    with pytest.raises(ValueError, match="specifier"):
        parse_specifiers(nonsense)


def test_contradicting_specifiers_allow_nothing() -> None:
    assert not parse_specifiers(">=2,<1.4")


@pytest.mark.parametrize(
    ("specifiers", "steps", "exact"),
    [
        (">=1.3.16,<1.4,!=1.3.21", ("1.3",), (1, 3, 16)),
        (">=1.3,<1.5", ("1.3", "1.4"), (1, 3)),
        ("~=1.3", ("1.3", "1.4"), (1, 3)),
        (">=1.4.24", ("1.4", "2.0", "2.1"), (1, 4, 24)),
        (">=1.4,<2.0.0rc1", ("1.4",), (1, 4)),
        (">=2.0.1,<2.1", ("2.0",), (2, 0, 1)),
        ("==2.1.0b1", ("2.1",), (2, 1)),
        (">=2.2", ("2.1",), (2, 2)),
        (">=0.9,<2", ("1.3", "1.4"), (0, 9)),
        (">=1.3,!=1.4.*", ("1.3", "2.0", "2.1"), (1, 3)),
    ],
)
def test_steps(specifiers: str, steps: tuple[str, ...], exact: tuple[int, ...]) -> None:
    found = VersionRange(parse_specifiers(specifiers), "x")
    assert (found.steps, found.exact_lowest) == (steps, exact)
    assert (found.lowest, found.highest) == (steps[0], steps[-1])


def test_allows_asks_for_every_version() -> None:
    found = VersionRange(parse_specifiers(">=1.4.24,<2.1"), "x")
    assert found.allows("1.4")
    assert found.allows("1.4.24")
    assert not found.allows("1.4.25")
    assert not found.allows("2.0")
    assert VersionRange(parse_specifiers(">=2.0.0b1"), "x").allows("2.0")


def test_exactly_is_one_series() -> None:
    found = VersionRange.exactly("1.3")
    assert (found.steps, found.source, str(found)) == (("1.3",), "--target 1.3", "1.3")
    assert found.allows("1.3")
    assert not found.allows("1.4")
    assert VersionRange.exactly("2.1").allows("2.1")
    with pytest.raises(ValueError, match=r"1\.2"):
        VersionRange.exactly("1.2")


def test_release_numbers() -> None:
    assert parse_release("2.0.0b1") == (2,)
    assert parse_release("1.10.0.post2") == (1, 10)
    assert parse_release("1.9") < parse_release("1.10")
