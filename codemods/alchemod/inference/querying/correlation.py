"""Whether a statement may stand inside another one without a FROM of its own around it.

In WHERE a select with several elements in FROM gives up those that the statement around has too ("Scalar and Correlated
Subqueries"); in FROM it does not. And MySQL reads neither a LIMIT nor the table that is changed in such a subquery
("Restrictions on Subqueries"), but does read both in FROM.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from alchemod.facts.model import Model
from alchemod.facts.tables import Table
from alchemod.inference.area import Area
from alchemod.inference.resolving.statements import JOINS
from alchemod.inference.values import (
    Answer,
    ColumnObject,
    ColumnsOf,
    FromClause,
    ModelAttribute,
    ModelClass,
    Place,
    Statement,
    TableObject,
    Value,
)

_Source: TypeAlias = Model | Table | str
"""What stands in FROM: a class, a table, or the code of something else."""

_LIMITS = ("limit", "offset", "slice", "fetch")


class Correlation(Area):
    """Answers about statements that are put into others."""

    def doubt(self, statement: Statement, place: Place, compared: ast.expr | None) -> str | None:
        """Why `statement` may give other rows when it stands in `compared.in_(...)` itself, not as a subquery.

        `compared` stands in `place` too; None where it is not known. No answer means that there is no such reason.
        """
        if statement.has_step(*_LIMITS):
            return "MySQL takes no LIMIT in a subquery of IN"
        if statement.lost or statement.dynamic:
            return "it is not seen what the subquery reads"
        where = statement.place or place
        sources = {source for node in _nodes(statement) for source in self._sources(node, where)}
        joined = {source for node in _joined(statement) for source in self._joined_to(node, where)}
        if len(sources - joined) != 1:
            return "the subquery reads several tables, which SQLAlchemy may take from the statement around it"
        left = {self._named(source) for source in self._sources(compared, place)} if compared is not None else set()
        if len(left) != 1 or left & {self._named(source) for source in sources | joined}:
            return "MySQL cannot read the table that a statement around the subquery may change"
        return None

    def _named(self, source: _Source) -> _Source:
        """The name of a table where it is known."""
        table = self.inference.project.tables.of(source) if isinstance(source, Model) else source
        return table.name if isinstance(table, Table) else source

    def _sources(self, node: ast.expr, place: Place) -> Iterator[_Source]:
        """What the expressions in `node` belong to."""
        stack: list[ast.AST] = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, ast.Name | ast.Attribute) and isinstance(part.ctx, ast.Load):
                answer = self.inference.resolver.value(part, place)
                if answer is not None and (source := _source(answer.value, part)) is not None:
                    yield source
                    continue
            if not isinstance(part, ast.Lambda):
                stack.extend(ast.iter_child_nodes(part))

    def _joined_to(self, node: ast.expr, place: Place) -> Iterator[_Source]:
        """What a join goes to: the target of a relationship, else what is named."""
        match self.inference.resolver.value(node, place):
            case Answer(value=ModelAttribute(owner=owner, attribute=attribute)):
                target = self.inference.project.models.target(attribute, owner.model)
                if target is not None:
                    yield target
            case _:
                yield from self._sources(node, place)


def _nodes(statement: Statement) -> Iterator[ast.expr]:
    """The column list and the arguments of the steps."""
    yield from (term.node for term in statement.terms if term.node is not None)
    for name, call in statement.steps:
        if name != "options":
            yield from call.args


def _joined(statement: Statement) -> Iterator[ast.expr]:
    """What is joined."""
    for name, call in statement.steps:
        if name in JOINS and call.args:
            yield call.args[1 if name.endswith("_from") and len(call.args) > 1 else 0]


def _source(value: Value, node: ast.expr) -> _Source | None:
    match value:
        case ModelAttribute(owner=ModelClass(alias=None) as owner):
            return owner.model
        case ModelClass(model=model, alias=None):
            return model
        case (
            ColumnObject(owner=TableObject(table=table, alias=None))
            | ColumnsOf(owner=TableObject(table=table, alias=None))
        ):
            return table.model or table
        case TableObject(table=table, alias=None):
            return table.model or table
        case ModelAttribute() | ModelClass() | ColumnObject() | ColumnsOf() | TableObject() | FromClause():
            return ast.unparse(node.value if isinstance(node, ast.Attribute) else node)
    return None
