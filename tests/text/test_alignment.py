"""Edit scripts lead from the old lines to the new ones, and are short."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alchemod.text import alignment
from alchemod.text.alignment import changed_spans

LINES = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=9)


def carried_out(old: list[bytes], new: list[bytes]) -> tuple[list[bytes], int]:
    result: list[bytes] = []
    done = edits = 0
    for a, b, c, d in changed_spans(old, new):
        result += [*old[done:a], *new[c:d]]
        done = b
        edits += b - a + d - c
    return result + old[done:], edits


def shortest(old: list[bytes], new: list[bytes]) -> int:
    row = list(range(len(new) + 1))
    for i, line in enumerate(old, 1):
        above, row = row, [i]
        for j, other in enumerate(new, 1):
            row.append(above[j - 1] if line == other else 1 + min(above[j], row[-1]))
    return row[-1]


@given(LINES, LINES)
def test_scripts_are_right_and_shortest(old: list[bytes], new: list[bytes]) -> None:
    assert carried_out(old, new) == (new, shortest(old, new))


@given(LINES, LINES)
def test_spans_are_separate_and_equal_lines_lie_between(old: list[bytes], new: list[bytes]) -> None:
    spans = changed_spans(old, new)
    for (_, b, _, d), (a, _, c, _) in pairwise(spans):
        assert a > b
        assert old[b:a] == new[d:c]


@pytest.mark.parametrize("stride", [1, 2, 3])
@given(LINES, LINES)
def test_scripts_put_together_are_right(stride: int, old: list[bytes], new: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "_STRIDE", stride)
        assert carried_out(old, new)[0] == new


@given(LINES, LINES)
def test_no_change_begins_or_ends_with_an_equal_line(old: list[bytes], new: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "_STRIDE", 1)
        spans = changed_spans(old, new)
    for a, b, c, d in spans:
        assert not (old[a:b] and new[c:d]) or (old[a] != new[c] and old[b - 1] != new[d - 1])


def test_very_different_texts() -> None:
    old = [b"%d" % (number if number % 3 else -number) for number in range(2000)]
    new = [b"%d" % (number if number % 3 else number + 10**9) for number in range(2000)]
    assert carried_out(old, new) == (new, 2 * 667)
