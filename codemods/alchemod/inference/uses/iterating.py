"""Where a collection is only gone through, so that any other one with the same elements does there as well."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.inference.uses.usage import is_tested

_FIRST: Final = frozenset(
    {
        *("list", "tuple", "set", "frozenset", "sorted", "sum", "any", "all", "dict", "enumerate", "len", "bool"),
        "iter",
    }
)
"""Builtins that go through their first argument, or ask for its length."""
_ALONE: Final = frozenset({"min", "max"})
"""Builtins that go through an argument which is the only one."""
_LATER: Final = {"zip": 0, "map": 1, "filter": 1}
"""Builtins that go through their arguments from this one on."""


def is_only_iterated(node: ast.expr, around: dict[ast.AST, ast.AST]) -> bool:
    """Whether the value of `node` is gone through where it stands, asked for its truth, its length or an element, and
    then gone. `around` has the node around each node. The names of builtins are taken for the builtins."""
    parent = around.get(node)
    match parent:
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if iterated is node:
            return True
        case ast.Starred(ctx=ast.Load()) | ast.YieldFrom() | ast.Expr():
            return True
        case ast.Assign(targets=targets):
            return all(isinstance(target, ast.Tuple | ast.List) for target in targets)
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[container]):
            return container is node
        case ast.Call(func=ast.Name(id=name), args=args) if node in args:
            return _goes_through(name, args, args.index(node))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join"), args=[_]):
            return True
    return is_tested(node, around)


def _goes_through(builtin: str, args: list[ast.expr], position: int) -> bool:
    if builtin in _LATER:
        return position >= _LATER[builtin]
    return position == 0 and (builtin in _FIRST or (builtin in _ALONE and len(args) == 1))
