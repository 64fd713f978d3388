"""A statement that an edit made too long for a line is broken, in the style of black.

A chain of calls goes into parentheses, on one line per link if it must; arguments that share a line get one each; else
the arguments of the outermost call go on a line of their own, or on one each with a trailing comma if they do not fit.
Lines that the edit did not change are left as they are.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import StringIO
from itertools import accumulate, pairwise
from typing import Any

from alchemod.text.spans import Replacement, splice

_ROUNDS = 20
_BEFORE_A_CHAIN = re.compile(rb"|or|and|(?:async )?for\b.*\bin|if")
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Room:
    """Where a statement stands: the column of its first character, the limit of its lines, in characters."""

    column: int
    limit: int
    indent: str
    newline: str

    def widths(self, text: str) -> list[int]:
        """How long the lines of the statement are, trailing comments not counted: they may stick out."""
        first, *others = _without_trailing_comments(text)
        return [self.column + len(first), *map(len, others)]

    def too_long(self, text: str) -> list[int]:
        """The lines that are longer than the limit, from 0."""
        return [line for line, width in enumerate(self.widths(text)) if width > self.limit]


def _without_trailing_comments(text: str) -> list[str]:
    lines = text.splitlines() or [""]
    if "#" in text:
        with suppress(tokenize.TokenError, IndentationError, IndexError):
            for token in tokenize.generate_tokens(StringIO(text).readline):
                line, column = token.start
                if token.type == tokenize.COMMENT and lines[line - 1][:column].strip():
                    lines[line - 1] = lines[line - 1][:column].rstrip()
    return lines


def wrapped(new: str, old: str, room: Room, *, is_header: bool) -> str:
    """The code of a statement or header, on more lines if it is too long: where ``old`` was, longer than that."""
    room = replace(room, limit=max(room.limit, *room.widths(old)))
    known = frozenset(old.splitlines())
    text = new
    for _ in range(_ROUNDS):
        lines = text.splitlines()
        long = [line for line in room.too_long(text) if lines[line] not in known]
        broken = next(filter(None, (_broken(text, line, room, is_header) for line in long)), None)
        if broken is None:
            break
        text = broken
    return text if text == new or _same(text, new, is_header) else new


def _broken(text: str, line: int, room: Room, is_header: bool) -> str | None:
    """The code with one line broken, or None when there is no place for it."""
    statement = _Statement.parsed(text, room, is_header)
    if statement is None:
        return None
    edits = (
        statement.chain_edits()
        or statement.tuple_edits()
        or statement.shared_line_edits(line)
        or statement.line_edits(line)
        or statement.bracket_edits(line)
    )
    return splice(text.encode(), edits).decode() if edits else None


def _tree(text: str, is_header: bool) -> ast.stmt | None:
    try:
        return ast.parse(f"{text} pass" if is_header else text).body[0]
    except (SyntaxError, ValueError, IndexError):
        return None


def _same(one: str, other: str, is_header: bool) -> bool:
    first, second = _tree(one, is_header), _tree(other, is_header)
    return first is not None and second is not None and ast.dump(first) == ast.dump(second)


def _parts(node: ast.AST) -> list[Any]:
    """The arguments of a call, or the elements of a display, in source order."""
    if isinstance(node, ast.Call):
        return sorted((*node.args, *node.keywords), key=lambda part: (part.lineno, part.col_offset))
    return list(node.elts) if isinstance(node, ast.List | ast.Set | ast.Tuple) else []


def _calls_something(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


class _Statement:
    """The parsed code of a statement, and where its calls may be broken."""

    def __init__(self, text: str, tree: ast.stmt, room: Room) -> None:
        self._bytes = text.encode()
        self._tree = tree
        self._room = room
        self._lines = self._bytes.splitlines(keepends=True)
        self._starts = list(accumulate(map(len, self._lines), initial=0))

    @classmethod
    def parsed(cls, text: str, room: Room, is_header: bool) -> _Statement | None:
        tree = _tree(text, is_header)
        return None if tree is None else cls(text, tree, room)

    def chain_edits(self) -> list[Replacement]:
        """The edits that put the chain which is the value of a one-line statement into parentheses."""
        if not isinstance(self._tree, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return):
            return []
        value = self._tree.value
        if len(self._lines) > 1 or value is None or len(dots := self._dots(value)) < 2:
            return []
        start, end = self._span(value)
        inner, outer = self._line_break(self._step()), self._line_break("")
        if self._bytes[start - 1 : start] == b"(" and self._bytes[end : end + 1] == b")":
            edges = [Replacement(start, start, inner), Replacement(end, end, outer)]
        else:
            edges = [Replacement(start, start, b"(" + inner), Replacement(end, end, outer + b")")]
        width = len((self._room.indent + self._step()).encode() + self._bytes[start:end])
        links = [] if width <= self._room.limit else [Replacement(dot, dot, inner) for dot in dots]
        return [edges[0], *links, edges[1]]

    def tuple_edits(self) -> list[Replacement]:
        """The edits that put the bare tuple which is the value of a one-line statement into parentheses."""
        if not isinstance(self._tree, ast.Assign | ast.Return) or len(self._lines) > 1:
            return []
        value = self._tree.value
        if not isinstance(value, ast.Tuple) or len(value.elts) < 2:
            return []
        start, end = self._span(value)
        if self._bytes[start : start + 1] == b"(":
            return []
        first, *others, last = self._part_edits(value.elts, start, end, self._room.indent)
        return [replace(first, new=b"(" + first.new), *others, replace(last, new=last.new + b")")]

    def shared_line_edits(self, line: int) -> list[Replacement]:
        """The edits that put arguments or elements which share a line, inside brackets, on a line each."""
        for node in ast.walk(self._tree):
            parts = [part for part in _parts(node) if self._is_on(line, part)]
            if len(parts) < 2 or self._bytes[self._starts[line] : self._span(parts[0])[0]].strip(b" \t("):
                continue
            if self._spanned(node).start < self._starts[line]:
                edits = list(self._breaks_between(parts, self._line_break("", self._indent_of(line))))
                return [*edits, *self._trailing_comma(node, parts[-1])]
        return []

    def _trailing_comma(self, node: ast.AST, last: Any) -> Iterator[Replacement]:
        """The comma after the last part of a node whose bracket closes on a line of its own."""
        start, end = self._span(last)[1], self._spanned(node).stop - 1
        between = self._bytes[start:end]
        may_follow = all(isinstance(part, ast.expr) or part.arg is not None for part in _parts(node))
        if last is _parts(node)[-1] and b"\n" in between and not between.strip() and may_follow:
            yield Replacement(start, start, b",")

    def _is_on(self, line: int, part: Any) -> bool:
        start, end = self._span(part)
        return self._starts[line] <= start and end <= self._starts[line + 1]

    def _spanned(self, node: Any) -> range:
        return range(*self._span(node))

    def line_edits(self, line: int) -> list[Replacement]:
        """The edits that put a chain with which a line begins, inside brackets, on a line per link."""
        if line == 0 or self._lines[line - 1].rstrip().endswith(b"\\"):
            return []
        for call in self._calls(line):
            start = self._span(call)[0]
            before = self._bytes[self._starts[line] : start].strip() if start >= self._starts[line] else None
            is_first = before is not None and _BEFORE_A_CHAIN.fullmatch(before) is not None
            if is_first and len(dots := self._dots(call)) > 1:
                return [Replacement(dot, dot, self._line_break("", self._indent_of(line))) for dot in dots]
        return []

    def _dots(self, value: ast.expr) -> list[int]:
        """Where the dots are that follow a call in a chain of calls."""
        found: list[int] = []
        node: Any = value
        while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
            inner = node.func if isinstance(node, ast.Call) else node.value
            if isinstance(node, ast.Attribute) and isinstance(inner, ast.Call | ast.Subscript):
                found.append(self._bytes.index(b".", self._span(inner)[1]))
            node = inner
        return found[::-1] if isinstance(value, ast.Call) else []

    def bracket_edits(self, line: int) -> list[Replacement]:
        """The edits that put what stands in the outermost brackets of a line on lines of its own.

        The arguments of a call get a line each, and so do the clauses of a comprehension.
        """
        for node in self._nodes(line):
            if isinstance(node, _COMPREHENSIONS):
                return self._clause_edits(node, line)
            if isinstance(node, ast.List | ast.Set) and len(node.elts) > 1 and any(map(_calls_something, node.elts)):
                start, end = self._span(node)
                return self._part_edits(node.elts, start + 1, end - 1, self._indent_of(line))
            if isinstance(node, ast.Call) and (node.args or node.keywords):
                opening = self._bytes.index(b"(", self._span(node.func)[1])
                before = self._bytes[self._starts[line] : opening + 1].decode()
                if len(before) + (self._room.column if line == 0 else 0) <= self._room.limit:
                    return self._argument_edits(node, line, opening)
        return []

    def _calls(self, line: int) -> Iterator[ast.Call]:
        """The calls whose last parentheses both stand on a line, the outermost first."""
        return (node for node in self._nodes(line) if isinstance(node, ast.Call))

    def _nodes(self, line: int) -> Iterator[ast.AST]:
        """The nodes whose last brackets both stand on a line, the outermost first."""
        level: list[ast.AST] = [self._tree]
        while level:
            for node in level:
                if isinstance(node, ast.Call | ast.List | ast.Set | _COMPREHENSIONS):
                    start, end = self._brackets(node)
                    if self._starts[line] <= start and end <= self._starts[line + 1]:
                        yield node
            level = [
                child for node in level if not isinstance(node, ast.JoinedStr) for child in ast.iter_child_nodes(node)
            ]

    def _brackets(self, node: Any) -> tuple[int, int]:
        """Where the brackets of a call or comprehension stand, or what is in them if they are not on its line."""
        start, end = self._span(node)
        if isinstance(node, ast.Call):
            return self._span(node.func)[1], end
        if isinstance(node, _COMPREHENSIONS):
            first, last = node.key if isinstance(node, ast.DictComp) else node.elt, node.generators[-1]
            if b"\n" in self._bytes[start : self._span(first)[0]]:
                return self._span(first)[0], self._span((last.ifs or [last.iter])[-1])[1]
        return start, end

    def _clause_edits(self, node: Any, line: int) -> list[Replacement]:
        """The edits that put the element and the clauses of a comprehension on a line each."""
        start, end = self._brackets(node)
        has_brackets = (start, end) == self._span(node)
        step = self._step() if has_brackets else ""
        inner = self._line_break(step, self._indent_of(line))
        places = [self._before(b"for", self._span(clause.target)[0]) for clause in node.generators]
        places += [self._before(b"if", self._span(test)[0]) for clause in node.generators for test in clause.ifs]
        edits = [Replacement(place - 1, place, inner) for place in sorted(places)]
        if any(self._bytes[place - 1 : place] != b" " for place in places):
            return []
        if not has_brackets:
            return edits
        closing = self._line_break("", self._indent_of(line))
        return [Replacement(start + 1, start + 1, inner), *edits, Replacement(end - 1, end - 1, closing)]

    def _before(self, word: bytes, place: int) -> int:
        """Where a keyword begins that stands before a place."""
        start = self._bytes.rindex(word, 0, place)
        is_async = word == b"for" and self._bytes[start - 6 : start] == b"async "
        return start - 6 if is_async else start

    def _argument_edits(self, call: ast.Call, line: int, opening: int) -> list[Replacement]:
        return self._part_edits(_parts(call), opening + 1, self._span(call)[1] - 1, self._indent_of(line))

    def _part_edits(self, parts: Sequence[Any], start: int, end: int, outer: str) -> list[Replacement]:
        """The edits that put what stands between two brackets on a line of its own, or each part on one."""
        inner, closing = self._line_break(self._step(), outer), self._line_break("", outer)
        inside = self._bytes[start:end].decode()
        has_comma = self._has_comma(self._span(parts[-1])[1], end)
        width = len(outer) + len(self._step()) + len(inside.strip())
        if len(parts) == 1 or ("\n" not in inside and not has_comma and width <= self._room.limit):
            return [Replacement(start, start, inner), Replacement(end, end, closing)]
        edits = [Replacement(start, start, inner), *self._breaks_between(parts, inner)]
        return [*edits, Replacement(end, end, (b"" if has_comma else b",") + closing)]

    def _breaks_between(self, parts: Sequence[Any], line_break: bytes) -> Iterator[Replacement]:
        for before, after in pairwise(parts):
            comma = self._bytes.index(b",", self._span(before)[1])
            rest = self._bytes[comma + 1 : self._span(after)[0]]
            yield Replacement(comma + 1, comma + 1 + len(rest) - len(rest.lstrip()), line_break)

    def _has_comma(self, start: int, end: int) -> bool:
        return b"," in self._bytes[start:end]

    def _indent_of(self, line: int) -> str:
        if line == 0:
            return self._room.indent
        text = self._lines[line].decode()
        return text[: len(text) - len(text.lstrip())]

    def _step(self) -> str:
        return "\t" if "\t" in self._room.indent else "    "

    def _line_break(self, step: str, outer: str | None = None) -> bytes:
        indent = self._room.indent if outer is None else outer
        return f"{self._room.newline}{indent}{step}".encode()

    def _span(self, node: Any) -> tuple[int, int]:
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )
