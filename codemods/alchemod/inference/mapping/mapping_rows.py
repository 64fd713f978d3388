"""The dictionaries of a list that a bulk method gets: which keys each has."""

from __future__ import annotations

import ast

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place


class MappingRows(Area):
    """Answers about lists of dictionaries."""

    def keys(self, node: ast.expr, place: Place) -> frozenset[str] | None:
        """The keys that every dictionary of a list has; None when they differ or are not known."""
        match node:
            case ast.ListComp(elt=ast.Dict() as row) | ast.GeneratorExp(elt=ast.Dict() as row):
                return _keys(row)
            case ast.List(elts=[first, *rest]):
                found = {_keys(row) if isinstance(row, ast.Dict) else None for row in (first, *rest)}
                return next(iter(found)) if len(found) == 1 else None
            case ast.Name():
                return self._of_name(node, place)
        return None

    def _of_name(self, name: ast.Name, place: Place) -> frozenset[str] | None:
        root = place.scope.root.node
        single = definitions(root, name).single if isinstance(root, ast.Module) else None
        if single is None or single.value is None or single.position != ():
            return None
        uses = self.inference.ask(Usage).of(single.value, place)
        if uses.variable is None:
            return None
        found = set()
        if not (isinstance(single.value, ast.List) and not single.value.elts):
            found.add(self.keys(single.value, place))
        around = self.inference.ask(Usage).around(place)
        for use in uses.every:
            match use.node, around.get(use.node):
                case ast.Attribute(attr="append"), ast.Call(args=[ast.Dict() as row]):
                    found.add(_keys(row))
                case ast.Attribute(), _:
                    return None
        return next(iter(found)) if len(found) == 1 else None


def _keys(row: ast.Dict) -> frozenset[str] | None:
    names = [key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None for key in row.keys]
    return frozenset(name for name in names if name is not None) if None not in names else None
