"""What a variable was assigned, where there is only one assignment that it can come from."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.inference.control.reaching import definitions
from alchemod.inference.values import Place

_MAX_HOPS: Final = 5


def assigned(node: ast.expr, place: Place) -> ast.expr | None:
    """The expression that the one assignment behind a name gives it; None for anything else."""
    if not isinstance(node, ast.Name):
        return None
    root = place.scope.root.node
    assert isinstance(root, ast.Module)
    binding = definitions(root, node).single
    if binding is None or binding.kind not in {"assignment", "annotation"} or binding.position != ():
        return None
    return binding.value


def spelled_out(node: ast.expr, place: Place) -> ast.expr:
    """The expression behind a chain of such names, the node itself when it is none."""
    for _ in range(_MAX_HOPS):
        value = assigned(node, place)
        if value is None:
            return node
        node = value
    return node
