"""A simple statement or a header as a LibCST tree, and back to text.

The unit of editing is a simple statement, the header of a compound statement (from its keyword to its colon)
or the expression of a decorator. It is parsed inside a small frame that has the indentation of the original,
so that its whitespace means the same as in the whole module, and rendered inside the same frame.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from alchemod.edits.ancestry import COMPOUND, Ancestry, Owner, children
from alchemod.edits.descent import step_path
from alchemod.edits.frames import Frame, example, header_only
from alchemod.edits.paths import Path, follow
from alchemod.edits.refusal import Refusal, UnitRefusal
from alchemod.text.source import SourceFile

if TYPE_CHECKING:
    import libcst as cst

MAX_STATEMENT = 32 * 1024
"""Bytes of a statement, beyond which it is not edited."""
MAX_DEPTH = 100
"""Levels of nesting inside a statement, links of chains not counted."""
MAX_LINKS = 200
"""Links of the chains of a statement on one path from its root: calls, and operands in a row."""
MAX_MODULE = 1024 * 1024
"""Bytes of a module, beyond which it is not parsed as a whole."""

_INDENT = re.compile(rb"(?:[ \t]*\f)*(?P<indent>[ \t]*)")
_TO_COLON = re.compile(rb"(?:[^:#]|#[^\r\n]*)*:")


@dataclass(frozen=True, slots=True)
class Unit:
    """The text of ``owner`` at ``span``, as the LibCST node ``tree``."""

    owner: Owner | ast.expr
    span: tuple[int, int]
    tree: Any
    frame: Frame

    def render(self, tree: Any, indent: str) -> str:
        """The text of the unit with another tree in its place, on lines with an indentation."""
        if indent == self.frame.indent:
            return self.frame.render(tree)
        return Frame.of(self.owner, example(self.owner), indent, self.frame.newline).render(tree)


class Units:
    """The units of one file, each parsed when first asked for.

    With ``whole`` they are cut out of one LibCST tree of the whole module.
    """

    def __init__(self, source: SourceFile, ancestry: Ancestry, *, whole: bool = False) -> None:
        self.source = source
        self.ancestry = ancestry
        self.whole = whole
        self._units: dict[int, Unit] = {}

    def holding(self, node: ast.AST) -> Unit:
        """The unit that holds a node. Raises Refusal when there is none that can be edited."""
        owner = self.owner(node)
        if id(owner) not in self._units:
            self._units[id(owner)] = self._parsed(owner)
        return self._units[id(owner)]

    def path(self, node: ast.AST) -> Path:
        """The path from the tree of a node's unit to the node."""
        unit = self.holding(node)
        return path_between(unit.owner, unit.tree, self.ancestry, node)

    def counterpart(self, node: ast.AST) -> Any:
        """The LibCST node that stands for a node of the tree, before any edit."""
        return follow(self.holding(node).tree, self.path(node))

    def owner(self, node: ast.AST) -> Owner | ast.expr:
        """The statement, handler, case or decorator whose own text holds the node."""
        for ancestor in self.ancestry.ancestors(node):
            if isinstance(ancestor, ast.stmt | ast.ExceptHandler | ast.match_case):
                return ancestor
            if isinstance(ancestor, ast.expr) and self.ancestry.place(ancestor).field == "decorator_list":
                return ancestor
        raise Refusal("the module itself is no statement")

    def _parsed(self, owner: Owner | ast.expr) -> Unit:
        try:
            span = unit_span(self.source, owner)
            check_size(owner, span)
            with recursion_room():
                if not self.whole:
                    try:
                        return self._unit(owner, span, whole=False)
                    except Refusal:
                        pass
                return self._unit(owner, span, whole=True)
        except Refusal as refusal:
            raise UnitRefusal(refusal.reason, owner) from None

    def _unit(self, owner: Owner | ast.expr, span: tuple[int, int], *, whole: bool) -> Unit:
        text = self.source.utf8[slice(*span)].decode()
        indent = line_indent(self.source, span[0])
        with parser_errors():
            frame = Frame.of(owner, example(owner) if whole else text, indent, self.source.newline)
            tree = header_only(follow(self._module, self._path_in_module(owner))) if whole else frame.tree
            if frame.render(tree) != text:
                raise Refusal("the layout of the statement would not be kept exactly")
        return Unit(owner, span, tree, frame)

    def _path_in_module(self, owner: Owner | ast.expr) -> Path:
        return path_between(self.ancestry.tree, self._module, self.ancestry, owner)

    @cached_property
    def _module(self) -> cst.Module:
        import libcst as cst

        if len(self.source.utf8) > MAX_MODULE:
            raise Refusal("the file is larger than 1 MB")
        for node in ast.walk(self.ancestry.tree):
            if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                check_size(node, unit_span(self.source, node))
        module = cst.parse_module(self.source.text)
        if module.code.encode() != self.source.utf8:
            raise Refusal("the layout of the file would not be kept exactly")
        return module


def path_between(root: ast.AST, tree: Any, ancestry: Ancestry, node: ast.AST) -> Path:
    """The path from ``tree``, the counterpart of ``root``, to that of a node."""
    whole: Path = ()
    for place in ancestry.steps(root, node):
        step = step_path(place.parent, place.field, place.item, tree)
        tree = follow(tree, step)
        whole += step
    return whole


def unit_span(source: SourceFile, owner: Owner | ast.expr) -> tuple[int, int]:
    """Where the text of a unit lies: a whole simple statement, or a header with its colon."""
    if isinstance(owner, ast.match_case):
        start = source.utf8.rfind(b"case", 0, source.span(owner.pattern)[0])
    else:
        start, end = source.span(owner)
        if not isinstance(owner, COMPOUND):
            return start, end
        if isinstance(owner, ast.If) and source.utf8.startswith(b"elif", start):
            start += len(b"el")
    return start, header_end(source, owner, start)


def header_end(source: SourceFile, owner: Owner, start: int) -> int:
    """The end of the colon that ends the header of a compound statement."""
    last = start
    stack: list[ast.AST] = [owner]
    while stack:
        for field, _, child in children(stack.pop()):
            if field == "decorator_list" or isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                continue
            if hasattr(child, "end_lineno"):
                last = max(last, source.span(child)[1])
            else:
                stack.append(child)
    match = _TO_COLON.match(source.utf8, last)
    if match is None:
        raise Refusal("the header of the statement could not be read")
    return match.end()


def line_indent(source: SourceFile, offset: int) -> str:
    """The indentation of the line that holds an offset: a form feed before it does not count."""
    start = source.line_starts[source.position(offset)[0] - 1]
    return _INDENT.match(source.utf8, start)["indent"].decode()  # type: ignore[index]


def check_size(owner: ast.AST, span: tuple[int, int]) -> None:
    """Refuse a unit that is too large or too deeply nested for LibCST."""
    if span[1] - span[0] > MAX_STATEMENT:
        raise Refusal(f"the statement is longer than {MAX_STATEMENT // 1024} KB")
    stack: list[tuple[ast.AST, int, int]] = [(owner, 0, 0)]
    while stack:
        node, depth, links = stack.pop()
        if depth > MAX_DEPTH:
            raise Refusal(f"the statement is nested more than {MAX_DEPTH} levels deep")
        if links > MAX_LINKS:
            raise Refusal(f"the statement has a chain of more than {MAX_LINKS} links")
        for field, _, child in children(node):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                continue
            if (isinstance(node, ast.Call) and field == "func") or (isinstance(node, ast.BinOp) and field == "left"):
                stack.append((child, depth, links + 1))
            elif isinstance(node, ast.BoolOp):
                stack.append((child, depth + 1, links + len(node.values)))
            elif isinstance(node, ast.Attribute | ast.Subscript) and field == "value":
                stack.append((child, depth, links))
            else:
                stack.append((child, depth + 1, links))


@contextmanager
def recursion_room() -> Iterator[None]:
    """Let LibCST, which recurses several frames per level, handle what the limits allow."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 8000))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


@contextmanager
def parser_errors() -> Iterator[None]:
    """Turn whatever LibCST raises, a panic of its native parser too, into a Refusal."""
    try:
        yield
    except (Refusal, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except (RecursionError, MemoryError):
        raise Refusal("the statement is nested too deeply") from None
    except BaseException as error:
        if type(error).__name__ == "ParserSyntaxError":
            raise Refusal("LibCST cannot parse the statement") from None
        raise Refusal(f"LibCST failed on the statement ({type(error).__name__})") from error
