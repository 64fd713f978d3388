"""The loops of a function, and which reads happen in their turns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import Final, TypeAlias

from alchemod.inference.rows.calls import POPPING, function_over_rows
from alchemod.inference.rows.reads import PathRead, RowReads, position
from alchemod.inference.rows.record import Going
from alchemod.inference.rows.refs import is_under
from alchemod.inference.scoping.scopes import COMPREHENSIONS, Comprehension, Scope, contains

Loop: TypeAlias = ast.For | ast.AsyncFor | ast.While | Comprehension | ast.Call
"""A statement or expression that does something for each of several objects."""


class Turns:
    """The loops of one function."""

    def __init__(self, scope: Scope) -> None:
        self._scope: Final = scope

    @cached_property
    def _comprehensions(self) -> dict[ast.AST, Comprehension]:
        walked = (node for node in ast.walk(self._scope.node) if isinstance(node, COMPREHENSIONS))
        return {clause: node for node in walked for clause in node.generators}

    @cached_property
    def _endless(self) -> list[ast.While]:
        return [node for node in ast.walk(self._scope.node) if isinstance(node, ast.While)]

    def repeating(self, read: PathRead, reads: RowReads) -> list[ast.expr | ast.stmt]:
        """What makes a read happen for each of several objects, in source order: loops around it, and code that is
        handed the objects and goes over them itself."""
        found: list[ast.expr | ast.stmt] = [node for node in read.repeated if isinstance(node, ast.expr | ast.stmt)]
        for going in reads.loops:
            if is_under(read.path, going.path):
                found += [loop for loop in self._loop(going) if any(is_in_turn(node, loop) for node in read.nodes)]
        return sorted(found, key=position)

    def _loop(self, going: Going) -> Iterator[Loop]:
        node = going.node
        if isinstance(node, ast.comprehension) and node in self._comprehensions:
            yield self._comprehensions[node]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in POPPING:
            yield from (loop for loop in self._endless if contains(loop, node))
        elif isinstance(node, ast.For | ast.AsyncFor | ast.Call):
            yield node


def is_in_turn(node: ast.AST, loop: Loop) -> bool:
    """Whether a node is evaluated in the turns of a loop, and in more than one."""
    if not isinstance(node, ast.expr | ast.stmt):
        return False
    gone_over = _gone_over(loop)
    if not contains(loop, node) or (gone_over is not None and contains(gone_over, node)):
        return False
    return not isinstance(loop, ast.For | ast.AsyncFor | ast.While) or not _ends(node, loop)


def _ends(node: ast.expr | ast.stmt, loop: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Whether a loop is over in any case once a node in it was evaluated: `return rows[0].author`, or a `break` below.

    Where something around it may go on after an exception, nothing is said.
    """
    if any(contains(statement, node) for statement in loop.orelse):
        return True
    suite: list[ast.stmt] | None = loop.body
    while suite is not None:
        at = next((index for index, statement in enumerate(suite) if contains(statement, node)), None)
        if at is None:
            return False
        last = suite[-1]
        if isinstance(last, ast.Return | ast.Break) and not _goes_on(suite[at:]):
            return True
        statement = suite[at]
        branches = [statement.body, statement.orelse] if isinstance(statement, ast.If) else []
        suite = next((branch for branch in branches if any(contains(one, node) for one in branch)), None)
    return False


def _goes_on(suite: list[ast.stmt]) -> bool:
    """Whether statements may lead to a next turn, or be left by an exception that they catch."""
    return any(isinstance(part, ast.Continue | ast.Try | ast.With) for one in suite for part in ast.walk(one))


def _gone_over(loop: Loop) -> ast.expr | None:
    """What is evaluated once, before the first turn."""
    match loop:
        case ast.For(iter=iterated) | ast.AsyncFor(iter=iterated):
            return iterated
        case ast.Call():
            return function_over_rows(loop)[1]
        case ast.While():
            return None
    return loop.generators[0].iter
