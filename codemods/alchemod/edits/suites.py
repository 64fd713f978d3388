"""Statements come, go and move: what that means for the lines of the file.

Lines that stay are copied; where their indentation changes, only that changes. What disappears leaves its
comments behind.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alchemod.edits.ancestry import COMPOUND
from alchemod.edits.layout import Layout
from alchemod.edits.plan import Plan
from alchemod.edits.refusal import Refusal
from alchemod.edits.segments import header_end
from alchemod.edits.structure import Structure
from alchemod.edits.verbs import Append, Block, Decorate, Drop, Insert, Swap

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class CodeWriter(Protocol):
    """Writes the code of templates for a place with an indentation, without it on the first line."""

    def header(self, block: Block, indent: str) -> str:
        """The header of a block."""

    def statements(self, verb: Insert | Append | Swap, indent: str) -> str:
        """New statements."""

    def decorator(self, verb: Decorate, indent: str) -> str:
        """A decorator with its ``@``."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The statements of one suite. ``inline``: they stand on the line of its header."""

    owner: ast.AST
    name: str
    statements: Sequence[ast.stmt]
    indent: str
    inline: bool

    def follows_on_line(self, index: int) -> bool:
        """Whether a statement stands on the line where the one before it ends."""
        if not 0 < index < len(self.statements):
            return False
        return self.statements[index].lineno == self.statements[index - 1].end_lineno


class Arranger:
    """Carries out what a plan does to the suites of one file, on a layout."""

    def __init__(self, layout: Layout, plan: Plan, structure: Structure, code: CodeWriter) -> None:
        self._layout = layout
        self._lines = layout.lines
        self._source = layout.lines.source
        self._plan = plan
        self._structure = structure
        self._code = code
        self._claimed: set[int] = set()

    def arrange(self, tree: ast.Module) -> None:
        """Arrange all suites of the module. Raises Refusal when one cannot be."""
        self._arrange(tree, "body", "")

    def _arrange(self, owner: Any, name: str, indent: str) -> None:
        """Arrange a suite whose statements will have an indentation, and the suites inside it."""
        suite = self._suite(owner, name)
        if self._structure.changes(suite.statements, owner):
            self._check_place(suite)
            if name == "body" and not isinstance(owner, ast.Module) and not self._plan.on(owner, Append):
                self._keep_alive(suite, indent)
        self._range(suite, 0, len(suite.statements), indent)
        if name == "body" and (additions := self._plan.on(owner, Append)):
            self._append(suite, additions, indent)

    def _suite(self, owner: Any, name: str) -> Suite:
        statements: list[ast.stmt] = getattr(owner, name)
        if isinstance(owner, ast.Module) or not statements:
            return Suite(owner, name, statements, "", False)
        first = self._lines.first(statements[0])
        before = self._source.utf8[self._lines.start(first) : self._source.span(statements[0])[0]]
        inline = bool(before.strip()) and not isinstance(statements[0], COMPOUND)
        return Suite(owner, name, statements, self._lines.indent(first), inline)

    def _check_place(self, suite: Suite) -> None:
        """Refuse what needs lines of its own where there are none."""
        for statement in suite.statements:
            if self._structure.block_at(statement, ()) or self._plan.on(statement, Insert):
                if suite.inline:
                    raise Refusal("the suite stands on the line of its header")
                if self._is_elif(statement):
                    raise Refusal("the statement is an elif")

    def _is_elif(self, statement: ast.stmt) -> bool:
        return self._source.utf8.startswith(b"elif", self._source.span(statement)[0])

    def _keep_alive(self, suite: Suite, indent: str) -> None:
        """An emptied suite keeps ``pass``, where its last statement was."""
        if not self._structure.is_emptied(suite.statements):
            return
        last = suite.statements[-1]
        self._claimed.add(id(last))
        shared = suite.inline or suite.follows_on_line(len(suite.statements) - 1)
        if shared or not (isinstance(last, COMPOUND) or last.lineno != last.end_lineno):
            self._layout.replace(*self._source.span(last), "pass")
        else:
            self._layout.remove(self._lines.first(last), self._lines.last(last), indent)
            self._layout.insert(self._lines.first(last), "pass", indent)

    def _range(self, suite: Suite, start: int, stop: int, indent: str) -> None:
        index = start
        while index < stop:
            block = self._structure.block_at(suite.statements[index], self._claimed)
            end = index + 1 if block is None else self._structure.index(block.last) + 1
            before = self._claim(suite.statements[index], after=False)
            after = self._claim(suite.statements[end - 1], after=True)
            try:
                self._insert_before(suite, index, before, indent)
                if block is None:
                    self._statement(suite, index, indent)
                else:
                    self._claimed.add(id(block))
                    self._block(suite, block, range(index, end), indent)
                self._insert_after(suite, end - 1, after, indent)
            except Refusal as refusal:
                refusal.blame(suite.statements[index])
                raise
            index = end

    def _claim(self, statement: ast.stmt, *, after: bool) -> list[Insert]:
        """The insertions before or after a statement that no block around it has taken."""
        found = [
            verb for verb in self._plan.on(statement, Insert) if verb.after is after and id(verb) not in self._claimed
        ]
        self._claimed.update(map(id, found))
        return found

    def _insert_before(self, suite: Suite, index: int, verbs: Sequence[Insert], indent: str) -> None:
        statement = suite.statements[index]
        for verb in verbs:
            code = self._code.statements(verb, indent)
            if suite.follows_on_line(index):
                self._between(self._source.span(statement)[0], code, "{}; ")
            else:
                self._layout.insert(self._lines.above(self._lines.first(statement)), code, indent)

    def _insert_after(self, suite: Suite, index: int, verbs: Sequence[Insert], indent: str) -> None:
        statement = suite.statements[index]
        for verb in verbs:
            code = self._code.statements(verb, indent)
            if suite.follows_on_line(index + 1):
                self._between(self._source.span(statement)[1], code, "; {}")
            else:
                self._layout.insert(self._lines.last(statement) + 1, code, indent)

    def _between(self, offset: int, code: str, form: str) -> None:
        if "\n" in code or "\r" in code:
            raise Refusal("several statements stand on the line")
        self._layout.replace(offset, offset, form.format(code))

    def _block(self, suite: Suite, block: Block, inside: range, indent: str) -> None:
        last = suite.statements[inside.stop - 1]
        deeper = indent + self._step(suite, inside)
        bottom = self._lines.last(last)
        if suite.follows_on_line(inside.stop):
            if not self._structure.is_gone(last):
                self._break_line(suite, inside.stop, indent)
            elif suite.follows_on_line(inside.stop - 1):
                raise Refusal("several statements stand on the line")
            else:
                bottom -= 1
        top = self._header(suite, block, inside.start, indent, deeper)
        self._layout.open_suite(top)
        self._layout.shift(top, bottom, suite.indent, deeper)
        self._range(suite, inside.start, inside.stop, deeper)
        if self._structure.is_emptied_block(suite.statements[inside.start : inside.stop]):
            self._layout.insert(bottom + 1, "pass", deeper)

    def _header(self, suite: Suite, block: Block, index: int, indent: str, deeper: str) -> int:
        """Put the header of a block before its first statement or in its place. Returns the line after it."""
        first, code = suite.statements[index], self._code.header(block, indent)
        if first in block.replaces:
            self._claimed.add(id(first))
            if suite.follows_on_line(index):
                self._break_line(suite, index, indent)
            self._layout.replace(*self._source.span(first), code)
            if suite.follows_on_line(index + 1):
                self._break_line(suite, index + 1, deeper)
            return self._lines.last(first) + 1
        if suite.follows_on_line(index):
            self._break_line(suite, index, f"{indent}{code}{self._layout.newline}{deeper}")
            return self._lines.last(first) + 1
        self._layout.insert(self._lines.first(first), code, indent)
        return self._lines.first(first)

    def _break_line(self, suite: Suite, index: int, indent: str) -> None:
        """Put a statement that follows another on its line on the next line, behind an indentation."""
        before, after = suite.statements[index - 1], suite.statements[index]
        self._layout.replace(self._source.span(before)[1], self._source.span(after)[0], self._layout.newline + indent)

    def _step(self, suite: Suite, inside: range) -> str:
        """One level of indentation, as the statements inside have it, or else those around."""
        for statement in (*(suite.statements[index] for index in inside), suite.owner, *suite.statements):
            body = getattr(statement, "body", None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                outer, inner = self._indent_of(statement), self._lines.indent(self._lines.first(body[0]))
                if inner != outer and inner.startswith(outer):
                    return inner[len(outer) :]
        return "\t" if "\t" in suite.indent else "    "

    def _indent_of(self, owner: Any) -> str:
        return "" if isinstance(owner, ast.Module) else self._lines.indent(self._lines.first(owner))

    def _statement(self, suite: Suite, index: int, indent: str) -> None:
        statement = suite.statements[index]
        if id(statement) in self._claimed:
            return
        if self._structure.is_gone(statement):
            self._remove(suite, index, indent)
        elif self._structure.is_dissolved(statement):
            self._dissolve(statement, indent)
        elif self._plan.touches(statement):
            for swap in self._plan.on(statement, Swap):
                self._swap(suite, index, swap, indent)
            self._parts(statement, self._indent_of(statement), indent)

    def _swap(self, suite: Suite, index: int, swap: Swap, indent: str) -> None:
        statement, code = suite.statements[index], self._code.statements(swap, indent)
        shared = suite.inline or suite.follows_on_line(index) or suite.follows_on_line(index + 1)
        if isinstance(statement, COMPOUND):
            raise Refusal("a compound statement cannot be swapped")
        if shared and len(code.splitlines()) > 1:
            raise Refusal("several statements stand on the line")
        self._layout.replace(*self._source.span(statement), code)

    def _remove(self, suite: Suite, index: int, indent: str) -> None:
        """Take out a statement: its lines, or its part of a line that it shares."""
        start, stop = index, index + 1
        while suite.follows_on_line(start):
            start -= 1
        while suite.follows_on_line(stop):
            stop += 1
        shared = [suite.statements[i] for i in range(start, stop)]
        kept = [
            statement
            for statement in shared
            if not self._structure.is_gone(statement) or id(statement) in self._claimed
        ]
        self._claimed.update(id(statement) for statement in shared if statement not in kept)
        if not kept and not suite.inline:
            self._layout.remove(self._lines.first(shared[0]), self._lines.last(shared[-1]), indent)
        else:
            self._remove_from_line(shared, kept)

    def _remove_from_line(self, shared: list[ast.stmt], kept: list[ast.stmt]) -> None:
        start = self._source.span(shared[0])[0]
        for before, after in zip([None, *kept], [*kept, None], strict=True):
            gap_start = start if before is None else self._source.span(before)[1]
            first = 0 if before is None else shared.index(before) + 1
            last = len(shared) if after is None else shared.index(after)
            if first == last:
                continue
            if before is None and after is not None:
                gap_end, new = self._source.span(after)[0], ""
            elif after is None:
                gap_end, new = self._source.span(shared[-1])[1], ""
            else:
                gap_end, new = self._source.span(after)[0], "; "
            self._layout.replace(gap_start, gap_end, new)

    def _dissolve(self, statement: Any, indent: str) -> None:
        """Take out the header of a statement and all that follows its body; the body moves to its level."""
        start = self._source.span(statement)[0]
        top = self._lines.of(self._header_end(statement) - 1)
        suite = self._suite(statement, "body")
        if suite.inline:
            self._layout.replace(start, self._source.span(suite.statements[0])[0], "")
        else:
            self._layout.remove(self._lines.first(statement), top, indent)
            self._layout.shift(top + 1, self._bottom(statement, suite), suite.indent, indent)
        self._arrange(statement, "body", indent)
        self._leave_out_parts(statement, indent)

    def _bottom(self, statement: Any, body: Suite) -> int:
        """The last line that belongs to the body of a statement."""
        if handlers := getattr(statement, "handlers", ()):
            return self._lines.first(handlers[0]) - 1
        if final := getattr(statement, "finalbody", ()):
            return self._lines.keyword_above(self._lines.first(final[0]), b"finally") - 1
        return self._lines.with_comments(self._lines.last(body.statements[-1]), body.indent)

    def _parts(self, statement: Any, old: str, new: str) -> None:
        """What belongs to a statement that stays: decorators, suites, handlers, cases."""
        self._decorators(statement, new)
        for name in ("body", "orelse", "finalbody"):
            if self._is_arranged(statement, name):
                suite = self._suite(statement, name)
                inner = suite.indent if suite.inline else new + suite.indent.removeprefix(old)
                self._arrange(statement, name, inner)
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            if self._plan.touches(part) and not self._structure.is_gone(part):
                line = self._lines.first(part)
                self._parts(part, self._lines.indent(line), new + self._lines.indent(line).removeprefix(old))
        self._leave_out_parts(statement, new)

    def _is_arranged(self, owner: Any, name: str) -> bool:
        """Whether a suite stays, and something happens in it."""
        statements = getattr(owner, name, None)
        if not isinstance(statements, list):
            return False
        if name == "body":
            return any(map(self._plan.touches, statements)) or bool(self._plan.on(owner, Append))
        return any(map(self._plan.touches, statements)) and not self._structure.is_emptied(statements)

    def _leave_out_parts(self, statement: Any, indent: str) -> None:
        for handler in getattr(statement, "handlers", ()):
            if self._structure.is_gone(handler):
                self._remove_part(self._lines.first(handler), handler.body, handler, "body", indent)
        for name, keyword in (("orelse", b"else"), ("finalbody", b"finally")):
            statements = getattr(statement, name, ())
            if isinstance(statements, list) and self._structure.is_emptied(statements):
                line = self._lines.first(statements[0])
                if not self._is_elif(statements[0]):
                    line = self._lines.keyword_above(line, keyword)
                self._remove_part(line, statements, statement, name, indent)

    def _remove_part(self, line: int, statements: list[ast.stmt], owner: Any, name: str, indent: str) -> None:
        suite = self._suite(owner, name)
        last = self._lines.last(statements[-1])
        if not suite.inline:
            last = self._lines.with_comments(last, suite.indent)
        self._layout.remove(line, last, indent)

    def _decorators(self, statement: Any, indent: str) -> None:
        for expression in getattr(statement, "decorator_list", ()):
            if self._plan.on(expression, Drop):
                last = expression.end_lineno - 1
                self._layout.remove(self._lines.decorator(expression), last, indent)
        for decoration in self._plan.on(statement, Decorate):
            self._layout.insert(self._lines.first(statement), self._code.decorator(decoration, indent), indent)

    def _append(self, suite: Suite, additions: Sequence[Append], indent: str) -> None:
        last = suite.statements[-1] if suite.statements else None
        if suite.inline:
            indent += self._step(suite, range(0))
        codes = [self._code.statements(addition, indent) for addition in additions]
        code = (self._layout.newline + indent).join(codes)
        if len(suite.statements) == 1 and isinstance(last, ast.Pass):
            start, end = self._source.span(last)
            if suite.inline:
                start, code = self._header_end(suite.owner), self._layout.newline + indent + code
            self._layout.replace(start, end, code)
        elif suite.inline:
            raise Refusal("the suite stands on the line of its header")
        else:
            line = -1 if last is None else self._lines.last(last)
            line = self._lines.with_comments(line, suite.indent)
            spaced = isinstance(last, _DEFINITIONS) or code.startswith(("def ", "async def ", "class ", "@"))
            gap = (2 if isinstance(suite.owner, ast.Module) else 1) if spaced and last else 0
            self._layout.insert(line + 1, code, indent, blank_lines=gap)

    def _header_end(self, owner: Any) -> int:
        return header_end(self._source, owner, self._source.span(owner)[0])
