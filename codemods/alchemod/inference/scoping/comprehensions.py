"""What the comprehensions of a function bind, which is evaluated where they stand."""

from __future__ import annotations

import ast

from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import COMPREHENSIONS, Comprehension, Scope


def targets_of(comprehension: Comprehension) -> set[str]:
    """The names a comprehension's `for` clauses bind."""
    return {
        node.id
        for clause in comprehension.generators
        for node in ast.walk(clause.target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def bindings_in_place(scope: Scope) -> dict[ast.AST, Binding]:
    """The bindings of a function's own names and those of its comprehensions, by target."""
    found = {target: binding for target, binding in scope.binding_of.items() if binding not in scope.outer_bindings}
    stack = list(scope.children)
    while stack:
        inner = stack.pop()
        if inner.is_comprehension:
            found.update(inner.binding_of)
            stack += inner.children
    return found


def comprehensions_by_last_clause(scope: Scope) -> dict[ast.AST, Comprehension]:
    """The comprehensions in a scope, by the clause whose turns end with an element."""
    return {inner.node.generators[-1]: inner.node for inner in scope.within() if isinstance(inner.node, COMPREHENSIONS)}
