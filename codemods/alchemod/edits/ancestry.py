"""Where a node stands in its tree: its parent, the field that holds it, its statement."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from alchemod.edits.refusal import Refusal
from alchemod.facts.lines import first_line
from alchemod.facts.nodes import LEAVES

Owner: TypeAlias = ast.stmt | ast.ExceptHandler | ast.match_case
"""What a unit of editing belongs to: a simple statement, or something with a header and a suite."""

COMPOUND = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Match,
    ast.ExceptHandler,
    ast.match_case,
)


class Place(NamedTuple):
    """``getattr(parent, field)`` is the node, or has it as its item number ``item``."""

    parent: ast.AST
    field: str
    item: int | None


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """The child nodes of a node with field and index, in the order of its fields; no contexts, no operators."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield name, index, item
        elif isinstance(value, ast.AST) and value._fields:
            yield name, None, value


class Ancestry:
    """Parents in one module, found one top-level statement at a time, when first asked."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self._starts = [first_line(statement) for statement in tree.body]
        self._top = set(map(id, tree.body))
        self._places: dict[int, Place] = {}
        self._seen: set[int] = set()

    def place(self, node: ast.AST) -> Place:
        """Where a node stands. Raises Refusal when it is no part of the tree."""
        if id(node) not in self._places:
            self._read(node)
        try:
            return self._places[id(node)]
        except KeyError:
            raise Refusal("a node that is edited is no part of the file's tree") from None

    def holds(self, node: ast.AST) -> bool:
        """Whether a statement is one of the tree, and no copy. Only statements whose place was asked count
        below the top level.
        """
        return id(node) in self._places or id(node) in self._top

    def parent(self, node: ast.AST) -> ast.AST:
        """The parent of a node other than the module."""
        return self.place(node).parent

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The node, its parent, and so on; the module is last."""
        while node is not self.tree:
            yield node
            node = self.place(node).parent
        yield node

    def steps(self, root: ast.AST, node: ast.AST) -> list[Place]:
        """The places from below ``root`` down to ``node``; empty when they are the same."""
        found: list[Place] = []
        while node is not root:
            place = self.place(node)
            found.append(place)
            node = place.parent
        found.reverse()
        return found

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that holds the node, or is it."""
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, ast.stmt):
                return ancestor
        raise Refusal("the module itself is no statement")

    def owner(self, node: ast.AST) -> Owner:
        """The innermost statement, handler or case whose own text holds the node."""
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, ast.stmt | ast.ExceptHandler | ast.match_case):
                return ancestor
        raise Refusal("the module itself is no statement")

    def _read(self, node: ast.AST) -> None:
        """Read the top-level statements that may hold a node, the likeliest first."""
        likely = bisect_right(self._starts, _line(node)) - 1
        # Statements may share a line, and before Python 3.12 lines in f-strings cannot be relied on.
        for index in (*range(likely, -1, -1), *range(likely + 1, len(self._starts))):
            self._read_statement(index)
            if id(node) in self._places:
                return

    def _read_statement(self, index: int) -> None:
        if index in self._seen:
            return
        self._seen.add(index)
        top = self.tree.body[index]
        self._places[id(top)] = Place(self.tree, "body", index)
        stack: list[ast.AST] = [top]
        while stack:
            parent = stack.pop()
            for field, position, child in children(parent):
                self._places[id(child)] = Place(parent, field, position)
                if type(child) not in LEAVES:
                    stack.append(child)


def _line(node: ast.AST) -> int:
    stack = [node]
    while stack:
        found = stack.pop()
        if (line := getattr(found, "lineno", None)) is not None:
            return int(line)
        stack.extend(child for _, _, child in children(found))
    return 0
