"""What tables of SQLAlchemy Core give: their columns, aliases and statements.

SQLAlchemy 1.3 to 2.1: "Working with Database Metadata", the methods of `Table` and `FromClause`.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Literal

from alchemod.facts.project import Project
from alchemod.facts.vocabulary import FLASK
from alchemod.inference.values import (
    Answer,
    ColumnObject,
    ColumnsOf,
    Method,
    Outside,
    Place,
    Statement,
    TableObject,
    Term,
)

_STATEMENTS: dict[str, Literal["select", "insert", "update", "delete"]] = {
    "select": "select",
    "insert": "insert",
    "update": "update",
    "delete": "delete",
}


def made_by(maker: Outside, call: ast.Call, place: Place, project: Project) -> TableObject | None:
    """The table that a call of `Table` (of SQLAlchemy or of a Flask-SQLAlchemy object) declares."""
    return declared(call, place, project) if maker.canonical in {"Table", FLASK + "Table"} else None


def declared(call: ast.Call, place: Place, project: Project) -> TableObject | None:
    """The table that a call declares, None when its name is not a literal."""
    table = project.tables.declared(call, place.module)
    return TableObject(table) if table is not None else None


def attribute(answer: Answer, table: TableObject, name: str) -> Answer | None:
    """What an attribute of a table is: its columns, or a method."""
    if name in {"c", "columns"}:
        return answer.then(ColumnsOf(table))
    return answer.then(Method(table, name))


def column(table: TableObject, key: str) -> ColumnObject:
    """The column of a table that Python calls `key`."""
    return ColumnObject(table, key, table.table.columns.get(key))


def method(answer: Answer, table: TableObject, name: str, call: ast.Call, place: Place) -> Answer | None:
    """What calling a method of a table gives."""
    if name == "alias":
        return answer.then(replace(table, alias=call))
    if name in _STATEMENTS:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else call
        terms = (Term("table", None, receiver),)
        return answer.then(Statement(_STATEMENTS[name], terms, node=call, place=place))
    return None
