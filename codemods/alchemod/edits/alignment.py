"""Continuation lines follow the bracket they belong to when an edit moves it.

A line that was written below the first thing in its bracket stays below it; one that was indented from the line of its
bracket keeps that indentation. Lines that begin inside a string, and line breaks that the edit made, stay as they are.
"""

from __future__ import annotations

import tokenize
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final

from alchemod.edits.comments import tokens_of

_MAX_TOKENS: Final = 4_000
_LAYOUT: Final = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Start:
    """Where a piece of code begins: the column of its first character, the blanks that its line begins with."""

    column: int
    indent: str


def aligned(new: str, start: Start, old: str, old_start: Start) -> str:
    """The new code of a statement with its continuation lines where they belong."""
    if "\n" not in old or "\n" not in new:
        return new
    before, after = _Laid(old, old_start), _Laid(new, start)
    if max(len(before.tokens), len(after.tokens)) > _MAX_TOKENS:
        return new
    return _Alignment(before, after).text()


@dataclass(slots=True)
class _Token:
    text: str
    line: int
    column: int


class _Laid:
    """A piece of code as tokens on lines."""

    def __init__(self, code: str, start: Start) -> None:
        self.lines: Final = code.split("\n")
        self._indent: Final = start.indent
        inside = [token for token in tokens_of(code) if token.type not in _LAYOUT][1:-1]
        self.tokens: Final = [
            _Token(token.string, line - 1, column + (start.column - 1 if line == 1 else 0))
            for token in inside
            for line, column in [token.start]
        ]

    @cached_property
    def first_on(self) -> dict[int, int]:
        """The index of the first token of each line that begins with one."""
        found: dict[int, int] = {}
        ends = -1
        for index, token in enumerate(self.tokens):
            if token.line > ends:
                found[token.line] = index
            ends = token.line + token.text.count("\n")
        return found

    @cached_property
    def bracket_of(self) -> list[int | None]:
        """The index of the bracket around each token; for a closing one that of its partner."""
        found: list[int | None] = []
        opened: list[int] = []
        for index, token in enumerate(self.tokens):
            if token.text in _CLOSING and opened:
                found.append(opened.pop())
                continue
            found.append(opened[-1] if opened else None)
            if token.text in _OPENING:
                opened.append(index)
        return found

    def below(self, bracket: int) -> int | None:
        """The column of what follows a bracket on its line, None when the line ends there."""
        following = self.tokens[bracket + 1] if bracket + 1 < len(self.tokens) else None
        if following is None or following.line != self.tokens[bracket].line or following.text.startswith("#"):
            return None
        return following.column

    def blanks(self, line: int) -> str:
        """The blanks that a line begins with."""
        if line == 0:
            return self._indent
        text = self.lines[line]
        return text[: len(text) - len(text.lstrip(" \t"))]


class _Alignment:
    def __init__(self, old: _Laid, new: _Laid) -> None:
        self._old: Final = old
        self._new: Final = new
        self._blanks: Final[dict[int, str]] = {}
        matcher = SequenceMatcher(
            None, [token.text for token in old.tokens], [token.text for token in new.tokens], autojunk=False
        )
        blocks = matcher.get_matching_blocks()
        self._partner: Final = {b + offset: a + offset for a, b, size in blocks for offset in range(size)}

    def text(self) -> str:
        """The new code, aligned."""
        for line, index in sorted(self._new.first_on.items()):
            if line > 0 and (blanks := self._wanted(index)) is not None:
                self._move(line, blanks)
        return "\n".join(
            self._blanks[number] + text.lstrip(" \t") if number in self._blanks else text
            for number, text in enumerate(self._new.lines)
        )

    def _move(self, line: int, blanks: str) -> None:
        shift = len(blanks) - len(self._new.blanks(line))
        if shift:
            self._blanks[line] = blanks
            for token in self._new.tokens:
                if token.line == line:
                    token.column += shift

    def _wanted(self, index: int) -> str | None:
        """The blanks before a token that begins a line; None when it stays where it is."""
        old, new = self._old, self._new
        partner, bracket = self._known_beginning(index), new.bracket_of[index]
        if partner is None or bracket is None or old.first_on.get(old.tokens[partner].line) != partner:
            return None
        old_bracket = self._partner.get(bracket)
        if old_bracket is None or old.bracket_of[partner] != old_bracket:
            return None
        if (old.below(old_bracket) is None) != (new.below(bracket) is None):
            return None
        old_line, new_line = old.tokens[old_bracket].line, new.tokens[bracket].line
        blanks = old.blanks(old.tokens[partner].line)
        if old.below(old_bracket) == old.tokens[partner].column:
            column = new.below(bracket)
            return " " * column if column is not None and "\t" not in blanks else None
        return self._hanging(blanks, old_line, new_line)

    def _known_beginning(self, index: int) -> int | None:
        """The partner of a token that begins a line, or of the first one behind it in its bracket that has one."""
        new = self._new
        while index < len(new.tokens) and (partner := self._partner.get(index)) is None:
            following = index + 1
            if (
                following == len(new.tokens)
                or new.tokens[following].line != new.tokens[index].line
                or new.bracket_of[following] != new.bracket_of[index]
            ):
                return None
            index = following
        return partner

    def _hanging(self, blanks: str, old_line: int, new_line: int) -> str | None:
        """The blanks of a line that is indented from the line of its bracket."""
        base = self._old.blanks(old_line)
        if not blanks.startswith(base):
            return None
        return self._blanks.get(new_line, self._new.blanks(new_line)) + blanks[len(base) :]
