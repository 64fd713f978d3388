"""Whether a tree is the one that was promised."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

_IGNORED = frozenset(("ctx", "type_comment", "kind", "type_ignores"))


def first_difference(promised: ast.AST, actual: ast.AST, unchanged: Callable[[ast.stmt], bool]) -> ast.AST | None:
    """The promised node nearest to the root that is not as in the actual tree, or None.

    Positions and contexts do not count. ``unchanged`` says of a promised statement that its bytes are those
    of the original, so that it need not be compared.
    """
    stack: list[tuple[Any, Any, ast.AST]] = [(promised, actual, promised)]
    while stack:
        one, other, holder = stack.pop()
        if isinstance(one, ast.AST):
            if type(one) is not type(other):
                return one if hasattr(one, "lineno") else holder
            if isinstance(one, ast.stmt):
                if unchanged(one):
                    continue
                holder = one
            stack.extend(
                (getattr(one, name, None), getattr(other, name, None), holder)
                for name in reversed(one._fields)
                if name not in _IGNORED
            )
        elif isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                return holder
            stack.extend((a, b, holder) for a, b in zip(reversed(one), reversed(other), strict=True))
        elif type(one) is not type(other) or (one != other and repr(one) != repr(other)):
            return holder
    return None
