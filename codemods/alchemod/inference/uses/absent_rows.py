"""Whether a row may be missing: `first()` and its kin give None where there is none."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.values import Place

_PRESENT: Final = frozenset({"one"})
_HOPS: Final = 5


class AbsentRows(Area):
    """Rows that may be None."""

    def may_be_absent(self, node: ast.expr, place: Place, hops: int = _HOPS) -> bool:
        """Whether an expression that gives a row may give None instead: unless its origin is seen to give one."""
        match node:
            case ast.Await(value=inner) | ast.NamedExpr(value=inner):
                return self.may_be_absent(inner, place, hops)
            case ast.Call(func=ast.Attribute(attr=name)):
                return name not in _PRESENT
            case ast.Subscript():
                return False  # an element of a list or a result
            case ast.Name():
                return self._name(node, place, hops)
        return True

    def _name(self, name: ast.Name, place: Place, hops: int) -> bool:
        root = place.scope.root.node
        found = definitions(root, name) if isinstance(root, ast.Module) else None
        if found is None or not found.exact or not found.sites or not hops:
            return True
        for site in found.sites:
            match site.kind:
                case "loop" | "comprehension" if site.position == ():
                    continue
                case "assignment" | "annotation" | "walrus" if site.position == () and site.value is not None:
                    if self.may_be_absent(site.value, place, hops - 1):
                        return True
                case _:
                    return True
        return False
