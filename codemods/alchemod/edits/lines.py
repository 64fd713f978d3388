"""The lines of a file, and where its statements begin and end on them."""

from __future__ import annotations

import ast
from bisect import bisect_right

from alchemod.edits.ancestry import Owner
from alchemod.edits.segments import line_indent, unit_span
from alchemod.text.source import SourceFile


class Lines:
    """Lines are numbered from 0 and keep their newline."""

    def __init__(self, source: SourceFile) -> None:
        self.source = source
        self._starts = source.line_starts

    def __len__(self) -> int:
        return len(self._starts) if self.source.utf8 else 0

    def of(self, offset: int) -> int:
        """The line that holds an offset."""
        return bisect_right(self._starts, offset) - 1

    def start(self, line: int) -> int:
        """The offset where a line begins; that of the end of the file for the line after the last."""
        return self._starts[line] if line < len(self._starts) else len(self.source.utf8)

    def text(self, line: int) -> bytes:
        """The bytes of a line with its newline."""
        return self.source.utf8[self.start(line) : self.start(line + 1)]

    def indent(self, line: int) -> str:
        """The indentation of a line."""
        return line_indent(self.source, self.start(line))

    def text_start(self, line: int) -> int:
        """The offset of the first character of a line that is no blank."""
        text = self.text(line)
        return self.start(line) + len(text) - len(text.lstrip(b" \t\f"))

    def is_blank(self, line: int) -> bool:
        """Whether the line exists and holds only blanks."""
        return 0 <= line < len(self) and not self.text(line).strip()

    def is_comment(self, line: int) -> bool:
        """Whether the line exists and holds only a comment."""
        return 0 <= line < len(self) and self.text(line).lstrip().startswith(b"#")

    def first(self, owner: Owner) -> int:
        """The line where a statement begins, its decorators counted."""
        decorators: list[ast.expr] = getattr(owner, "decorator_list", [])
        if not decorators:
            return self.of(unit_span(self.source, owner)[0])
        return self.decorator(decorators[0])

    def decorator(self, expression: ast.expr) -> int:
        """The line with the ``@`` of a decorator."""
        line = expression.lineno - 1
        while line > 0 and not self.text(line).lstrip().startswith(b"@"):
            line -= 1
        return line

    def last(self, owner: ast.stmt | ast.ExceptHandler) -> int:
        """The line where a statement ends."""
        assert owner.end_lineno is not None
        return owner.end_lineno - 1

    def with_comments(self, line: int, indent: str) -> int:
        """The last of the comment lines directly after ``line`` that are indented at least like a suite."""
        while self.is_comment(line + 1) and self.indent(line + 1).startswith(indent):
            line += 1
        return line

    def above(self, line: int) -> int:
        """The first of the comment lines directly above ``line`` with the same indentation, or ``line``."""
        indent = self.indent(line)
        while self.is_comment(line - 1) and self.indent(line - 1) == indent:
            line -= 1
        return line

    def keyword_above(self, line: int, keyword: bytes) -> int:
        """The line that begins with a keyword, ``line`` or the nearest above."""
        while line > 0 and not self.text(line).lstrip().startswith(keyword):
            line -= 1
        return line
