"""The words, numbers, quoted pieces and signs of SQL text, whatever its dialect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "number", "string", "name", "parameter", "sign", "hole", "comment"]

HOLE = "\ufffc"
"""Stands for a value that is put into the text."""

_TOKEN = re.compile(
    rf"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<string>[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)|[nNbBxX]?'(?:[^']|'')*(?:'|\Z))
  | (?P<name>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]\n]*\])
  | (?P<parameter>(?<![:\w]):\w+(?!:)|%\(\w+\)s|%s|\?)
  | (?P<word>(?:[^\W\d]|[{HOLE}])(?:\w|[{HOLE}$\#])*)
  | (?P<number>\d+(?:\.\d+)?(?:[{HOLE}]|\w)*)
  | (?P<sign><>|<=|>=|!=|\|\||::|->>|->|~~|[^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of SQL. A word that is nothing but a hole is a `hole`; other pieces may have holes inside."""

    kind: Kind
    text: str
    start: int

    @property
    def word(self) -> str:
        """The text in capitals."""
        return self.text.upper()

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def tokens(sql: str) -> Iterator[Token]:
    """The pieces of a text in which :data:`HOLE` stands for each value, comments left out."""
    for match in _TOKEN.finditer(sql):
        text = match.group()
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        if text == HOLE:
            kind = "hole"
        if kind != "comment":
            yield Token(kind, text, match.start())
