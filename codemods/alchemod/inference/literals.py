"""What names of one file are bound to: the constant that an expression stands for, variables."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.inference.area import Area
from alchemod.inference.scopes import scope_of


class Literals(Area):
    """Constants and variables of one file."""

    def is_variable(self, path: Path, name: ast.Name) -> bool:
        """Whether the scope in which a name stands assigns it itself: it is no parameter, and not of a scope around."""
        scope = scope_of(self.inference.project.tree(path)).innermost(name)
        kinds = {binding.kind for binding in scope.bindings.get(name.id, [])}
        return kinds == {"assignment"} and name.id not in {parameter.arg for parameter in scope.parameters}

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
