"""The nodes of a tree that stand on some lines."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from alchemod.facts.nodes import children, walk


def first_line(statement: ast.stmt) -> int:
    """The first line of a statement, decorators included."""
    decorators: list[ast.expr] | None = getattr(statement, "decorator_list", None)
    return decorators[0].lineno if decorators else statement.lineno


def any_between(lines: Sequence[int], first: int, last: int) -> bool:
    """Whether one of the lines, which are in order, is not before `first` and not after `last`."""
    at = bisect_left(lines, first)
    return at < len(lines) and lines[at] <= last


def nodes_near(tree: ast.Module, lines: Sequence[int]) -> Iterator[ast.AST]:
    """The nodes that touch one of the lines, which are in order, and those without a position of their own.

    Each comes before its parts. The parts of an f-string come with it: before Python 3.12 their positions are wrong.
    """
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.JoinedStr):
            yield from walk(node)
        else:
            yield node
            stack += [child for child in reversed(children(node)) if _touches(child, lines)]


def _touches(node: ast.AST, lines: Sequence[int]) -> bool:
    if not hasattr(node, "lineno"):
        return True
    first = first_line(node) if isinstance(node, ast.stmt) else node.lineno
    return any_between(lines, first, node.end_lineno)  # type: ignore[attr-defined]
