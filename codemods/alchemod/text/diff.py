r"""Unified diffs of bytes that ``git apply`` takes.

Lines end at ``\n`` alone, as for git: the ``\r`` of CRLF and a lone ``\r`` are part of the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alchemod.text.alignment import Span, changed_spans

_NO_NEWLINE = b"\n\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class DiffStat:
    """How much a diff changes: hunks, lines added, lines removed."""

    hunks: int
    added: int
    removed: int


def unified_diff(name: str, old: bytes, new: bytes, context: int = 3) -> bytes:
    """The diff from ``old`` to ``new`` of the file ``name``; empty when they are equal.

    ``name`` is relative to the folder the diff is applied in, with ``/``. ``context`` is the
    number of unchanged lines around a hunk.
    """
    if old == new:
        return b""
    old_lines, new_lines = _lines(old), _lines(new)
    before, after = _quoted("a/" + name.lstrip("/")), _quoted("b/" + name.lstrip("/"))
    pieces = [b"diff --git %s %s\n" % (before, after), _header(b"---", before), _header(b"+++", after)]
    for hunk in _hunks(changed_spans(old_lines, new_lines), context):
        pieces.extend(_rendered(hunk, old_lines, new_lines, context))
    return b"".join(pieces)


def diff_stat(diff: bytes) -> DiffStat:
    """The counts of a diff of one file, as :func:`unified_diff` makes it."""
    _, _, hunks = diff.partition(b"\n@@ ")
    marks = [line[:1] for line in hunks.split(b"\n")[1:]]
    return DiffStat(marks.count(b"@") + bool(hunks), marks.count(b"+"), marks.count(b"-"))


def _lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _hunks(changes: list[Span], context: int) -> Iterator[list[Span]]:
    """Changes that share context lines, together."""
    hunk = changes[:1]
    for change in changes[1:]:
        if change[0] - hunk[-1][1] > 2 * context:
            yield hunk
            hunk = []
        hunk.append(change)
    yield hunk


def _rendered(hunk: list[Span], old: list[bytes], new: list[bytes], context: int) -> Iterator[bytes]:
    (a, _, c, _), (_, b, _, d) = hunk[0], hunk[-1]
    before, after = min(a, context), min(len(old) - b, context)
    a, b, c, d = a - before, b + after, c - before, d + after
    yield b"@@ -%s +%s @@\n" % (_range(a, b), _range(c, d))
    done = a
    for i, j, k, m in hunk:
        yield from (_marked(b" ", line) for line in old[done:i])
        yield from (_marked(b"-", line) for line in old[i:j])
        yield from (_marked(b"+", line) for line in new[k:m])
        done = j
    yield from (_marked(b" ", line) for line in old[done:b])


def _range(start: int, end: int) -> bytes:
    length = end - start
    if length == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if length else start, length)


def _marked(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + _NO_NEWLINE


def _header(mark: bytes, name: bytes) -> bytes:
    """A ``---`` or ``+++`` line; a tab ends a name that has blanks, as git writes it."""
    return b"%s %s%s\n" % (mark, name, b"\t" if b" " in name and not name.startswith(b'"') else b"")


_ESCAPES = {
    7: b"\\a",
    8: b"\\b",
    9: b"\\t",
    10: b"\\n",
    11: b"\\v",
    12: b"\\f",
    13: b"\\r",
    34: b'\\"',
    92: b"\\\\",
}


def _quoted(name: str) -> bytes:
    """A file name as git writes it: in quotes when it has a control character, ``"`` or a backslash.

    Bytes of a name that is not UTF-8 (surrogates) are written in octal.
    """
    raw = name.encode("utf-8", "surrogateescape")
    if name.isprintable() and '"' not in name and "\\" not in name:
        return raw
    escaped = (_ESCAPES.get(byte) or (bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte) for byte in raw)
    return b'"%s"' % b"".join(escaped)
