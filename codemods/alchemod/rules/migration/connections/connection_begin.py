"""MIG104: transactions of connections that begin where one has begun, or end where none is expected."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from typing import Final

from alchemod.edits.verbs import block, insert
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.facts.nodes import expressions, statements
from alchemod.inference.connections.connection_blocks import ConnectionBlocks
from alchemod.inference.legacy.listeners import Listeners
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.values import Answer, Engine

_EXECUTING: Final = frozenset({"execute", "scalar", "scalars", "exec_driver_sql"})
_ENDING: Final = frozenset({"commit", "rollback", "in_transaction"})


class ConnectionBegin(Rule):
    """Finds transactions of connections that fail in SQLAlchemy 2.0, where a connection begins by itself.

    What it does:
        Commits before `connection.begin()` what an earlier statement has begun, gives what a listener for
        `engine_connect` executes a transaction of its own, opens a transaction around a savepoint that stands by
        itself, and reports `begin()` inside of `begin()`, and work after `commit()` inside of
        `engine.begin()`.

    Why:
        A connection of SQLAlchemy 2.0 begins a transaction with its first statement. A later `begin()` raises
        InvalidRequestError, and a savepoint alone commits nothing.

    Example:
        ```python
        def rename(old, new):
            with engine.connect() as connection:
                known = connection.execute(select(User.id).where(User.name == old)).first()
                with connection.begin():
                    connection.execute(User.__table__.update().values(name=new))
        ```

    Use instead:
        ```python
        def rename(old, new):
            with engine.connect() as connection:
                known = connection.execute(select(User.id).where(User.name == old)).first()
                connection.commit()
                with connection.begin():
                    connection.execute(User.__table__.update().values(name=new))
        ```

    Fix safety:
        Unsafe where both statements stand in one function on one connection, and in listeners. A report where
        `begin()` stands inside of `begin()`: who owns the transaction decides, and a savepoint is something else. Code
        that asks `in_transaction()` first is left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/connections.html#commit-as-you-go
        - https://docs.sqlalchemy.org/en/20/core/connections.html#begin-once
    """

    code = "MIG104"
    names = ("connect", "begin", "listens_for", "listen")
    since = "2.0"
    min_version = "2.0"

    def find_With(self, node: ast.With, ctx: Context) -> Iterator[Finding]:
        """Looks at one block that opens a connection or begins a transaction."""
        for item in node.items:
            opened = ctx.ask(ConnectionBlocks).opened(ctx.path, item)
            if opened is not None and isinstance(item.optional_vars, ast.Name):
                yield from self._suite(node.body, item.optional_vars.id, opened)
            begun = _begun(item, ctx)
            if begun is not None:
                yield from self._begun(node, item, begun, ctx)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one `begin()` of a connection that something keeps, and at one listener for new connections, in
        which a statement begins the transaction of whoever asked.
        """
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Attribute() as kept, attr="begin"), args=[], keywords=[]):
                yield from self._kept(call, kept, ctx)
        if last_name(call) not in {"listens_for", "listen"}:
            return
        listener = next((one for one in ctx.ask(Listeners).of(ctx.path) if one.call is call), None)
        if listener is None or listener.event != "engine_connect" or not listener.parameters:
            return
        if listener.function is None or isinstance(listener.function, ast.Lambda):
            return
        name, body = listener.parameters[0], listener.function.body
        if any(_calls(statement, name, {*_ENDING, "begin"}) for statement in body):
            return
        for statement in statements(body):
            if not any(_calls(part, name, _EXECUTING) for part in expressions(statement)):
                continue
            message = (
                "this begins a transaction in SQLAlchemy 2.0, so begin() of whoever asked for the connection raises"
            )
            if isinstance(statement, ast.Expr | ast.Assign):
                edit = block(statement, statement, "with {connection}.begin():", connection=name)
                unsafe = "whether the listener is to commit what it did"
                yield self.fix(statement, message, edit, given=[listener.answer], unsafe=unsafe, min_version="1.4")
            else:
                missing = f"write `with {name}.begin():` around it"
                yield self.report(statement, message, missing=missing, given=[listener.answer])

    def _kept(self, call: ast.Call, kept: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """`self.connection.begin()`: what has run over the connection has begun a transaction."""
        answer, place = ctx.value(kept), ctx.place(call)
        if answer is None or place is None or not isinstance(answer.value, Engine) or not answer.value.is_connection:
            return
        function = enclosing_function(place.scope)
        if answer.value.is_async or function is None or _calls(function.node, ast.unparse(kept), _ENDING):
            return
        code = ast.unparse(kept)
        message = f"begin() raises in SQLAlchemy 2.0 once a statement has run over {code}, which begins by itself"
        missing = f"who ends what {code} has begun; commit or roll back there, or ask in_transaction() first"
        yield self.report(call, message, missing=missing, given=[answer])

    def _suite(self, suite: Sequence[ast.stmt], name: str, given: Answer) -> Iterator[Finding]:
        """A connection that is used, then begins, in one suite."""
        used: ast.stmt | None = None
        for statement in suite:
            begins = _begins(statement, name)
            if begins == "begin" and used is not None:
                message = f"line {used.lineno} begins a transaction in SQLAlchemy 2.0, so this begin() raises"
                edit = insert("{connection}.commit()", before=statement, connection=name)
                unsafe = "whether what it did is to be committed; a rollback would do for reading"
                yield self.fix(statement, message, edit, given=[given], unsafe=unsafe)
                used = None
            elif begins == "begin_nested" and used is None:
                message = "a savepoint by itself commits nothing in SQLAlchemy 2.0: the transaction around it has to"
                edits = block(statement, statement, "with {connection}.begin():", connection=name)
                yield self.fix(statement, message, edits, given=[given], unsafe="who ends the transaction around it")
            if _calls(statement, name, {*_ENDING, "begin"}):
                used = None
            elif _calls(statement, name, _EXECUTING):
                used = statement

    def _begun(self, node: ast.With, item: ast.withitem, begun: Answer, ctx: Context) -> Iterator[Finding]:
        """A transaction that begins again, or goes on after its end."""
        assert isinstance(item.context_expr, ast.Call)
        assert isinstance(item.context_expr.func, ast.Attribute)
        owner = item.context_expr.func.value
        name = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else ast.unparse(owner)
        for statement in node.body:
            for inner in ast.walk(statement):
                if isinstance(inner, ast.With) and any(_is_begin(one.context_expr, name) for one in inner.items):
                    message = "begin() inside of begin() raises in SQLAlchemy 2.0"
                    missing = "who owns the transaction; begin it in one place, or ask in_transaction() first"
                    yield self.report(inner, message, missing=missing, given=[begun])
        ended = next((one for one in node.body if _calls(one, name, {"commit"})), None)
        if ended is None or not isinstance(item.optional_vars, ast.Name):
            return
        rest = node.body[node.body.index(ended) + 1 :]
        after = next((one for one in rest if _calls(one, name, {"execute", "scalar", "scalars"})), None)
        if after is not None:
            message = f"line {after.lineno} raises in SQLAlchemy 2.0: commit() has ended the transaction of this block"
            missing = "where the transactions end; open connect() and commit by hand, or a block for each"
            yield self.report(ended, message, missing=missing, given=[begun])


def _begun(item: ast.withitem, ctx: Context) -> Answer | None:
    """The engine or connection whose `begin()` opens a block."""
    match item.context_expr:
        case ast.Call(func=ast.Attribute(value=owner, attr="begin"), args=[], keywords=[]):
            answer = ctx.value(owner)
            return answer if answer is not None and isinstance(answer.value, Engine) else None
    return None


def _begins(statement: ast.stmt, name: str) -> str:
    """Which transaction of a connection a statement begins; "" for none."""
    opened: list[ast.expr] = []
    match statement:
        case ast.With(items=items):
            opened = [item.context_expr for item in items]
        case ast.Assign(value=value) | ast.Expr(value=value):
            opened = [value]
    for one in opened:
        match one:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="begin" | "begin_nested" as method)):
                if owner == name:
                    return method
    return ""


def _is_begin(node: ast.expr, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="begin")):
            return ast.unparse(owner) == name
    return False


def _calls(statement: ast.AST, name: str, methods: Set[str]) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in methods
        and ast.unparse(node.func.value) == name
        for node in ast.walk(statement)
    )
