"""The way upward in a tree: what a node is part of, and where the names in it are read."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.nodes import children

_MEMO: Final = "_alchemod_parents"


class Parents:
    """The parent of every node of a module, and the reads of each name."""

    def __init__(self, root: ast.Module) -> None:
        self._parents: Final[dict[ast.AST, ast.AST]] = {}
        self._reads: Final[dict[str, list[ast.Name]]] = {}
        stack: list[ast.AST] = [root]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._reads.setdefault(node.id, []).append(node)
            below = children(node)
            for child in below:
                self._parents[child] = node
            stack += reversed(below)

    def of(self, node: ast.AST) -> ast.AST:
        """What a node is a direct part of. Raises KeyError for the module itself and for nodes of other trees."""
        return self._parents[node]

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
    found = root.__dict__.get(_MEMO)
    if not isinstance(found, Parents):
        found = root.__dict__[_MEMO] = Parents(root)
    return found
