"""MIG105: a plain string given to `execute()` becomes `text()`, or goes to `exec_driver_sql()`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from alchemod.edits.verbs import Verb, drop, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.versions import parse_release
from alchemod.inference.connections.connection_blocks import ConnectionBlocks
from alchemod.inference.querying.rows_as_mappings import RowsAsMappings
from alchemod.inference.sql.driver import Shape, driver_sql
from alchemod.inference.sql.execution import EXECUTING, Execution, SqlExecutions
from alchemod.inference.values import Answer, Engine


class RawStringExecute(Rule):
    """Says how a plain string of SQL is meant: `text()`, or as the driver takes it.

    What it does:
        Wraps the string that a session executes in `text()`. A connection gets `text()` too, or
        `exec_driver_sql()` in the place of `execute()` where the string is written for the driver: with its
        placeholders (`?`, `%s`, `%(name)s`), or with `:` or `%` that `text()` would read in another way.

    Why:
        SQLAlchemy 2.0 executes constructs only: a plain string raises an error there. A session of 1.x made a `text()`
        of it by itself, a connection handed it to the driver as it was.

    Example:
        ```python
        def users(session: Session, least):
            return session.execute("SELECT id, name FROM users WHERE id >= :least", {"least": least}).all()
        ```

    Use instead:
        ```python
        def users(session: Session, least):
            return session.execute(
                text("SELECT id, name FROM users WHERE id >= :least"), {"least": least}
            ).all()
        ```

    Fix safety:
        Safe for a session, and for a connection where the whole string is seen: `text()` when there is nothing in it
        that `text()` would read, else `exec_driver_sql()` with the same parameters. Unsafe for a connection when the
        string is put together elsewhere, when it has parameters like `:name`, which the driver read so far, when 1.4
        refuses it too (asynchronous engines, `future=True`), and when it writes over a connection that nothing tells
        to commit: 2.0 refuses the string, but would lose the text. A report for a variable that is named like SQL and
        may hold either. `op.execute()` of Alembic takes strings, and cursors of a driver take nothing else: both are
        left alone. `engine.execute()` is the business of MIG101.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#execution-method-returns-core-select-constructs
        - https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Connection.exec_driver_sql
    """

    code = "MIG105"
    since = "1.4"
    names = EXECUTING

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may execute a string."""
        place = ctx.place(call)
        executions = ctx.ask(SqlExecutions)
        execution = executions.of(call, place) if place is not None else None
        if execution is None or place is None:
            return
        kind, about = executions.argument(execution.statement, place)
        given = [execution.receiver, *([about] if about is not None else [])]
        method, statement = ast.unparse(execution.method), ast.unparse(execution.statement)
        if kind == "string":
            message = f"{method}() gets SQL as a plain string, which 2.0 refuses"
            yield self._judged(message, execution, executions, given, ctx)
        elif (
            kind == "unknown"
            and isinstance(execution.statement, ast.Name | ast.Attribute)
            and _SQL in statement.lower()
        ):
            message = f"{method}() takes no plain strings in 2.0"
            yield self.report(call, message, missing=f"whether {statement} is a string is not known", given=given)

    def _judged(
        self, message: str, execution: Execution, executions: SqlExecutions, given: list[Answer], ctx: Context
    ) -> Finding:
        call, statement = execution.call, execution.statement
        as_text = swap(statement, "{sqlalchemy.text}({_})")
        if not execution.is_connection:
            return self.fix(call, message, as_text, given=given)
        driver = driver_sql(execution, executions.strings(statement, execution.place))
        if driver.missing:
            return self.report(call, message, missing=driver.missing, given=given)
        doubt = driver.doubt or _refused_already(execution, ctx) or _uncommitted(execution, ctx)
        if driver.form == "text":
            return self.fix(call, message, as_text, given=given, unsafe=doubt)
        if execution.method.attr != "execute":
            missing = f"exec_driver_sql() gives a result, of which {execution.method.attr}() has to be taken"
            return self.report(call, message, missing=missing, given=given)
        unsafe = doubt or ctx.pinned(execution.method.attr)
        return self.fix(call, message, *_to_driver(execution, driver.shape), given=given, unsafe=unsafe)


def _refused_already(execution: Execution, ctx: Context) -> str | None:
    """Why SQLAlchemy 1.4 refuses the string too, so that what raises now would run; None if it does not."""
    match execution.receiver.value:
        case Engine(is_async=True):
            return "connections of an AsyncEngine take no plain strings in 1.4 either: this raises so far"
    future = ctx.ask(RowsAsMappings).future_engine
    return f"{future} makes an engine that takes no plain strings: this raises so far" if future else None


def _uncommitted(execution: Execution, ctx: Context) -> str | None:
    """Why the statement would run in 2.0 and be lost, where it fails loudly now; None if it would not."""
    blocks = ctx.ask(ConnectionBlocks)
    if parse_release(ctx.goal) < (2,):
        return None
    if not blocks.is_left_to_autocommit(execution.method.value, execution.statement, execution.place):
        return None
    return "in SQLAlchemy 2.0 nothing here commits what it writes (MIG103)"


_SQL = "sql"
"""What the name of a variable says that may hold a string."""


def _to_driver(execution: Execution, shape: Shape) -> Iterator[Verb]:
    """The call of `exec_driver_sql()`, with the parameters as it takes them."""
    given, named = execution.parameters, execution.named_parameters
    holes: dict[str, Any]
    if shape == "names":
        holes = {f"value_{index}": keyword.value for index, keyword in enumerate(named)}
        pairs = ", ".join(f'"{keyword.arg}": {{{hole}}}' for keyword, hole in zip(named, holes, strict=True))
        call = f"{{receiver}}.exec_driver_sql({{statement}}, {{{{{pairs}}}}})"
        yield swap(execution.call, call, receiver=execution.method.value, statement=execution.statement, **holes)
        return
    yield rename(execution.method, "exec_driver_sql")
    if shape == "one":
        yield swap(given[0], "({_},)")
    elif shape in {"tuple", "row", "list"}:
        parts = given[0].elts if shape == "tuple" and isinstance(given[0], ast.List) else given
        holes = {f"value_{index}": part for index, part in enumerate(parts)}
        inside = ", ".join(f"{{{hole}}}" for hole in holes)
        display = f"[{inside}]" if shape == "list" else f"({inside})" if len(holes) > 1 else f"({inside},)"
        yield swap(given[0], display, **holes)
        yield from map(drop, given[1:])
