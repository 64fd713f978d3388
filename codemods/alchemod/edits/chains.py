"""A new link in a chain of calls goes on a line of its own when the chain is written that way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from alchemod.edits.paths import Path, follow, put
from alchemod.edits.spacing import break_like, breaks, broken_at, has_comment, joined

_DOT = ("dot", None)
_BEFORE = ("whitespace_before", None)


def links(extended: Any, path: Path) -> list[Path]:
    """The paths to the dots that lie between a chain and its beginning at ``path``, the innermost first.

    Empty when what stands at ``path`` is not the beginning of a chain.
    """
    dots: list[Path] = []
    for length in range(len(path)):
        name = path[length][0]
        if name not in ("value", "func"):
            return []
        if isinstance(follow(extended, path[:length]), cst.Attribute):
            dots.append((*path[:length], _DOT, _BEFORE))
    dots.reverse()
    starts_with_dot = bool(dots) and dots[0][:-2] == path[:-1]
    return dots if starts_with_dot else []


def before_next_dot(attribute: cst.Attribute, extended: Any, dots: list[Path]) -> tuple[Any, list[tuple[Path, Any]]]:
    """New links before the dot of ``attribute``: they break the line as that dot does.

    A comment before the dot belongs to the line of the link before it, and goes to the first new dot. Returns
    the chain and what changes in ``attribute``.
    """
    space = attribute.dot.whitespace_before
    if not breaks(space):
        return extended, []
    for dot, before in [(dots[0], space), *((dot, break_like(space)) for dot in dots[1:])]:
        extended = put(extended, dot, before)
    return extended, [((_DOT, _BEFORE), break_like(space))]


def without_link(attribute: cst.Attribute, space: Any) -> list[tuple[Path, Any]]:
    """What changes in ``attribute`` when the link before its dot was taken out, which had ``space`` before its own."""
    after = attribute.dot.whitespace_before
    return [((_DOT, _BEFORE), joined(space, after, at_end=False))] if has_comment(space) else []


def instead_of_link(chain: Any, dots: list[Path], space: Any) -> Any:
    """A chain whose last link was replaced by new ones: they break the line as it did, which had ``space``."""
    if not breaks(space):
        return chain
    for dot, new in [(dots[0], space), *((dot, break_like(space)) for dot in dots[1:])]:
        chain = put(chain, dot, new)
    return chain


def at_the_end(extended: Any, start: Any, dots: list[Path]) -> Any:
    """New links after the last of a chain ``start``: they break the line as its last dot does."""
    like = next(spaces_before_dots(start), None)
    if not breaks(like):
        return extended
    first: Any = break_like(like)
    if extended.rpar and breaks(extended.rpar[0].whitespace_before):
        first, closing = broken_at(extended.rpar[0].whitespace_before, like)
        extended = put(extended, (("rpar", 0), _BEFORE), closing)
    for dot, space in [(dots[0], first), *((dot, break_like(like)) for dot in dots[1:])]:
        extended = put(extended, dot, space)
    return extended


def first_break(chain: Any) -> Any:
    """The first line break before a dot of a chain of calls; None when it stands on one line, or is none."""
    broken = [space for space in spaces_before_dots(chain) if isinstance(space, cst.ParenthesizedWhitespace)]
    return break_like(broken[-1]) if broken and isinstance(chain, cst.Call) else None


def spaces_before_dots(chain: Any) -> Iterator[Any]:
    """The whitespace before each dot of a chain, the last dot first."""
    while isinstance(chain, cst.Call | cst.Subscript | cst.Attribute):
        if isinstance(chain, cst.Attribute):
            yield chain.dot.whitespace_before
        chain = chain.func if isinstance(chain, cst.Call) else chain.value
