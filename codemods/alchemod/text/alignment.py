"""Which lines of two versions belong together: the shortest edit script (Myers), as git finds it."""

from __future__ import annotations

from collections.abc import Sequence

Span = tuple[int, int, int, int]
"""``(a, b, c, d)``: ``old[a:b]`` became ``new[c:d]``."""

_History = list[dict[int, int]]
_NOWHERE = -(10**9)

_STRIDE = 128
"""Edits that are looked at together: a script of more is put together from shortest ones of so many lines
added and removed, because the time to find a script grows with the square of its length."""


def changed_spans(old: Sequence[bytes], new: Sequence[bytes]) -> list[Span]:
    """The changes that lead from ``old`` to ``new``, in order, with equal lines between any two of them."""
    x = y = 0
    end = (len(old), len(new))
    spans: list[Span] = []
    while (x, y) != end:
        history, x, y = _explored(old, new, x, y)
        for span in _walked_back(history, x, y, *end):
            _join(spans, span)
    return [trimmed for span in spans if (trimmed := _trimmed(span, old, new))]


def _trimmed(span: Span, old: Sequence[bytes], new: Sequence[bytes]) -> Span | None:
    """A change without the equal lines at its edges, which one has where two scripts were put together."""
    a, b, c, d = span
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    return (a, b, c, d) if (a, c) != (b, d) else None


def _explored(old: Sequence[bytes], new: Sequence[bytes], left: int, top: int) -> tuple[_History, int, int]:
    """The best way from line ``left`` of ``old`` and ``top`` of ``new``: to the end, or as far as is cheap.

    A point is ``(x, y)``: lines of ``old`` and of ``new`` dealt with. Diagonal ``k`` holds the points with
    ``x - y == k``. Returned are the furthest ``x`` of each diagonal before each edit, and the point.
    """
    width, height = len(old), len(new)
    origin = left - top
    reach = {origin + 1: left}
    history = []
    for edits in range(_STRIDE + 1):
        history.append(reach.copy())
        for k in range(origin - edits, origin + edits + 1, 2):
            x, _ = _step(reach, k, width, height)
            y = x - k
            while 0 <= x < width and y < height and old[x] == new[y]:
                x += 1
                y += 1
            reach[k] = x
            if x == width and y == height:
                return history, x, y
    x, k = max(((reach[k], k) for k in range(origin - edits, origin + edits + 1, 2)), key=_progress)
    return history, x, x - k


def _step(reach: dict[int, int], k: int, width: int, height: int) -> tuple[int, bool]:
    """The furthest ``x`` on diagonal ``k`` after one more edit, and whether the edit adds a line.

    Far below zero when no edit leads there: a point outside both texts must not be taken for one inside.
    """
    removed = reach.get(k - 1, _NOWHERE) + 1
    added = reach.get(k + 1, _NOWHERE)
    if removed > width:
        removed = _NOWHERE
    if added - k > height:
        added = _NOWHERE
    return (added, True) if added > removed else (removed, False)


def _progress(point: tuple[int, int]) -> int:
    x, k = point
    return x + x - k


def _walked_back(history: _History, x: int, y: int, width: int, height: int) -> list[Span]:
    """The single edits on the way to a point, in order."""
    spans: list[Span] = []
    for reach in history[:0:-1]:
        k = x - y
        _, adds = _step(reach, k, width, height)
        before = k + 1 if adds else k - 1
        x, y = reach[before], reach[before] - before
        spans.append((x, x, y, y + 1) if adds else (x, x + 1, y, y))
    return spans[::-1]


def _join(spans: list[Span], span: Span) -> None:
    """Append a span, as part of the last one when they touch."""
    if spans and (spans[-1][1], spans[-1][3]) == (span[0], span[2]):
        a, _, c, _ = spans.pop()
        span = (a, span[1], c, span[3])
    spans.append(span)
