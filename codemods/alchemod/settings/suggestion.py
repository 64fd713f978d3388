"""Did you mean: the known name nearest to a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest known name, else nothing."""
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    nearest = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[nearest[0]]!r}?" if nearest else ""
