"""Edits as replaced spans of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class OverlapError(ValueError):
    """Two replacements claim the same bytes."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """``data[start:end]`` becomes ``new``; an insertion when ``start == end``."""

    start: int
    end: int
    new: bytes


def splice(data: bytes, replacements: Iterable[Replacement]) -> bytes:
    """``data`` with all replacements made; every other byte is copied.

    Insertions at one offset keep their order and come before a replacement that starts there; a replacement that is
    asked for twice is made once. Raises OverlapError when two spans overlap and ValueError when one lies outside
    ``data``.
    """
    pieces: list[bytes] = []
    done = 0
    last: Replacement | None = None
    for edit in sorted(replacements, key=lambda edit: (edit.start, edit.end)):
        if not 0 <= edit.start <= edit.end <= len(data):
            raise ValueError(f"span {edit.start}:{edit.end} lies outside the {len(data)} bytes")
        if edit == last and edit.start < edit.end:
            continue
        last = edit
        if edit.start < done:
            raise OverlapError(f"span {edit.start}:{edit.end} overlaps an edit that ends at {done}")
        pieces += (data[done : edit.start], edit.new)
        done = edit.end
    pieces.append(data[done:])
    return b"".join(pieces)
