"""MIG108: names of engines, connections, results and inspectors that are called otherwise by now."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.edits.verbs import rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from alchemod.facts.nodes import is_dotted
from alchemod.inference.connections.bound_engines import BoundEngines
from alchemod.inference.connections.connectionless import Connectionless
from alchemod.inference.uses.flowing import Flowing
from alchemod.inference.values import Answer, Engine, LibraryObject, Outside, TableObject

_ROWS = ("sqlalchemy.engine", "sqlalchemy.engine.result")
_TABLE = (
    *(Renamed(f"{module}.ResultProxy", "sqlalchemy.engine.CursorResult") for module in _ROWS),
    *(Renamed(f"{module}.RowProxy", "sqlalchemy.engine.Row") for module in _ROWS),
    *(Renamed(f"{module}.LegacyRow", "sqlalchemy.engine.Row", since="2.0") for module in _ROWS),
    Renamed("sqlalchemy.util.KeyedTuple", "sqlalchemy.engine.Row"),
    Renamed("sqlalchemy.engine.Connectable", since="2.0", instead="name Engine and Connection"),
    Renamed("sqlalchemy.engine.base.Connectable", since="2.0", instead="name Engine and Connection"),
)
_METHODS = (
    *("table_names", "has_table", "from_engine", "reflecttable", "contextual_connect", "transaction"),
    *("run_callable", "exists", "connect"),
)


class RenamedEngineNames(RenamedNames):
    """Uses the current names of engines, connections, results and inspectors.

    What it does:
        Asks an Inspector where an engine was asked (`engine.table_names()`, `engine.has_table()`, `table.exists()`),
        makes it by `inspect()`, opens blocks for `engine.transaction()` and `run_callable()`, and imports
        `CursorResult` and `Row` for `ResultProxy` and `RowProxy`.

    Why:
        The old names are gone in SQLAlchemy 2.0.

    Example:
        ```python
        def exists(name):
            return engine.has_table(name)
        ```

    Use instead:
        ```python
        def exists(name):
            return inspect(engine).has_table(name)
        ```

    Fix safety:
        Safe for the renamed names and methods. Unsafe for `run_callable()`, whose callee may write without a commit,
        for `connection.connect()`, whose `close()` did nothing, and where a test replaces the method. A report where a
        connection is given besides, where a table does not say which engine is meant, and for `Connectable`, which has
        no successor.

    References:
        - https://docs.sqlalchemy.org/en/14/core/reflection.html#fine-grained-reflection-with-inspector
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html
    """

    code = "MIG108"
    names = (*last_names(_TABLE), *_METHODS)
    since = "1.4"
    table = _TABLE

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a method that is called otherwise."""
        match call.func:
            case ast.Attribute(value=ast.Attribute(value=bind, attr="dialect"), attr="has_table"):
                yield from self._of_dialect(call, bind, ctx)
                return
            case ast.Attribute(value=receiver, attr=name) if name in _METHODS:
                answer = ctx.value(receiver)
            case _:
                return
        if answer is None:
            return
        match answer.value:
            case Engine(is_async=False, is_connection=False):
                yield from self._of_engine(call, receiver, name, answer, ctx)
            case Engine(is_async=False, is_connection=True) if name == "connect" and not call.args:
                message = "a connection has no connect() in SQLAlchemy 2.0"
                unsafe = "whether close() of what it gave is called, which did nothing"
                yield self.fix(
                    call, message, swap(call, "{connection}", connection=receiver), given=[answer], unsafe=unsafe
                )
            case LibraryObject(name="Inspector") if name == "reflecttable":
                message = "reflecttable() is reflect_table()"
                yield self.fix(call, message, rename(call.func, "reflect_table"), given=[answer])
            case Outside(definition=definition) if name == "from_engine" and definition.canonical == "Inspector":
                message = "Inspector.from_engine() is inspect()"
                yield self.fix(call, message, swap(call.func, "{sqlalchemy.inspect}"), given=[answer])
            case TableObject() if name == "exists":
                yield from self._exists(call, receiver, answer, ctx)

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at one method that is not called: `if table.exists:` is always true in SQLAlchemy 1.x."""
        yield from super().find_Attribute(node, ctx)
        if node.attr != "exists" or not isinstance(node.ctx, ast.Load):
            return
        outer, answer = ctx.ask(Flowing).parent(ctx.path, node), ctx.value(node.value)
        if isinstance(outer, ast.Call) and outer.func is node:
            return
        if answer is not None and isinstance(answer.value, TableObject):
            missing = f"whether {ast.unparse(node)} was to be called; ask inspect(engine).has_table()"
            yield self.report(node, "a table has no exists in SQLAlchemy 2.0", missing=missing, given=[answer])

    def _of_engine(
        self, call: ast.Call, receiver: ast.expr, name: str, answer: Answer, ctx: Context
    ) -> Iterator[Finding]:
        if name in _ASKING:
            message = f"an engine has no {name}() in SQLAlchemy 2.0: an Inspector does"
            if any(keyword.arg not in {"schema", "table_name"} for keyword in call.keywords) or len(call.args) > 2:
                yield self.report(call, message, missing="ask inspect(connection)", given=[answer])
                return
            template = f"{{sqlalchemy.inspect}}({{engine}}).{_ASKING[name]}"
            edit = swap(call.func, template, engine=receiver)
            yield self.fix(call, message, edit, given=[answer], unsafe=ctx.pinned(name))
        elif name == "contextual_connect" and not call.args and not call.keywords:
            message = "contextual_connect() is connect()"
            yield self.fix(call, message, rename(call.func, "connect"), given=[answer])
        elif name in _CALLING and call.args:
            yield from self._block(call, receiver, name, answer, ctx)

    def _of_dialect(self, call: ast.Call, bind: ast.expr, ctx: Context) -> Iterator[Finding]:
        """`bind.dialect.has_table(bind, name)`; a dialect that is asked about another connection is left alone."""
        match call:
            case ast.Call(args=[connection, name], keywords=keywords) if {one.arg for one in keywords} <= {"schema"}:
                asked = ctx.value(connection) if ast.unparse(connection) == ast.unparse(bind) else None
            case _:
                return
        if asked is None or not isinstance(asked.value, Engine) or asked.value.is_async:
            return
        holes: dict[str, Any] = {"schema": keywords[0].value} if keywords else {}
        listed = "{name}, schema={schema}" if holes else "{name}"
        template = f"{{sqlalchemy.inspect}}({{connection}}).has_table({listed})"
        message = "a dialect is asked by an Inspector in SQLAlchemy 2.0"
        edit = swap(call, template, connection=connection, name=name, **holes)
        yield self.fix(call, message, edit, given=[asked])

    def _block(self, call: ast.Call, receiver: ast.expr, name: str, answer: Answer, ctx: Context) -> Iterator[Finding]:
        """`engine.transaction(function, ...)` as a statement becomes a block that calls the function."""
        message = f"an engine has no {name}() in SQLAlchemy 2.0"
        statement = ctx.ask(Flowing).parent(ctx.path, call)
        connection = ctx.ask(Connectionless).name(ctx.path, call)
        starred = any(isinstance(one, ast.Starred) for one in call.args)
        if not isinstance(statement, ast.Expr) or starred or not connection:
            missing = f"write `with {ast.unparse(receiver)}.{_CALLING[name]}() as connection:` around the call"
            yield self.report(call, message, missing=missing, given=[answer])
            return
        arguments: dict[str, Any] = {f"argument{number}": one for number, one in enumerate(call.args[1:])}
        named: dict[str, Any] = {f"keyword{number}": one.value for number, one in enumerate(call.keywords)}
        keywords = (
            f"{one.arg}={{keyword{number}}}" if one.arg else f"**{{keyword{number}}}"
            for number, one in enumerate(call.keywords)
        )
        inside = ", ".join((connection, *(f"{{{hole}}}" for hole in arguments), *keywords))
        template = f"with {{engine}}.{_CALLING[name]}() as {connection}:\n    {{function}}({inside})"
        edit = swap(statement, template, engine=receiver, function=call.args[0], **arguments, **named)
        unsafe = "whether the function writes; nothing commits" if name == "run_callable" else None
        yield self.fix(call, message, edit, given=[answer], unsafe=unsafe)

    def _exists(self, call: ast.Call, receiver: ast.expr, answer: Answer, ctx: Context) -> Iterator[Finding]:
        message = "a table has no exists() in SQLAlchemy 2.0"
        bind = call.args[0] if len(call.args) == 1 else next((one.value for one in call.keywords), None)
        engine = ctx.value(bind) if bind is not None else None
        table = ast.unparse(receiver)
        template = f"{{sqlalchemy.inspect}}({{engine}}).has_table({table}.name, schema={table}.schema)"
        if bind is None and is_dotted(receiver) and isinstance(answer.value, TableObject):
            bound = ctx.ask(BoundEngines).of_table(ctx.path, answer.value, call, receiver)
            if bound is not None:
                edit = swap(call, template.replace("{engine}", bound))
                yield self.fix(call, message, edit, given=[answer], unsafe="which engine the metadata is bound to")
                return
        if engine is None or not isinstance(engine.value, Engine) or not is_dotted(receiver):
            missing = "which engine is meant; write inspect(engine).has_table(table.name, schema=table.schema)"
            yield self.report(call, message, missing=missing, given=[answer])
            return
        assert bind is not None
        unsafe = None if isinstance(receiver, ast.Name) else f"whether {table} is the same each time"
        yield self.fix(call, message, swap(call, template, engine=bind), given=[answer, engine], unsafe=unsafe)


_ASKING: Final = {"table_names": "get_table_names", "has_table": "has_table"}
_CALLING: Final = {"transaction": "begin", "run_callable": "connect"}
