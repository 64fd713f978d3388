"""Where names occur in a file as words, found in its bytes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from alchemod.text.source import SourceFile

_IDENTIFIER = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz" + bytes(range(128, 256)))
_BLANKED = bytes(byte if byte in _IDENTIFIER else 32 for byte in range(256))


def words(source: SourceFile) -> list[bytes]:
    """The identifiers of a file in order, those in strings and comments included."""
    return source.utf8.translate(_BLANKED).split()


def is_called(names: Iterable[bytes], data: bytes) -> bool:
    """Whether one of the names stands before an opening parenthesis."""
    alternatives = b"|".join(map(re.escape, sorted(names)))
    return re.search(rb"(?<![\w.])?(?:" + alternatives + rb")\s*(?:\\\s*)?\(", data) is not None


def mentioned_lines(source: SourceFile, names: frozenset[bytes]) -> dict[bytes, list[int]]:
    """The lines, in order, on which each of the names occurs as a word; no entry for one that does not."""
    data, starts = source.utf8, source.line_starts
    found: dict[bytes, list[int]] = {}
    for name in names.intersection(words(source)):
        lines = found[name] = []
        at = data.find(name)
        while at >= 0:
            end = at + len(name)
            if not (_IDENTIFIER.intersection(data[at - 1 : at]) or _IDENTIFIER.intersection(data[end : end + 1])):
                lines.append(bisect_right(starts, at))
            at = data.find(name, end)
    return found
