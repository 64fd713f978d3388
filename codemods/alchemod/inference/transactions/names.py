"""Where a name is read inside a function, the functions inside it included."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.facts.nodes import children
from alchemod.inference.scoping.scopes import FUNCTIONS


def uses_of(name: str, scope: ast.AST) -> Iterator[tuple[ast.Name, ast.AST]]:
    """The reads of a name, each with the node around it; where a function inside captures it, with that function."""
    stack: list[tuple[ast.AST, ast.AST | None]] = [(scope, None)]
    while stack:
        node, function = stack.pop()
        if node is not scope and isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            function = node
        for child in children(node):
            if isinstance(child, ast.Name) and child.id == name and isinstance(child.ctx, ast.Load):
                yield child, function or node
            stack.append((child, function))
