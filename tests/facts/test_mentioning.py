"""In which files names occur."""

from __future__ import annotations

from pathlib import Path

from alchemod.facts.mentioning import Mentions

A, B, C = Path("a.py"), Path("b.py"), Path("c.py")


def test_files_are_given_in_order_whether_the_name_was_announced_or_not() -> None:
    contents = {B: b"one two", A: b"two three", C: b"twos one"}
    found = Mentions(lambda: contents, [b"one", b"none"])
    assert list(found.of(b"one")) == [B, C]
    assert list(found.of(b"two")) == [B, A]
    assert list(found.of(b"none")) == []


def test_a_file_that_changes_is_found_by_what_it_holds_now() -> None:
    contents = {B: b"one", A: b"two", C: b"one"}
    found = Mentions(lambda: contents, [b"one"])
    assert list(found.of(b"two")) == [A]
    found.update(A, contents[A], b"one one # two")
    assert list(found.of(b"one")) == [B, A, C]
    found.update(B, contents[B], b"two")
    assert list(found.of(b"one")) == [A, C]
    assert list(found.of(b"two")) == [B, A]
