"""Code of several lines that becomes the only argument of a new call is put on lines of its own.

    users = (                           users = session.scalars(
        session.query(User)                 select(User)
        .filter(User.active)      to        .where(User.active)
        .all()                          ).all()
    )

The parentheses around the old code become those of the call; the links of a chain that had none are put below each
other. All comments stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import libcst as cst

from alchemod.edits import chains
from alchemod.edits.filling import Template
from alchemod.edits.paths import Path, follow, put_all
from alchemod.edits.spacing import break_like, breaks, has_comment

_BEFORE_ARGUMENTS = ("whitespace_before_args", None)
_FIRST_ARGUMENT = (("args", 0), ("value", None))
_ALONG_A_CHAIN = (("func", None), ("value", None))


@dataclass(frozen=True, slots=True)
class Lines:
    """Where new lines begin: the blanks after the indentation of the block, those one level deeper, the newline."""

    outer: str
    inner: str

    @classmethod
    def at(cls, outer: str, step: str) -> Lines:
        """The lines of what begins on a line that is indented by `outer` within its block."""
        return cls(outer, outer + step)

    def opening(self) -> cst.ParenthesizedWhitespace:
        """The line break after a bracket that is opened."""
        return _line_break(self.inner)

    def closing(self) -> cst.ParenthesizedWhitespace:
        """The line break before a bracket that is closed."""
        return _line_break(self.outer)

    def around(self, code: Any, opening: cst.ParenthesizedWhitespace) -> Any:
        """An expression in parentheses on lines of their own; `opening` is the line break before its first line."""
        return code.with_changes(
            lpar=(cst.LeftParen(whitespace_after=opening),), rpar=(cst.RightParen(whitespace_before=self.closing()),)
        )

    def closing_for(self, opening: Any) -> Any:
        """The line break before the bracket that closes one which is followed by the line break ``opening``."""
        blanks = opening.last_line.value.removesuffix(self.inner.removeprefix(self.outer))
        return break_like(opening).with_changes(last_line=cst.SimpleWhitespace(blanks))


def _line_break(blanks: str) -> cst.ParenthesizedWhitespace:
    return cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace(blanks))


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a template: the path to it, and from it to the hole that it begins with."""

    path: Path
    beyond: Path


def argument_of_lines(template: Template, value_of: Callable[[Any], Any]) -> Argument | None:
    """The only argument of a call in a template that gets code of several lines, as a whole or as its beginning."""
    found = [
        argument
        for path, value in template.paths
        if (argument := _only_argument(template.code, path)) is not None and _spans(value_of(value))
    ]
    return found[0] if len(found) == 1 else None


def _only_argument(code: Any, path: Path) -> Argument | None:
    for end in range(len(path), 1, -1):
        if path[end - 2 : end] == _FIRST_ARGUMENT:
            alone = len(follow(code, path[: end - 2]).args) == 1
            return Argument(path[:end], path[end:]) if alone else None
        if path[end - 1] not in _ALONG_A_CHAIN:
            return None
    return None


def enclosed(code: Any, argument: Argument, own: Any, lines: Lines) -> tuple[Any, bool]:
    """The code of a filled template, with an argument on lines of its own.

    ``own`` is what the template stands for. Returns the code, and whether the parentheses of ``own`` went into it.
    """
    path = argument.path
    content = follow(code, path)
    opening, closing, inside, taken = _edges(own, content, lines)
    inside = _with_links_below(inside, argument.beyond, opening)
    closing = _with_comments(closing, _before_last_dot(own, content))
    new = follow(code, path[:-1]).with_changes(value=inside, whitespace_after_arg=closing)
    return put_all(code, [((*path[:-2], _BEFORE_ARGUMENTS), opening), (path[:-1], new)]), taken


def _with_links_below(chain: Any, beyond: Path, like: Any) -> Any:
    """A chain that the template made longer: the new links begin lines if others do."""
    dots = chains.links(chain, beyond) if beyond else []
    start = follow(chain, beyond)
    if not dots or not any(breaks(space) for space in chains.spaces_before_dots(start)):
        return chain
    return put_all(chain, [(dot, break_like(like)) for dot in dots])


def _edges(own: Any, content: Any, lines: Lines) -> tuple[Any, Any, Any, bool]:
    """The whitespace at both ends, the content between it, and whether that of ``own`` was taken.

    Parentheses that end lines keep these; others go, and the content is put below the line that they stood on.
    """
    is_other = own is not content
    if content.lpar and breaks(content.lpar[-1].whitespace_after):
        bare = content.with_changes(lpar=content.lpar[:-1], rpar=content.rpar[1:])
        return content.lpar[-1].whitespace_after, content.rpar[0].whitespace_before, bare, False
    if is_other and own.lpar and breaks(own.lpar[-1].whitespace_after):
        opening, closing = own.lpar[-1].whitespace_after, own.rpar[0].whitespace_before
        return opening, closing if breaks(closing) else lines.closing_for(opening), content, True
    opening, closing = lines.opening(), lines.closing()
    for expression in (content, own) if is_other else (content,):
        if expression.rpar:
            closing = _with_comments(closing, expression.rpar[0].whitespace_before)
    bare = content.with_changes(lpar=content.lpar[:-1], rpar=content.rpar[1:])
    return opening, closing, _below(bare, opening), is_other


def _before_last_dot(own: Any, content: Any) -> Any:
    """The whitespace before the link of `own` that the template writes anew."""
    if own is content or not isinstance(own, cst.Call) or not isinstance(own.func, cst.Attribute):
        return None
    return own.func.dot.whitespace_before


def _with_comments(closing: Any, space: Any) -> Any:
    """The closing whitespace with the comments of another one before its own."""
    if not has_comment(space):
        return closing
    if not isinstance(closing, cst.ParenthesizedWhitespace):
        return space
    comment = closing.first_line.comment
    own_line = [cst.EmptyLine(space.indent, space.last_line, comment)] if comment else []
    return closing.with_changes(
        first_line=space.first_line,
        empty_lines=(*space.empty_lines, *own_line, *closing.empty_lines),
    )


def _below(node: Any, like: Any) -> Any:
    """A chain with the links that began lines below its beginning, in the column of ``like``."""
    match node:
        case cst.Call():
            return node.with_changes(func=_below(node.func, like))
        case cst.Subscript():
            return node.with_changes(value=_below(node.value, like))
        case cst.Attribute():
            before, after = node.dot.whitespace_before, node.dot.whitespace_after
            if breaks(after):
                before, after = after, cst.SimpleWhitespace("")
            dot = cst.Dot(_line_break_like(like, before), after)
            return node.with_changes(value=_below(node.value, like), dot=dot)
    return node


def _line_break_like(like: Any, space: Any) -> Any:
    """A line break in the column of ``like`` where ``space`` breaks the line, with its comments."""
    if not breaks(space):
        return space
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return break_like(like)
    lines = [line.with_changes(indent=like.indent, whitespace=like.last_line) for line in space.empty_lines]
    return space.with_changes(indent=like.indent, last_line=like.last_line, empty_lines=lines)


def _spans(node: Any) -> bool:
    """Whether code goes over several lines, other than inside of strings."""
    if not isinstance(node, cst.Call | cst.Attribute | cst.Subscript):
        return False
    code = cst.Module([]).code_for_node(node)
    return "\n" in code and bool(_Breaks().found(node))


class _Breaks(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self._is_found = False

    def found(self, node: Any) -> bool:
        node.visit(self)
        return self._is_found

    def visit_ParenthesizedWhitespace(self, node: cst.ParenthesizedWhitespace) -> bool:
        self._is_found = True
        return False

    def visit_SimpleWhitespace(self, node: cst.SimpleWhitespace) -> bool:
        self._is_found = self._is_found or "\n" in node.value
        return False
