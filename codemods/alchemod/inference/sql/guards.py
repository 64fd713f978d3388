"""Whether code looks a value up among allowed ones before it uses it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import contains
from alchemod.inference.values import Place


def is_guarded(name: ast.Name, place: Place) -> bool:
    """Whether a membership test lets only allowed values of a name reach this place: `if x not in ALLOWED: raise`."""
    function = enclosing_function(place.scope)
    return function is not None and any(_guards(node, name) for node in ast.walk(function.node))


def _guards(node: ast.AST, name: ast.Name) -> bool:
    """Whether a test lets only allowed values of a name reach the place where it is read."""
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            if _looks_up(test, name, ast.In):
                return any(contains(statement, name) for statement in body)
            if _looks_up(test, name, ast.NotIn):
                return any(contains(statement, name) for statement in orelse) or _stops(body, name)
        case ast.IfExp(test=test, body=one, orelse=other):
            return (_looks_up(test, name, ast.In) and contains(one, name)) or (
                _looks_up(test, name, ast.NotIn) and contains(other, name)
            )
        case ast.Assert(test=test, lineno=line):
            return _looks_up(test, name, ast.In) and line < name.lineno
    return False


def _looks_up(test: ast.expr, name: ast.Name, operator: type[ast.cmpop]) -> bool:
    """Whether a test, or a part of its `and`, looks the value of a name up: `name.lower() in ALLOWED`."""
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) == (operator is ast.NotIn):
        return False
    return any(
        isinstance(part, ast.Compare)
        and isinstance(part.ops[0], operator)
        and any(isinstance(inner, ast.Name) and inner.id == name.id for inner in ast.walk(part.left))
        for part in parts
    )


def _stops(body: Sequence[ast.stmt], name: ast.Name) -> bool:
    """Whether a suite above keeps values from going on: it leaves, or gives the name another value."""
    leaves = isinstance(body[-1], ast.Raise | ast.Return | ast.Continue | ast.Break)
    return (leaves or _replaces(body, name)) and body[-1].lineno < name.lineno


def _replaces(body: Sequence[ast.stmt], name: ast.Name) -> bool:
    """Whether a suite gives the name another value."""
    return any(
        isinstance(target, ast.Name) and target.id == name.id
        for statement in body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )
