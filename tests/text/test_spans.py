"""Splicing replaced spans into bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemod.text.spans import OverlapError, Replacement, splice


@st.composite
def edits(draw: st.DrawFn) -> tuple[bytes, list[Replacement]]:
    data = draw(st.binary(max_size=40))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=10, unique=True)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return data, [Replacement(start, end, draw(st.binary(max_size=5))) for start, end in pairs]


@given(edits(), st.randoms())
def test_only_the_spans_change(case: tuple[bytes, list[Replacement]], random: object) -> None:
    data, replacements = case
    shuffled = list(replacements)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    expected = data
    for edit in reversed(replacements):
        expected = expected[: edit.start] + edit.new + expected[edit.end :]
    assert splice(data, shuffled) == expected


def test_insertions_at_one_place_keep_their_order_and_come_first() -> None:
    edits = [
        Replacement(1, 2, b"X"),
        Replacement(1, 1, b"1"),
        Replacement(1, 1, b"2"),
        Replacement(2, 2, b"3"),
    ]
    assert splice(b"abc", edits) == b"a12X3c"


@pytest.mark.parametrize("second", [(1, 3), (0, 4), (2, 2), (1, 2), (0, 2)])
def test_overlapping_edits_are_refused(second: tuple[int, int]) -> None:
    with pytest.raises(OverlapError):
        splice(b"abcdef", [Replacement(1, 3, b"x"), Replacement(*second, b"y")])


@pytest.mark.parametrize("span", [(-1, 1), (0, 7), (3, 2), (7, 7)])
def test_spans_outside_the_data_are_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="lies outside"):
        splice(b"abcdef", [Replacement(*span, b"")])


def test_a_replacement_asked_for_twice_is_made_once() -> None:
    assert splice(b"a; b", [Replacement(1, 3, b"\n"), Replacement(1, 3, b"\n")]) == b"a\nb"
    with pytest.raises(OverlapError):
        splice(b"a; b", [Replacement(1, 3, b"\n"), Replacement(1, 3, b",")])
