"""Where a node is: its span, the statement and the scope around it, and a fingerprint that survives moved lines."""

from __future__ import annotations

import ast
import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alchemod.facts.lines import first_line

Span = tuple[int, int, int, int]
"""Line, column, end line, end column, as in `ast`: lines from 1, columns in UTF-8 bytes from 0."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SUITES = ("body", "orelse", "finalbody")
_BRANCHES = ("handlers", "cases")


@dataclass(frozen=True, slots=True)
class Enclosing:
    """The statements around a node, outermost first; the last one is the innermost."""

    statements: tuple[ast.stmt, ...]

    @property
    def statement(self) -> ast.stmt | None:
        """The innermost statement, None for a node outside all statements."""
        return self.statements[-1] if self.statements else None

    @property
    def scope(self) -> str:
        """The dotted name of the enclosing class or function, `""` at module level."""
        return _dotted(self.statements)

    @property
    def unit(self) -> str:
        """The dotted name of the outermost enclosing function, `""` outside all functions."""
        for index, statement in enumerate(self.statements):
            if isinstance(statement, _FUNCTIONS):
                return _dotted(self.statements[: index + 1])
        return ""


def _dotted(statements: Iterable[ast.stmt]) -> str:
    return ".".join(one.name for one in statements if isinstance(one, (*_FUNCTIONS, ast.ClassDef)))


def span(node: ast.AST) -> Span:
    """The span of a node; of one without a position (`comprehension`, `withitem`, `arguments`) that of its parts."""
    if hasattr(node, "lineno"):
        return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
    parts = [span(child) for child in ast.walk(node) if hasattr(child, "lineno")]
    if not parts:
        return 1, 0, 1, 0
    return (*min(part[:2] for part in parts), *max(part[2:] for part in parts))


def start(node: ast.AST) -> tuple[int, int]:
    """Where a finding at a node points to: its start; in a chain of calls or attributes the last name."""
    last = node.func if isinstance(node, ast.Call) else node
    if isinstance(last, ast.Attribute):
        return last.end_lineno or 0, (last.end_col_offset or 0) - len(last.attr.encode())
    return span(node)[:2]


def suites(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The suites of a compound statement, in source order but for `else` after `except` and `case`."""
    for name in _BRANCHES:
        for branch in getattr(statement, name, ()):
            yield branch.body
    for name in _SUITES:
        suite = getattr(statement, name, None)
        if isinstance(suite, list) and suite:
            yield suite


def enclosing(tree: ast.Module, node: ast.AST) -> Enclosing:
    """The statements around `node`, which is one of the nodes of `tree`."""
    if node is tree:
        return Enclosing(())
    at = span(node)[:2]
    found: list[ast.stmt] = []
    levels = [tree.body]
    while levels:
        suite = levels.pop()
        index = bisect_right(suite, at, key=_start) - 1
        if index >= 0 and (at < _end(suite[index]) or suite[index] is node):
            found.append(suite[index])
            levels = [] if suite[index] is node else list(suites(suite[index]))
    return Enclosing(tuple(found))


def _start(statement: ast.stmt) -> tuple[int, int]:
    first = first_line(statement)
    return first, statement.col_offset if first == statement.lineno else 0


def _end(statement: ast.stmt) -> tuple[int, int]:
    return statement.end_lineno or 0, statement.end_col_offset or 0


def units(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """The outermost functions of a module, methods included, with their dotted names; imports under the name `""`."""
    stack = [(statement, "") for statement in reversed(tree.body)]
    while stack:
        statement, prefix = stack.pop()
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield "", statement
        elif isinstance(statement, _FUNCTIONS):
            yield prefix + statement.name, statement
        else:
            if isinstance(statement, ast.ClassDef):
                prefix = f"{prefix}{statement.name}."
            stack.extend((inner, prefix) for suite in suites(statement) for inner in suite)


def header_end(statement: ast.stmt, lines: list[str]) -> int:
    """The last line of a statement, or of the header of a compound one.

    `lines` are those of the file; blank lines and comment lines before the body are not part of the header.
    """
    starts = [first_line(suite[0]) for suite in suites(statement)]
    if not starts:
        return statement.end_lineno or statement.lineno
    if (body := min(starts)) <= statement.lineno:
        return statement.lineno
    end = body - 1
    while end > statement.lineno and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def fingerprint(code: str, path: str, scope: str, shape: str, ordinal: int) -> str:
    """A hash of a finding that stays the same when the lines around it move; 16 hexadecimal digits."""
    return _digest("\0".join((code, path, scope, shape, str(ordinal))))


def shape(statement: ast.stmt | None) -> str:
    """A hash of a statement without layout and comments, and without the suites of a compound one."""
    return _digest("\0".join(_parts(statement)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _parts(statement: ast.stmt | None) -> Iterator[str]:
    stack: list[object] = [statement]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.AST):
            yield type(part).__name__
            skipped = (*_SUITES, *_BRANCHES) if isinstance(part, ast.stmt) else ()
            stack.extend(
                getattr(part, field, None) for field in part._fields if field not in skipped and field != "ctx"
            )
        elif isinstance(part, list):
            yield str(len(part))
            stack.extend(part)
        else:
            yield repr(part)
