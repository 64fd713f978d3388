"""The nodes of a tree that stand on some lines."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from alchemod.facts.nodes import children, walk

_DECORATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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
    following = _following(lines)
    final = len(following) - 1
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.JoinedStr):
            yield from walk(node)
            continue
        yield node
        for child in reversed(children(node)):
            first: int | None = getattr(child, "lineno", None)
            if first is not None:
                if isinstance(child, _DECORATED):
                    first = first_line(child)
                if first > final or following[first] > child.end_lineno:  # type: ignore[attr-defined]
                    continue
            stack.append(child)


def _following(lines: Sequence[int]) -> list[int]:
    """By number of a line, up to the last of the lines, which are in order: the first of them not before it."""
    following: list[int] = []
    for line in lines:
        following += [line] * (line + 1 - len(following))
    return following
