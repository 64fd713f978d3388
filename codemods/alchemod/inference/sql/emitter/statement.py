"""A whole statement as code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from alchemod.inference.sql.emitter.dml import delete, insert, update
from alchemod.inference.sql.emitter.refusal import RefusedError
from alchemod.inference.sql.emitter.schema import Schema, Scope
from alchemod.inference.sql.emitter.select import SelectWriter

_NULLS = re.compile(r"\bNULLS\s+(?:FIRST|LAST)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Emitted:
    """A statement in the expression language: `template` with a name in braces for each name to import.

    `converting` are the columns of its result whose types convert values, `bound` the parameters that it has.
    `is_dml`: it writes.
    """

    template: str
    tables: Sequence[str]
    converting: Sequence[str]
    bound: frozenset[str]
    is_dml: bool
    aliases: Mapping[str, str]
    """Variables that stand for tables which the statement has twice, with the template of what makes them."""


def emit(sql: str, schema: Schema, values: Mapping[str, str] | None = None) -> Emitted:
    """The code of one statement. `values` gives the template code of parameters whose values are known.

    Raises:
        RefusedError: a part of the statement is not known; the message names it.
    """
    tree = _parsed(sql)
    writing = SelectWriter(values or {})
    scope = Scope(schema)
    match tree:
        case exp.Select():
            code = writing.select(tree, scope)
        case exp.Insert():
            code = insert(tree, scope, writing)
        case exp.Update():
            code = update(tree, scope, writing)
        case exp.Delete():
            code = delete(tree, scope, writing)
        case _:
            raise RefusedError(f"{type(tree).__name__} is not written")
    is_dml = not isinstance(tree, exp.Select)
    converting = tuple(dict.fromkeys(writing.converting)) if not is_dml else ()
    return Emitted(code, tuple(writing.tables), converting, frozenset(writing.bound), is_dml, scope.aliases)


def tables_of(sql: str) -> list[str]:
    """The names of the tables that a statement speaks of. Raises RefusedError when it cannot be parsed."""
    return [table.name for table in _parsed(sql).find_all(exp.Table)]


def _parsed(sql: str) -> exp.Expr:
    if _NULLS.search(sql):
        raise RefusedError("NULLS FIRST and LAST are not written")
    try:
        trees = sqlglot.parse(sql)
    except (SqlglotError, RecursionError) as error:
        raise RefusedError("the SQL is not understood") from error
    if len(trees) != 1 or trees[0] is None:
        raise RefusedError("several statements in one text are not written")
    if any(node.comments for node in trees[0].walk()):
        raise RefusedError("a comment in the SQL would be lost")
    return trees[0]
