"""Savepoints that end by a commit or rollback of the session, as SQLAlchemy 1.x had it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from alchemod.inference.area import Area
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place

_ENDING = frozenset({"commit", "rollback"})


@dataclass(frozen=True, slots=True)
class NestedCommit:
    """A savepoint that the statement `opener` opens, and the commit of the session behind it.

    `commit` is the statement of the same suite that ends it, `last` the one before; both are None where the session is
    ended in another way first, in `line`.
    """

    opener: ast.stmt
    line: int
    commit: ast.stmt | None = None
    last: ast.stmt | None = None


class NestedCommits(Area):
    """Answers about `begin_nested()`."""

    def of(self, call: ast.Call, place: Place) -> NestedCommit | None:
        """What ends a savepoint whose transaction is not kept; None when nothing behind it does, or `with` opens it."""
        around = self.inference.ask(Usage).around(place)
        opener = around.get(call)
        if not isinstance(opener, ast.Expr) or not isinstance(call.func, ast.Attribute):
            return None
        session = ast.unparse(call.func.value)
        suite = next(suite for suite in _suites(around.get(opener)) if opener in suite)
        following = suite[suite.index(opener) + 1 :]
        for index, statement in enumerate(following):
            endings = [node for node in ast.walk(statement) if _ends(node, session)]
            if not endings:
                continue
            line = min(getattr(node, "lineno", 0) for node in endings)
            is_commit = isinstance(statement, ast.Expr) and endings == [statement.value] and _is_commit(statement.value)
            if is_commit and index:
                return NestedCommit(opener, line, statement, following[index - 1])
            return NestedCommit(opener, line)
        return None


def _suites(statement: ast.AST | None) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        suite = getattr(statement, name, None)
        if isinstance(suite, list):
            yield suite


def _ends(node: ast.AST, session: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name, value=receiver), args=[], keywords=[]):
            return name in _ENDING and ast.unparse(receiver) == session
    return False


def _is_commit(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
