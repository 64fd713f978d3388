"""Arguments come and go, and their layout stays: separators, trailing comma, comments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from alchemod.edits.parentheses import parenthesized
from alchemod.edits.spacing import Whitespace, break_like, breaks, broken_at, has_comment, joined

_NO_COMMA = cst.MaybeSentinel.DEFAULT


def gap_after(argument: cst.Arg) -> Whitespace:
    """The whitespace after an argument and its comma."""
    if isinstance(argument.comma, cst.Comma):
        return argument.comma.whitespace_after
    return argument.whitespace_after_arg


def with_gap(argument: cst.Arg, gap: Whitespace, *, comma: bool) -> cst.Arg:
    """The argument with this whitespace after it and, or else without, a comma."""
    if not comma:
        return argument.with_changes(comma=_NO_COMMA, whitespace_after_arg=gap)
    old = argument.comma if isinstance(argument.comma, cst.Comma) else cst.Comma()
    return argument.with_changes(
        comma=old.with_changes(whitespace_after=gap), whitespace_after_arg=cst.SimpleWhitespace("")
    )


def spread(old: cst.Arg, new: Sequence[cst.Arg]) -> list[cst.Arg]:
    """The arguments that take the place of one."""
    plain = [with_gap(argument, cst.SimpleWhitespace(" "), comma=True) for argument in new[:-1]]
    last = new[-1].with_changes(comma=old.comma, whitespace_after_arg=old.whitespace_after_arg)
    return [*plain, last]


def without(node: Any, step: tuple[str, int | None]) -> Any:
    """A call or class without one argument. The comments around it stay."""
    name, index = step
    assert index is not None
    everything = _arguments(node)
    if name == "keywords":
        index += len(node.bases)
    gone, at_end = everything[index], index == len(everything) - 1
    rest = [*everything[:index], *everything[index + 1 :]]
    before = _before(node)
    if index == 0:
        before = joined(before, gap_after(gone), at_end=at_end)
        before = before if rest or has_comment(before) else cst.SimpleWhitespace("")
    else:
        gap = joined(gap_after(rest[index - 1]), gap_after(gone), at_end=at_end)
        comma = isinstance(gone.comma, cst.Comma) or not at_end
        rest[index - 1] = with_gap(rest[index - 1], gap, comma=comma)
    return _with_arguments(node, rest, before)


def with_added(node: Any, new: cst.Arg, *, first: bool = False) -> Any:
    """A call or class with one more argument, after the others: but before keywords if it is positional,
    and before ``**``. Or before all of them.
    """
    old = [_with_own_parentheses(argument) for argument in _arguments(node)]
    index = 0 if first else _index_for(new, old)
    before = _before(node)
    like = gap_after(old[index - 2]) if index > 1 else before
    if not old:
        everything = [new]
    elif index < len(old):
        after = gap_after(old[index - 1]) if index else before
        space = break_like(after) if breaks(after) else cst.SimpleWhitespace(" ")
        everything = [*old[:index], with_gap(new, space, comma=True), *old[index:]]
    else:
        last, tail = old[-1], gap_after(old[-1])
        comma = isinstance(last.comma, cst.Comma)
        gap, tail = broken_at(tail, like) if breaks(like) else (cst.SimpleWhitespace(" "), tail)
        everything = [*old[:-1], with_gap(last, gap, comma=True), with_gap(new, tail, comma=comma)]
    return _with_arguments(node, everything, before)


def _arguments(node: Any) -> list[cst.Arg]:
    return [*node.bases, *node.keywords] if isinstance(node, cst.ClassDef) else list(node.args)


def _before(node: Any) -> Whitespace:
    """The whitespace before the first argument."""
    if isinstance(node, cst.Call):
        return node.whitespace_before_args
    if isinstance(node.lpar, cst.LeftParen):
        return node.lpar.whitespace_after
    return cst.SimpleWhitespace("")


def _with_arguments(node: Any, new: list[cst.Arg], before: Whitespace) -> Any:
    if isinstance(node, cst.Call):
        return node.with_changes(args=new, whitespace_before_args=before)
    bases = next((i for i, arg in enumerate(new) if arg.keyword is not None or arg.star == "**"), len(new))
    return node.with_changes(
        bases=new[:bases],
        keywords=new[bases:],
        lpar=cst.LeftParen(whitespace_after=before) if new else cst.MaybeSentinel.DEFAULT,
        rpar=cst.RightParen() if new else cst.MaybeSentinel.DEFAULT,
    )


def _with_own_parentheses(argument: cst.Arg) -> cst.Arg:
    """A generator that is the sole argument uses the parentheses of the call."""
    if isinstance(argument.value, cst.GeneratorExp) and not argument.value.lpar:
        return argument.with_changes(value=parenthesized(argument.value))
    return argument


def _index_for(new: cst.Arg, arguments: Sequence[cst.Arg]) -> int:
    for index, argument in enumerate(arguments):
        if argument.star == "**" or (argument.keyword is not None and new.keyword is None and not new.star):
            return index
    return len(arguments)
