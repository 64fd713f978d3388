"""In which files names occur."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.facts.mentioning import Mentions

A, B, C = Path("a.py"), Path("b.py"), Path("c.py")
OTHERS = [f"other{number}".encode() for number in range(20)]


@pytest.mark.parametrize("asked_before", [0, len(OTHERS)])
def test_files_are_given_in_order_whether_the_name_was_announced_or_not(asked_before: int) -> None:
    contents = {B: b"one two", A: b"two three", C: b"twos one"}
    found = Mentions(lambda: contents, [b"one", b"none", *OTHERS])
    assert not any(found.of(name) for name in OTHERS[:asked_before])
    assert list(found.of(b"one")) == [B, C]
    assert list(found.of(b"two")) == [B, A]
    assert list(found.of(b"none")) == []


@pytest.mark.parametrize("asked_before", [0, len(OTHERS)])
def test_a_file_that_changes_is_found_by_what_it_holds_now(asked_before: int) -> None:
    contents = {B: b"one", A: b"two", C: b"one"}
    found = Mentions(lambda: contents, [b"one", *OTHERS])
    assert not any(found.of(name) for name in OTHERS[:asked_before])
    assert list(found.of(b"two")) == [A]

    def change(path: Path, now: bytes) -> None:
        found.update(path, contents[path], now)
        contents[path] = now

    change(A, b"one one # two")
    assert list(found.of(b"one")) == [B, A, C]
    change(B, b"two")
    assert list(found.of(b"one")) == [A, C]
    assert list(found.of(b"two")) == [B, A]
