"""ALC705: a database error told by the driver's class or by its text."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Final

from alchemod.edits.verbs import Verb, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.control.exceptions import Exceptions
from alchemod.inference.values import Answer, Engine, Rows, Session, Statement


class DriverErrorInspected(Rule):
    """Catches SQLAlchemy's exception instead of the driver's.

    What it does:
        Replaces a driver's exception class (`sqlite3.IntegrityError`, `psycopg2.OperationalError`) in the handler of
        work that goes through SQLAlchemy by the class of the same name in `sqlalchemy.exc`. Reports handlers that tell
        an error by its text.

    Why:
        SQLAlchemy wraps what the driver raises, so a handler for the driver's class never runs. The text of an error
        differs between databases, drivers and languages.

    Example:
        ```python
        def add(session: Session, user):
            try:
                session.add(user)
                session.commit()
            except sqlite3.IntegrityError:
                session.rollback()
                print("there is one already")
        ```

    Use instead:
        ```python
        def add(session: Session, user):
            try:
                session.add(user)
                session.commit()
            except IntegrityError:
                session.rollback()
                print("there is one already")
        ```

    Fix safety:
        Always unsafe: a handler that never ran begins to run, on purpose. Offered when nothing but SQLAlchemy is called
        in the `try`. A report when something else is called there, which may raise the driver's error itself, when
        `sqlalchemy.exc` has no class of that name, and for errors told by their text. Handlers that catch both classes,
        and work on the driver's own cursors, are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/exceptions.html#sqlalchemy.exc.DBAPIError
        - https://docs.sqlalchemy.org/en/20/errors.html#dbapi-errors
    """

    code = "ALC705"
    names = (
        *("DBAPIError", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError"),
        *("InternalError", "ProgrammingError", "NotSupportedError", "Error", "errors"),
    )

    def find_ExceptHandler(self, handler: ast.ExceptHandler, ctx: Context) -> Iterator[Finding]:
        """Looks at one handler."""
        caught = ctx.ask(Exceptions).caught(ctx.path, handler)
        if caught is None:
            return
        drivers = [name for name in caught if name.partition(".")[0] in _DRIVERS]
        if drivers:
            yield from self._of_driver(handler, drivers, caught, ctx)
        elif handler.name is not None and any(name in _WRAPPED for name in caught):
            yield from self._told_by_text(handler)

    def _of_driver(
        self, handler: ast.ExceptHandler, drivers: list[str], caught: tuple[str, ...], ctx: Context
    ) -> Iterator[Finding]:
        attempt = ctx.ask(Exceptions).attempt(ctx.path, handler)
        work = next((answer for call in _calls(attempt.body) if (answer := _work(call, ctx))), None)
        if work is None:
            return
        assert handler.type is not None
        message = f"SQLAlchemy wraps {drivers[0]}: this handler does not see the error"
        edits: list[Verb] = []
        others = [ctx.ask(Exceptions).caught(ctx.path, one) or () for one in attempt.handlers if one is not handler]
        elsewhere = {name for names in others for name in names}
        for node in handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]:
            (name,) = ctx.ask(Exceptions).classes(ctx.path, node) or ("",)
            wrapped = _SPELLED.get(name.rpartition(".")[2], name.rpartition(".")[2])
            if name not in drivers or wrapped in elsewhere or _is_caught(wrapped, caught):
                continue
            if wrapped not in _WRAPPED:
                missing = "catch IntegrityError or DBAPIError and look at its .orig"
                yield self.report(node, message, missing=missing, given=[work])
                return
            edits.append(swap(node, f"{{sqlalchemy.exc.{wrapped}}}"))
        foreign = ctx.ask(Exceptions).foreign_call(ctx.path, attempt.body)
        if foreign is not None and edits:
            missing = f"{ast.unparse(foreign.func)}() may raise it; the session raises the class of sqlalchemy.exc"
            yield self.report(handler.type, message, missing=missing, given=[work])
        elif edits:
            unsafe = "the handler begins to run, on purpose"
            yield self.fix(handler.type, message, *edits, given=[work], unsafe=unsafe)

    def _told_by_text(self, handler: ast.ExceptHandler) -> Iterator[Finding]:
        for node in (part for statement in handler.body for part in ast.walk(statement)):
            match node:
                case ast.Compare(left=ast.Constant(value=str(text)), ops=[ast.In() | ast.NotIn()], comparators=[told]):
                    if _is_text_of(told, handler.name):
                        message = f"the error is told by its text {text!r}, which differs between databases"
                        missing = f"{handler.name}.orig has the driver's class, code and constraint"
                        yield self.report(node, message, missing=missing)


_DRIVERS: Final = frozenset(
    {
        *("sqlite3", "psycopg2", "psycopg", "asyncpg", "MySQLdb", "pymysql", "mysql"),
        *("cx_Oracle", "oracledb", "pyodbc", "pymssql"),
    }
)
_WRAPPED: Final = frozenset(
    {
        *("DBAPIError", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError"),
        *("InternalError", "ProgrammingError", "NotSupportedError"),
    }
)
"""The classes of `sqlalchemy.exc` that wrap those of PEP 249 by name ("Core Exceptions", DBAPIError)."""
_SPELLED: Final = {"Error": "DBAPIError"}


_OF_DATABASE: Final = _WRAPPED - {"DBAPIError", "InterfaceError", "DatabaseError"}
"""The classes below DatabaseError."""


def _is_caught(wrapped: str, caught: Collection[str]) -> bool:
    """Whether a class of `sqlalchemy.exc`, or one above it, is caught as well."""
    above = {wrapped, "DBAPIError", "StatementError", "SQLAlchemyError"}
    return any(name in above or (name == "DatabaseError" and wrapped in _OF_DATABASE) for name in caught)


def _calls(nodes: list[ast.stmt]) -> Iterator[ast.Call]:
    return (part for node in nodes for part in ast.walk(node) if isinstance(part, ast.Call))


def _work(call: ast.Call, ctx: Context) -> Answer | None:
    """What sends SQL in a call, if it is SQLAlchemy's."""
    if not isinstance(call.func, ast.Attribute):
        return None
    answer = ctx.value(call.func.value)
    is_own = answer is not None and isinstance(answer.value, Session | Statement | Engine | Rows)
    return answer if is_own else None


def _is_text_of(node: ast.expr, name: str | None) -> bool:
    """Whether a node is the text of the exception called `name`: `str(e)`, `str(e.orig)`, `e.args[0]`."""
    match node:
        case ast.Call(
            func=ast.Name(id="str" | "repr"), args=[ast.Name(id=told) | ast.Attribute(value=ast.Name(id=told))]
        ):
            return told == name
        case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper")):
            return _is_text_of(inner, name)
        case ast.Subscript(value=ast.Attribute(attr="args", value=ast.Name(id=told))):
            return told == name
        case ast.Subscript(value=ast.Attribute(attr="args", value=ast.Attribute(attr="orig", value=ast.Name(id=told)))):
            return told == name
    return False
