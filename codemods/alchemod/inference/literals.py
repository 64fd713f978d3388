"""The constant that an expression stands for, where it is written."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.inference.area import Area
from alchemod.inference.scopes import scope_of


class Literals(Area):
    """Constants of one file."""

    def of(self, path: Path, node: ast.expr) -> ast.Constant | None:
        """The constant that `node` is, or that the only binding of the name it is gives; None when it is neither."""
        if isinstance(node, ast.Constant):
            return node
        if not isinstance(node, ast.Name):
            return None
        root = scope_of(self.inference.project.tree(path))
        owner = root.innermost(node).owner(node.id)
        bindings = owner.bindings.get(node.id, []) if owner is not None else []
        if len(bindings) != 1 or bindings[0].kind != "assignment" or bindings[0].position:
            return None
        value = bindings[0].value
        return value if isinstance(value, ast.Constant) else None
