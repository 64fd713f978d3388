"""Where a select that a local variable holds is used as an element of FROM, and where as a statement.

Until SQLAlchemy 2.0 `statement.c`, `select_from(statement)` and the like made a subquery of the select, one and the
same for all of these uses ("A SELECT statement is no longer implicitly considered to be a FROM clause").
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Place, Statement

FROM_METHODS = frozenset({"select_from", "join", "outerjoin", "join_from", "outerjoin_from"})
"""Methods and functions that take elements of FROM."""
_ATTRIBUTES = frozenset({"c", "columns"})


@dataclass(frozen=True, slots=True)
class HeldSelect:
    """A select that a local variable holds: what it is made of, the assignment, and all reads of it in order.

    `froms` are the reads as an element of FROM, `others` the rest.
    """

    value: ast.expr
    variable: ast.Assign
    froms: Sequence[ast.expr]
    others: Sequence[ast.expr]


class FromUses(Area):
    """Answers about selects in FROM."""

    def select(self, path: Path, node: ast.expr) -> Answer | None:
        """The answer about `node` when it is a select, None when it is anything else."""
        answer = self.inference.value(path, node)
        return answer if answer is not None and _is_select(answer) else None

    def held(self, path: Path, node: ast.expr) -> HeldSelect | None:
        """The variable behind a name that holds a select; None unless it is local and all its reads are seen."""
        place = self.inference.place(path, node)
        root = place.scope.root.node if place is not None else None
        if place is None or not isinstance(node, ast.Name) or not isinstance(root, ast.Module):
            return None
        found = definitions(root, node)
        binding = found.single
        if binding is None or binding.value is None or binding.position != () or found.owner is None:
            return None
        if not isinstance(binding.node, ast.Assign) or not isinstance(found.owner.node, FUNCTIONS):
            return None
        usage = self.inference.ask(Usage)
        where = Place(place.module, found.owner)
        uses = usage.of(binding.value, where)
        if uses.variable is not binding.node:
            return None
        froms: list[ast.expr] = []
        others: list[ast.expr] = []
        for use in sorted(uses.every, key=lambda use: (use.read.lineno, use.read.col_offset)):
            (froms if is_from(use.read, use.node) else others).append(use.read)
        return HeldSelect(binding.value, binding.node, froms, others) if node in froms else None


def is_from(read: ast.expr, around: ast.AST) -> bool:
    """Whether the expression around `read` takes it for an element of FROM."""
    match around:
        case ast.Attribute(attr=name, value=value) if value is read:
            return name in _ATTRIBUTES or name == "select"
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments):
            return name in FROM_METHODS and read in arguments
    return False


def _is_select(answer: Answer) -> bool:
    return isinstance(answer.value, Statement) and answer.value.style == "select"
