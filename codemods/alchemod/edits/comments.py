"""Comments: finding them in a piece of code, and taking codes out of a ``noqa``."""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable

from alchemod.edits.refusal import Refusal

_NOQA = re.compile(r"#\s*noqa\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.IGNORECASE)


def comments_in(code: str) -> list[str]:
    """The comments of a piece of code whose brackets are balanced, in order, without the blanks after them.

    Raises Refusal when it cannot be split into tokens.
    """
    if "#" not in code:
        return []
    # Between brackets the indentation of a piece cut out of its suite does not matter.
    lines = io.StringIO(f"({code}\n)").readline
    try:
        return [
            token.string.rstrip() for token in tokenize.generate_tokens(lines) if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):
        raise Refusal("the comments could not be read") from None


def lost_comments(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """The comments of the pieces of old code that are in no piece of the new code."""
    old = Counter(comment for piece in before for comment in comments_in(piece))
    if not old:
        return []
    old.subtract(Counter(comment for piece in after for comment in comments_in(piece)))
    return [comment for comment, count in old.items() if count > 0]


def string_lines(code: str) -> list[int]:
    """The lines of a piece of code, from 0, that begin inside a string literal."""
    if '"""' not in code and "'''" not in code and "\\" not in code:
        return []
    lines = io.StringIO(f"({code}\n)").readline
    found: list[int] = []
    opened: list[int] = []
    try:
        for token in tokenize.generate_tokens(lines):
            name = tokenize.tok_name[token.type]
            if name == "STRING":
                found.extend(range(token.start[0], token.end[0]))
            elif name in ("FSTRING_START", "TSTRING_START"):
                opened.append(token.start[0])
            elif name in ("FSTRING_END", "TSTRING_END"):
                found.extend(range(opened.pop(), token.end[0]))
    except (tokenize.TokenError, SyntaxError):
        raise Refusal("the strings could not be read") from None
    return sorted(set(found))


def without_noqa(comment: str, codes: Iterable[str]) -> str:
    """A comment whose ``noqa`` no longer names the codes; empty when nothing else was in it."""
    match = _NOQA.search(comment)
    if match is None:
        return comment
    gone = {code.upper() for code in codes}
    listed = re.split(r"[,\s]+", match["codes"])
    kept = [code for code in listed if code.upper() not in gone]
    if len(kept) == len(listed):
        return comment
    before, after = comment[: match.start()], comment[match.end() :]
    if kept:
        separator = ", " if ", " in match["codes"] else ","
        start = match.start("codes")
        return comment[:start] + separator.join(kept) + after
    return (before + after.lstrip()).rstrip()
