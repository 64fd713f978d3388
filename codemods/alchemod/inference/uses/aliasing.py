"""Whether an object that a local variable holds may be reached by another name."""

from __future__ import annotations

import ast

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.scoping.scopes import reads_of
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place

_EXECUTING = frozenset({"execute", "scalar", "scalars", "stream", "fetch_all", "fetch_one"})


class Aliasing(Area):
    """Answers about local variables whose object is changed."""

    def statement(self, call: ast.Call, place: Place) -> ast.Expr | None:
        """The statement that is nothing but a call."""
        around = self.inference.ask(Usage).around(place).get(call)
        return around if isinstance(around, ast.Expr) else None

    def other_name(self, node: ast.expr, change: ast.Call, place: Place) -> str | None:
        """Why the object of `node`, which `change` changes, may have another name; None when it has none."""
        root = place.scope.root.node
        if not isinstance(node, ast.Name) or not isinstance(root, ast.Module):
            return f"{ast.unparse(node)} may be reached from elsewhere"
        found = definitions(root, node)
        if found.owner is not place.scope or found.captured or not found.exact or found.may_be_unbound:
            return f"{node.id} belongs to a scope around, or not all that it is bound to is seen"
        if any(binding.kind != "assignment" or not isinstance(binding.value, ast.Call) for binding in found.sites):
            return f"{node.id} is not made here"
        around = self.inference.ask(Usage).around(place)
        for read in reads_of(node.id, found.owner):
            match around.get(read):
                case ast.Attribute() | ast.Return() | None:
                    continue
                case ast.Call(func=ast.Attribute(attr=name)) if name in _EXECUTING:
                    continue
            return f"{node.id} may get another name in line {read.lineno}"
        return None
