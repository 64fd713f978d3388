"""What an Inspector tells of the indexes of a table (`Inspector.get_indexes`)."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.values import Answer, LibraryObject


class ReflectedIndexes(Area):
    """The dictionaries that an Inspector gives, one for each index."""

    def told_by(self, path: Path, node: ast.expr) -> Answer | None:
        """The Inspector whose `get_indexes()` gave the dictionary that an expression is; None when it is none."""
        match node:
            case ast.Subscript(value=ast.Call() as call):
                return self._inspector(path, call)
            case ast.Name():
                sites = definitions(self.inference.project.tree(path), node).sites
                found = [
                    self._inspector(path, site.value)
                    for site in sites
                    if site.kind in {"loop", "comprehension"} and site.position == ()
                ]
                return found[0] if len(found) == len(sites) == 1 else None
        return None

    def _inspector(self, path: Path, node: ast.expr | None) -> Answer | None:
        match node:
            case ast.Call(func=ast.Attribute(value=inspector, attr="get_indexes")):
                answer = self.inference.value(path, inspector)
                return answer if answer is not None and answer.value == LibraryObject("Inspector") else None
        return None
