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
    Exists,
    Expression,
    FromClause,
    FromKind,
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


_JOINS = frozenset({"join", "outerjoin"})
_FROM: dict[str, FromKind] = {"subquery": "subquery", "alias": "subquery", "cte": "cte", "lateral": "lateral"}
_SCALARS = frozenset({"as_scalar", "scalar_subquery", "label", "exists"})


def made_by(maker: Outside, call: ast.Call, place: Place, project: Project) -> TableObject | None:
    """The table that a call of `Table` (of SQLAlchemy or of a Flask-SQLAlchemy object) declares."""
    return declared(call, place, project) if maker.canonical in {"Table", FLASK + "Table"} else None


def declared(call: ast.Call, place: Place, project: Project) -> TableObject | None:
    """The table that a call declares; None for what says nothing about its name."""
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
    if name in _JOINS:
        return answer.then(FromClause("join"))
    if name in _STATEMENTS:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else call
        terms = (Term("table", None, receiver),)
        return answer.then(Statement(_STATEMENTS[name], terms, node=call, place=place))
    return None


def from_method(answer: Answer, source: FromClause, name: str, call: ast.Call, place: Place) -> Answer | None:
    """What calling a method of a join, subquery or CTE gives."""
    if name in _JOINS:
        return answer.then(FromClause("join"))
    if name in {"alias", "lateral", "tablesample"}:
        return answer.then(FromClause("alias", source.statement))
    if name == "select":
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else call
        return answer.then(Statement("select", (Term("unknown", None, receiver),), node=call, place=place))
    return answer.then(source) if name in {"union", "union_all"} else None


def exists_method(answer: Answer, name: str, call: ast.Call, place: Place) -> Answer | None:
    """What calling a method of an EXISTS clause gives."""
    if name == "select":
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else call
        return answer.then(Statement("select", (Term("expression", None, receiver),), node=call, place=place))
    is_same = name in {"where", "select_from", "correlate", "correlate_except"}
    return answer.then(Exists() if is_same else Expression(is_whole=False))


def nested(answer: Answer, statement: Statement, name: str) -> Answer | None:
    """What a method of a select or Query gives that puts it into another statement."""
    if name in _FROM:
        return answer.then(FromClause(_FROM[name], statement))
    if name == "exists" and statement.style == "select":
        return answer.then(Exists())
    return answer.then(Expression(is_whole=False)) if name in _SCALARS else None
