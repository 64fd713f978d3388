"""ALC218: constant SQL over the project's tables becomes a statement of the expression language."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from alchemod.edits.verbs import Code, Verb, drop, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.places import enclosing
from alchemod.engine.rule import Rule
from alchemod.inference.sql.execution import EXECUTING
from alchemod.inference.sql.statements import StaticSql, StaticStatements


class StaticSqlStatement(Rule):
    """Writes constant SQL as a statement over the mapped classes and tables of the project.

    What it does:
        Replaces `text("SELECT ...")`, or INSERT, UPDATE or DELETE, that a session or connection executes by `select()`,
        `insert()`, `update()` or `delete()` over the classes and tables that the project declares. Parameters become
        the values that the call gives them. Needs sqlglot (`pip install alchemod[sql]`).

    Why:
        Names in a text are not renamed with the columns, nothing checks them before the statement runs, and the text is
        of one dialect.

    Example:
        ```python
        def names(session: Session, least):
            return session.execute(text("SELECT name FROM users WHERE id >= :least"), {"least": least}).all()
        ```

    Use instead:
        ```python
        def names(session: Session, least):
            return session.execute(select(User.name).where(User.id >= least)).all()
        ```

    Fix safety:
        Always unsafe: a session flushes pending objects before such a statement, a parameter that is None compares by
        IS NULL, and a column of the result without a name is called otherwise. A report that names it when a part of
        the statement, a table or a column is not known, and when a type converts the values of a column (JSON, Enum;
        dates, booleans and decimals on SQLite). UPDATE and DELETE do not look at objects in the session, as before.

    References:
        - https://docs.sqlalchemy.org/en/20/tutorial/data_select.html
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/dml.html
    """

    code = "ALC218"
    names = EXECUTING

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may execute constant SQL."""
        place = ctx.place(call)
        static = ctx.ask(StaticStatements).of(call, place) if place is not None else None
        if static is None:
            return
        given = [static.execution.receiver]
        message = "constant SQL over tables that the project declares"
        missing = static.missing
        if static.emitted is not None and static.emitted.converting:
            missing = f"the type of {static.emitted.converting[0]} converts its values, which the text does not"
        statement = enclosing(ctx.tree, call).statement
        if static.emitted is not None and static.emitted.aliases and not isinstance(statement, _SIMPLE):
            missing = missing or "an alias in a variable has no place before this statement"
        if static.emitted is None or missing:
            yield self.report(static.node, message, missing=missing, given=given, level="note")
            return
        unsafe = "None as a parameter compares by IS NULL, a session flushes before, columns without a name are renamed"
        yield self.fix(static.node, message, *_edits(static, statement), given=given, unsafe=unsafe)


_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)
"""Statements before which another one can stand."""


def _edits(static: StaticSql, statement: ast.stmt | None) -> Iterator[Verb]:
    emitted = static.emitted
    assert emitted is not None
    template = emitted.template
    if emitted.is_dml and not static.execution.is_connection and not template.startswith("{sqlalchemy.insert}"):
        template += ".execution_options(synchronize_session=False)"
    holes: dict[str, Any] = {
        name: Code(value) if isinstance(value, str) else value for name, value in static.holes.items()
    }
    values = {name: value for name, value in holes.items() if f"{{{name}}}" in template}
    for variable, made in emitted.aliases.items():
        of_table = {name: value for name, value in holes.items() if f"{{{name}}}" in made}
        yield insert(f"{variable} = {made}", before=statement, **of_table)
    yield swap(static.node, template, **values)
    if static.inlined:
        yield drop(static.execution.parameters[0])
