"""Names added to and taken from one import statement, in the layout it has."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from alchemod.edits.lines import Lines
from alchemod.text.spans import Replacement

ImportStatement: TypeAlias = ast.Import | ast.ImportFrom
Key: TypeAlias = Callable[[str], Any]


class ImportList:
    """The names of one import statement and where they stand."""

    def __init__(self, statement: ImportStatement, lines: Lines) -> None:
        self._statement = statement
        self._lines = lines
        self._source = lines.source
        self._aliases = statement.names

    def added(self, new: Sequence[str], line_length: int) -> list[Replacement]:
        """The statement with more names, such as ``text`` or ``text as sa_text``.

        They go where a sorted list has them, else to the end. A line that would become longer than
        ``line_length`` is put in parentheses, with a name per line.
        """
        if self._one_per_line():
            return [self._on_own_line(index, names) for index, names in self._positions(new)]
        edits = [self._inline(index, names) for index, names in self._positions(new)]
        start, end = self._source.span(self._statement)
        width = end - self._lines.start(self._lines.of(start)) + sum(len(edit.new) for edit in edits)
        if width > line_length and self._is_plain():
            return [self._exploded(new)]
        return edits

    def without(self, gone: Sequence[ast.alias]) -> list[Replacement] | None:
        """The statement without some names, but not all; None when a comment is in the way."""
        kept = [alias for alias in self._aliases if alias not in gone]
        if self._one_per_line():
            lines = [self._lines.of(self._source.span(alias)[0]) for alias in gone]
            if any(b"#" in self._lines.text(line) for line in lines):
                return None
            return [Replacement(self._lines.start(line), self._lines.start(line + 1), b"") for line in lines]
        if b"#" in self._source.segment(self._statement):
            return None
        return list(self._cut(kept))

    def _cut(self, kept: list[ast.alias]) -> Iterator[Replacement]:
        first = self._source.span(kept[0])[0]
        if (start := self._source.span(self._aliases[0])[0]) < first:
            yield Replacement(start, first, b"")
        for before, after in pairwise(kept):
            if self._aliases.index(after) > self._aliases.index(before) + 1:
                yield Replacement(self._source.span(before)[1], self._source.span(after)[0], b", ")
        last, end = self._source.span(kept[-1])[1], self._source.span(self._aliases[-1])[1]
        if last < end:
            yield Replacement(last, end, b"")

    def _positions(self, new: Sequence[str]) -> list[tuple[int, list[str]]]:
        return positions([_text(alias) for alias in self._aliases], new)

    def _one_per_line(self) -> bool:
        lines = [alias.lineno for alias in self._aliases]
        return lines[0] > self._statement.lineno and len(set(lines)) == len(lines) and self._in_parentheses()

    def _in_parentheses(self) -> bool:
        return self._source.segment(self._statement).endswith(b")")

    def _is_plain(self) -> bool:
        one_line = self._statement.lineno == self._statement.end_lineno
        return one_line and not self._in_parentheses() and isinstance(self._statement, ast.ImportFrom)

    def _on_own_line(self, index: int, names: list[str]) -> Replacement:
        at_end = index == len(self._aliases)
        beside = self._aliases[index - 1 if index else 0]
        line = self._lines.of(self._source.span(beside)[0])
        indent, newline = self._lines.indent(line), self._source.newline
        if at_end and not self._has_trailing_comma():
            offset = self._source.span(beside)[1]
            text = "".join(f",{newline}{indent}{name}" for name in names)
        else:
            offset = self._lines.start(line + 1 if index else line)
            text = "".join(f"{indent}{name},{newline}" for name in names)
        return Replacement(offset, offset, text.encode())

    def _has_trailing_comma(self) -> bool:
        end = self._source.span(self._aliases[-1])[1]
        return self._source.utf8[end : self._source.span(self._statement)[1]].lstrip().startswith(b",")

    def _inline(self, index: int, names: list[str]) -> Replacement:
        if index < len(self._aliases):
            offset = self._source.span(self._aliases[index])[0]
            return Replacement(offset, offset, "".join(f"{name}, " for name in names).encode())
        offset = self._source.span(self._aliases[-1])[1]
        return Replacement(offset, offset, "".join(f", {name}" for name in names).encode())

    def _exploded(self, new: Sequence[str]) -> Replacement:
        names = [_text(alias) for alias in self._aliases]
        for index, added in reversed(self._positions(new)):
            names[index:index] = added
        newline = self._source.newline
        listed = "".join(f"    {name},{newline}" for name in names)
        start, end = self._source.span(self._aliases[0])[0], self._source.span(self._statement)[1]
        return Replacement(start, end, f"({newline}{listed})".encode())


def positions(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, list[str]]]:
    """New names by the index of the old name they go before: where a sorted list has them, else at the end."""
    keys: list[Key] = [_by_kind, str.lower, str]
    key = next((key for key in keys if list(old) == sorted(old, key=key)), None)
    found: dict[int, list[str]] = {}
    for name in sorted(new, key=key or _by_kind):
        index = len(old) if key is None else bisect_right(old, key(name), key=key)
        found.setdefault(index, []).append(name)
    return sorted(found.items())


def _text(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _by_kind(name: str) -> tuple[int, str]:
    """Constants, classes, everything else: the order of isort."""
    plain = name.partition(" ")[0]
    kind = 0 if plain.isupper() and len(plain) > 1 else 1 if plain[:1].isupper() else 2
    return kind, name
