"""The column that a text names in a statement of one table: `"name desc"` in a query of `User` is `User.name`."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.facts.tables import Table, TableColumn
from alchemod.inference.area import Area
from alchemod.inference.querying.filtering import filtered_entity
from alchemod.inference.resolving.statements import JOINS, REBUILDING
from alchemod.inference.scoping.scopes import contains
from alchemod.inference.values import Answer, Place, Statement, TableObject, Term


class NamedColumns(Area):
    """Answers for texts that stand as arguments of statement methods."""

    def code(self, path: Path, call: ast.Call, table: str | None, name: str) -> str | None:
        """The code of the column that SQL calls `name`, or `table.name`, in the statement which `call` continues.

        None when the statement speaks of more than one table, or the column cannot be written there.
        """
        place = self.inference.place(path, call)
        if place is None or not isinstance(call.func, ast.Attribute):
            return None
        answer = self.inference.resolver.value(call.func.value, place)
        if answer is None or not isinstance(answer.value, Statement):
            return None
        statement = answer.value
        if statement.lost or statement.has_step(*JOINS, *REBUILDING, "select_from"):
            return None
        match statement.terms:
            case [Term(kind="table", node=ast.expr() as node)] if contains(call, node):
                return self._of_table(node, place, table, name)
        return self._of_entity(call, place, statement, table, name)

    def _of_table(self, node: ast.expr, place: Place, table: str | None, name: str) -> str | None:
        match self.inference.resolver.value(node, place):
            case Answer(value=TableObject(table=found, alias=None)):
                column = _named(found, table, name)
                if column is not None and column.key.isidentifier():
                    return f"{ast.unparse(node)}.c.{column.key}"
        return None

    def _of_entity(
        self, call: ast.Call, place: Place, statement: Statement, table: str | None, name: str
    ) -> str | None:
        entities = {term.entity.cls if term.entity is not None else None for term in statement.terms}
        if len(entities) != 1 or any(term.kind not in {"entity", "column"} for term in statement.terms):
            return None
        filtered = filtered_entity(call, place, self.inference.resolver)
        if filtered is None or filtered.entity is None or filtered.spelling is None:
            return None
        if filtered.spelling.imported is not None or filtered.entity.cls.alias is not None:
            return None
        found = self.inference.project.tables.of(filtered.entity.model)
        column = _named(found, table, name) if found is not None else None
        if column is None or column.attribute is None or column.attribute.kind != "column":
            return None
        return f"{filtered.spelling.code}.{column.key}"


def _named(found: Table, table: str | None, name: str) -> TableColumn | None:
    return found.named(name) if table is None or table == found.name else None
