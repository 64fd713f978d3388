"""Identifiers in bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.text.source import decode
from alchemod.text.words import mentioned_lines, mentions, words


def test_words_are_identifiers_in_order() -> None:
    assert words("a.b_1 'c' # d\nété, a".encode()) == [b"a", b"b_1", b"c", b"d", "été".encode(), b"a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Local()", True),
        ("x=Local", True),
        ("Locale, Locals, Local", True),
        ("Locale()", False),
        ("thisLocal", False),
        ("éLocal Localé", False),
        ("1Local", False),
        ("", False),
    ],
)
def test_only_whole_words_are_mentioned(text: str, expected: bool) -> None:
    assert mentions(text.encode(), b"Local") is expected


def test_lines_end_as_for_python() -> None:
    data = b"it, it\r\nits\rx.it\n\f\x0b\nit_ 'it'"
    assert mentioned_lines(data, frozenset([b"it", b"its", b"no"])) == {b"it": [1, 3, 5], b"its": [2]}


def test_lines_with_one_word_are_those_of_all_words() -> None:
    source = decode(b"a\r\nb a a_a\rx 'a'\na\x0ca\n\nsa\n", Path("x.py"))
    assert source.lines_with("a") == mentioned_lines(source.utf8, frozenset([b"a"]))[b"a"] == [1, 2, 3, 4]
    assert source.lines_with("y") == []
