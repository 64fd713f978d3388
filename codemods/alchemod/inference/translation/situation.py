"""One use of a Query with what is known about it: the statement, its column list, the session, repeated rows."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.translation.borrowing import Borrowing
from alchemod.inference.translation.columns import ColumnList
from alchemod.inference.translation.uses import Purpose, purpose
from alchemod.inference.translation.web import Use, Web
from alchemod.inference.values import Place, Statement


@dataclass(frozen=True, slots=True)
class Situation:
    """What the translation of one use rests on."""

    web: Web
    use: Use
    purpose: Purpose
    statement: Statement
    columns: ColumnList
    resolver: Resolver
    borrowing: Borrowing
    ways: tuple[tuple[Statement, ColumnList], ...] = ()
    """All the statements that may stand there, with their column lists; this one is among them."""

    certain: frozenset[ast.Call] = frozenset()
    """The steps that the Query has gone through on all ways."""

    @property
    def uncertain(self) -> set[str]:
        """The names of the steps that the Query has gone through on some ways only."""
        return {name for one, _ in self.ways for name, call in one.steps if call not in self.certain}

    @property
    def is_shared(self) -> bool:
        """Whether the same Query is used for something else than this `update()` or `delete()`."""
        uses = self.web.uses
        return any(purpose(use) != "bulk" or use.name != self.use.name for use in uses)

    @property
    def path(self) -> Path:
        """The file of the use."""
        return self.use.place.module.path

    def place_of(self, node: ast.expr) -> Place:
        """Where a node of the web's code stands."""
        return self.web.place_of(node)


@dataclass(frozen=True, slots=True)
class Result:
    """How the statement of a use is executed: the template of the call that gives its result."""

    scalars: str
    rows: str
    unique: str

    @classmethod
    def of_session(cls, hole: str, *, has_scalars: bool, unique: bool) -> Result:
        """The templates for a session that fills `hole`."""
        rows = f"{hole}.execute({{statement}})"
        scalars = f"{hole}.scalars({{statement}})" if has_scalars else f"{rows}.scalars()"
        return cls(scalars, rows, ".unique()" if unique else "")

    def of(self, columns: ColumnList) -> str:
        """The template of the result whose elements are those of the Query."""
        return (self.scalars if columns.kind == "entity" else self.rows) + self.unique
