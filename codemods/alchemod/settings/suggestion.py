"""Did you mean: the known name nearest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest known name, else nothing."""
    from difflib import get_close_matches

    folded = word.casefold()
    by_folded = {name.casefold(): name for name in known}
    nearest = get_close_matches(folded, by_folded, cutoff=0.7)
    if not nearest:
        return ""
    best = max(nearest, key=lambda name: sum(a == b for a, b in zip(name, folded, strict=False)))
    return f"; did you mean {by_folded[best]!r}?"
