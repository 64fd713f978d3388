"""Where the value of an expression goes at once: into a call, a name, a display, out of the function."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.inference.area import Area
from alchemod.inference.uses.parents import parents_in


class Flowing(Area):
    """Questions about the node around an expression."""

    def parent(self, path: Path, node: ast.AST) -> ast.AST | None:
        """The node that `node` is a part of."""
        return parents_in(self.inference.project.tree(path)).get(node)

    def taker(self, path: Path, node: ast.expr) -> ast.AST | None:
        """What takes the value of `node`: the call it is an argument or the receiver of, or the node around it."""
        outer = self.parent(path, node)
        while isinstance(outer, ast.keyword | ast.Await | ast.Starred | ast.IfExp | ast.BoolOp):
            outer = self.parent(path, outer)
        if isinstance(outer, ast.Attribute):
            call = self.parent(path, outer)
            return call if isinstance(call, ast.Call) and call.func is outer else outer
        return outer
