"""The elements of a value become arguments of the call around it; those of a display in the layout that they have."""

from __future__ import annotations

from typing import Any

import libcst as cst

from alchemod.edits.arguments import gap_after, with_gap, without
from alchemod.edits.parentheses import parenthesized
from alchemod.edits.refusal import Refusal
from alchemod.edits.spacing import Whitespace, break_like, breaks, has_comment, joined
from alchemod.edits.verbs import Spread


def opened(call: cst.Call, index: int, display: Any, shift: int) -> cst.Call:
    """A call with the elements of a display in the place of its argument number `index`.

    `display` is the argument's value with the edits inside it; `shift` is by how much the lines of its elements move to
    the left (see `shift_of`).
    """
    old = call.args[index]
    left, right = (_moved(space, shift) for space in _inner_spaces(display))
    elements = display.args if isinstance(display, cst.Call) else display.elements
    if not elements:
        return without(call, ("args", index))  # type: ignore[no-any-return]
    before = call.whitespace_before_args if index == 0 else gap_after(call.args[index - 1])
    inner = [_argument(element, _Shifted(shift)) for element in elements]
    head, tail = list(call.args[:index]), list(call.args[index + 1 :])
    opens_lines = breaks(left) and not breaks(before)
    first = left if opens_lines else joined(before, left, at_end=False) if has_comment(left) else before
    if tail and opens_lines and breaks(right) and not breaks(gap_after(old)):
        inner[-1] = with_gap(inner[-1], _break(left, right), comma=True)
        last, ends = tail[-1], isinstance(elements[-1].comma, cst.Comma)
        if not breaks(gap_after(last)):
            tail[-1] = with_gap(last, break_like(right), comma=ends or isinstance(last.comma, cst.Comma))
    elif not tail and opens_lines and breaks(right):
        inner[-1] = with_gap(inner[-1], right, comma=isinstance(inner[-1].comma, cst.Comma))
    else:
        gap = joined(right, gap_after(old), at_end=not tail) if has_comment(right) else gap_after(old)
        own = breaks(gap) and isinstance(inner[-1].comma, cst.Comma)
        inner[-1] = with_gap(inner[-1], gap, comma=own or isinstance(old.comma, cst.Comma))
    if head:
        head[-1] = with_gap(head[-1], first, comma=True)
        return call.with_changes(args=[*head, *inner, *tail])
    return call.with_changes(args=[*inner, *tail], whitespace_before_args=first)


def starred(call: cst.Call, index: int, value: Any) -> cst.Call:
    """A call with `*value` in the place of its argument number `index`."""
    if isinstance(value, cst.GeneratorExp | cst.NamedExpr) and not value.lpar:
        value = parenthesized(value)
    old = call.args[index]
    new = cst.Arg(value, star="*", comma=old.comma, whitespace_after_arg=old.whitespace_after_arg)
    return call.with_changes(args=[*call.args[:index], new, *call.args[index + 1 :]])


def shift_of(verb: Spread) -> int:
    """By how many columns the elements of a display move to the left when its brackets are gone.

    Elements on lines of their own follow the display where that begins a line; elements that are aligned with the first
    one stay aligned.
    """
    display, elements = verb.value, verb.elements
    if not elements:
        return 0
    first = elements[0]
    if first.lineno > display.lineno:
        return max(first.col_offset - display.col_offset, 0)
    aligned = any(one.lineno > first.lineno and one.col_offset == first.col_offset for one in elements)
    return first.col_offset - display.col_offset if aligned else 0


def _inner_spaces(display: Any) -> tuple[Whitespace, Whitespace]:
    """The whitespace behind the opening and before the closing bracket."""
    match display:
        case cst.Call(lpar=[], args=[*_, last]):
            return display.whitespace_before_args, gap_after(last)
        case cst.List(lpar=[]):
            return display.lbracket.whitespace_after, display.rbracket.whitespace_before
        case cst.Set(lpar=[]):
            return display.lbrace.whitespace_after, display.rbrace.whitespace_before
        case cst.Tuple(lpar=[left], rpar=[right]):
            return left.whitespace_after, right.whitespace_before
    raise Refusal("the brackets of the list have more parentheses around them")


def _argument(element: Any, shifted: _Shifted) -> cst.Arg:
    moved: Any = element.visit(shifted)
    if isinstance(moved, cst.Arg):
        return moved
    return cst.Arg(moved.value, star="*" if isinstance(element, cst.StarredElement) else "", comma=moved.comma)


def _moved(space: Whitespace, columns: int) -> Whitespace:
    new: Any = space.visit(_Shifted(columns))
    return new  # type: ignore[no-any-return]


def _break(like: Any, right: Any) -> Whitespace:
    """A line break to the column of `like` that keeps the comments of `right`."""
    new: Whitespace = like.with_changes(first_line=right.first_line, empty_lines=right.empty_lines)
    return new


class _Shifted(cst.CSTTransformer):
    """Moves the lines of a node to the left."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self._columns = columns

    def leave_ParenthesizedWhitespace(
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.ParenthesizedWhitespace:
        """Moves the line that begins here, and the comments above it."""
        lines = [line.with_changes(whitespace=self._moved(line.whitespace)) for line in updated_node.empty_lines]
        return updated_node.with_changes(last_line=self._moved(updated_node.last_line), empty_lines=lines)

    def _moved(self, space: cst.SimpleWhitespace) -> cst.SimpleWhitespace:
        if self._columns and space.value.startswith(" " * self._columns):
            return space.with_changes(value=space.value[self._columns :])
        return space
