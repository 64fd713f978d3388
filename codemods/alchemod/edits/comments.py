"""What the tokens of a piece of code say: its comments, its strings, its line breaks."""

from __future__ import annotations

import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator

from alchemod.edits.refusal import Refusal


def comments_in(code: str) -> list[str]:
    """The comments of a piece of code whose brackets are balanced, in order, without the blanks after them.

    Raises Refusal when it cannot be split into tokens.
    """
    if "#" not in code:
        return []
    return [token.string.rstrip() for token in tokens_of(code) if token.type == tokenize.COMMENT]


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
    found: list[int] = []
    opened: list[int] = []
    for token in tokens_of(code):
        name = tokenize.tok_name[token.type]
        if name == "STRING":
            found.extend(range(token.start[0], token.end[0]))
        elif name in ("FSTRING_START", "TSTRING_START"):
            opened.append(token.start[0])
        elif name in ("FSTRING_END", "TSTRING_END"):
            found.extend(range(opened.pop(), token.end[0]))
    return sorted(set(found))


def breaks_line_outside_brackets(code: str) -> bool:
    """Whether a line ends outside of all brackets of the code, and not at a backslash."""
    if "\n" not in code and "\r" not in code:
        return False
    depth, breaks = 0, 0
    for token in tokens_of(code):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        breaks += token.type == tokenize.NL and depth == 1
    return breaks > 1  # one stands before the bracket that _tokens adds


def tokens_of(code: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a piece of code in brackets: there the indentation of what was cut out of a suite is no error.

    Raises Refusal when it cannot be split into tokens.
    """
    code = code.replace("\r\n", "\n").replace("\r", "\n")
    try:
        yield from tokenize.generate_tokens(io.StringIO(f"({code}\n)").readline)
    except (tokenize.TokenError, SyntaxError):
        raise Refusal("the comments and strings could not be told apart") from None
