"""The way upward in a tree: what a node is part of, and where the names in it are read."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.nodes import children, walk

_MEMO: Final = "_alchemod_parents"
_UPWARD: Final = "_alchemod_upward"


def parents_in(unit: ast.AST) -> dict[ast.AST, ast.AST]:
    """The node around each node of a function or module, kept with the tree."""
    memo = unit.__dict__.get(_MEMO)
    if memo is None:
        memo = unit.__dict__[_MEMO] = {}
        stack = [unit]
        while stack:
            parent = stack.pop()
            for child in children(parent):
                memo[child] = parent
                stack.append(child)
    found: dict[ast.AST, ast.AST] = memo
    return found


class Parents:
    """The parent of every node of a module, and the reads of each name."""

    def __init__(self, root: ast.Module) -> None:
        self._parents: Final = parents_in(root)
        self._reads: Final[dict[str, list[ast.Name]]] = {}
        for node in walk(root):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._reads.setdefault(node.id, []).append(node)

    def of(self, node: ast.AST) -> ast.AST:
        """What a node is a direct part of. Raises KeyError for the module itself and for nodes of other trees."""
        return self._parents[node]

    def holds(self, node: ast.AST) -> bool:
        """Whether a node is of this tree, the module itself left aside."""
        return node in self._parents

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node is part of, itself included."""
        while not isinstance(node, ast.stmt):
            node = self._parents[node]
        return node

    def around(self, node: ast.AST) -> list[ast.AST]:
        """What a node is part of, innermost first, the module last."""
        found = []
        while (above := self._parents.get(node)) is not None:
            found.append(above)
            node = above
        return found

    def reads(self, name: str) -> list[ast.Name]:
        """Where a name is read, in source order, whatever scope it belongs to."""
        return self._reads.get(name, [])


def parents_of(root: ast.Module) -> Parents:
    """The parents of a tree, kept with it."""
    found = root.__dict__.get(_UPWARD)
    if not isinstance(found, Parents):
        found = root.__dict__[_UPWARD] = Parents(root)
    return found
