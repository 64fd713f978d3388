"""Where the value of an expression goes at once: into a call, a name, a display, out of the function."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.inference.area import Area

if TYPE_CHECKING:
    from alchemod.inference import Inference


class Flowing(Area):
    """Questions about the node around an expression."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._latest: tuple[ast.Module | None, dict[ast.AST, ast.AST]] = None, {}

    def parent(self, path: Path, node: ast.AST) -> ast.AST | None:
        """The node that `node` is a part of."""
        tree = self.inference.project.tree(path)
        if self._latest[0] is not tree:
            around = ((child, outer) for outer in ast.walk(tree) for child in ast.iter_child_nodes(outer))
            self._latest = tree, {child: outer for child, outer in around if not _shared(child)}
        return self._latest[1].get(node)

    def taker(self, path: Path, node: ast.expr) -> ast.AST | None:
        """What takes the value of `node`: the call it is an argument or the receiver of, or the node around it."""
        outer = self.parent(path, node)
        while isinstance(outer, ast.keyword | ast.Await | ast.Starred | ast.IfExp | ast.BoolOp):
            outer = self.parent(path, outer)
        if isinstance(outer, ast.Attribute):
            call = self.parent(path, outer)
            return call if isinstance(call, ast.Call) and call.func is outer else outer
        return outer


def _shared(node: ast.AST) -> bool:
    """Whether a node is one of those that `ast` uses in many places: contexts and operators."""
    return isinstance(node, ast.expr_context | ast.operator | ast.boolop | ast.unaryop | ast.cmpop)
