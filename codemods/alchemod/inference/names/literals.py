"""What names of one file are bound to: the constant that an expression stands for, variables."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.inference.area import Area
from alchemod.inference.scoping.scopes import scope_of
from alchemod.inference.values import Outside


class Literals(Area):
    """Constants and variables of one file."""

    def is_variable(self, path: Path, name: ast.Name) -> bool:
        """Whether the scope in which a name stands assigns it itself: it is no parameter, and not of a scope around."""
        scope = scope_of(self.inference.project.tree(path)).innermost(name)
        kinds = {binding.kind for binding in scope.bindings.get(name.id, [])}
        return kinds == {"assignment"} and name.id not in {parameter.arg for parameter in scope.parameters}

    def is_made_by(self, path: Path, node: ast.expr, maker: str) -> bool:
        """Whether a name is bound once, to a call of SQLAlchemy's `maker`."""
        if not isinstance(node, ast.Name):
            return False
        owner = scope_of(self.inference.project.tree(path)).innermost(node).owner(node.id)
        bindings = owner.bindings.get(node.id, []) if owner is not None else []
        if len(bindings) != 1 or not isinstance(bindings[0].value, ast.Call):
            return False
        answer = self.inference.value(path, bindings[0].value.func)
        return answer is not None and isinstance(answer.value, Outside) and answer.value.canonical == maker

    def may_be_empty_list(self, path: Path, name: ast.Name) -> bool:
        """Whether a name may hold an empty list: not if it is bound to displays with elements, or to dictionaries."""
        owner = scope_of(self.inference.project.tree(path)).innermost(name).owner(name.id)
        if owner is None:
            return False
        keywords = owner.node.args.kwarg if isinstance(owner.node, ast.FunctionDef | ast.AsyncFunctionDef) else None
        values = [binding.value for binding in owner.bindings.get(name.id, [])]
        if (keywords is not None and keywords.arg == name.id) or any(isinstance(one, ast.Dict) for one in values):
            return False
        return not values or not all(isinstance(one, ast.List | ast.Tuple) and one.elts for one in values)

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
