"""The whitespace between arguments and before the dots of a chain: line breaks, and the comments in it."""

from __future__ import annotations

from typing import Any

import libcst as cst

Whitespace = cst.BaseParenthesizableWhitespace


def breaks(space: Any) -> bool:
    """Whether the whitespace ends a line: inside brackets, or with a backslash."""
    return isinstance(space, cst.ParenthesizedWhitespace) or "\\" in getattr(space, "value", "")


def has_comment(space: Any) -> bool:
    """Whether the whitespace holds a comment."""
    return isinstance(space, cst.ParenthesizedWhitespace) and (
        space.first_line.comment is not None or any(line.comment for line in space.empty_lines)
    )


def break_like(space: Any) -> Whitespace:
    """A line break to the same column, without comments and blank lines."""
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return space  # type: ignore[no-any-return]
    return space.with_changes(first_line=without_comment(space.first_line), empty_lines=())


def without_comment(line: cst.TrailingWhitespace) -> cst.TrailingWhitespace:
    """The end of a line, its comment taken off."""
    return line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))


def broken_at(space: Any, like: Any) -> tuple[Whitespace, Whitespace]:
    """Make room in ``space`` for something new, on a line of its own that starts in the column of ``like``.

    Returns the whitespace before and after it. A comment at the end of the line stays with what was there.
    """
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return break_like(like), space
    before = like.with_changes(first_line=space.first_line, empty_lines=())
    return before, space.with_changes(first_line=without_comment(space.first_line))


def joined(before: Any, after: Any, *, at_end: bool) -> Whitespace:
    """The whitespace around something that is taken out, as one; all comments are kept."""
    if not has_comment(before):
        return after if at_end or has_comment(after) else before  # type: ignore[no-any-return]
    if not isinstance(after, cst.ParenthesizedWhitespace):
        return before  # type: ignore[no-any-return]
    trailing = after.first_line.comment
    own_line = [cst.EmptyLine(before.indent, before.last_line, trailing)] if trailing else []
    return after.with_changes(
        first_line=before.first_line, empty_lines=(*before.empty_lines, *own_line, *after.empty_lines)
    )
