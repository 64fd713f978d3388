"""MIG113: what engines, raw connections and dialects do otherwise in SQLAlchemy 2.0, without a word in the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import rename
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.facts.module import ClassFacts
from alchemod.inference.names.literals import Literals
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, ClassObject, Engine, LibraryObject, Outside, Rows

_RAW: Final = "PoolProxiedConnection"
_RETURNING: Final = {"full_returning": "insert_returning, update_returning and delete_returning"}
_WRITING: Final = frozenset({"insert", "update", "delete"})


class EngineBehaviourChanges(Rule):
    """Names what engines and connections do otherwise in SQLAlchemy 2.0.

    What it does:
        `raw_connection().connection` becomes `driver_connection`. Reports `keys()` of the result of an INSERT, UPDATE
        or DELETE, engines for a file of SQLite, whose pool keeps connections now, raw connections that nothing closes,
        and dialects with the hooks of 1.x.

    Why:
        SQLAlchemy 2.0 raises, warns, or holds a file or a connection open where 1.4 did not.

    Example:
        ```python
        def backup(target):
            raw = engine.raw_connection()
            raw.connection.backup(target)
            raw.close()
        ```

    Use instead:
        ```python
        def backup(target):
            raw = engine.raw_connection()
            raw.driver_connection.backup(target)
            raw.close()
        ```

    Fix safety:
        Unsafe for `driver_connection`: under an asyncio driver it is the connection of the driver, while `connection`
        was an adapter (`dbapi_connection` by now). A report for the rest, once for each engine or class. Databases of
        SQLite in memory, engines that say `poolclass=`, tests, and raw connections that are handed on are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/whatsnew_20.html
        - https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#threading-pooling-behavior
        - https://docs.sqlalchemy.org/en/20/core/connections.html#working-with-driver-sql-and-raw-dbapi-connections
    """

    code = "MIG113"
    names = ("connection", "keys", "create_engine", "raw_connection", "dbapi", *_RETURNING)
    since = "2.0"
    min_version = "2.0"

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at one `raw.connection`, or at what a dialect says of itself."""
        if not isinstance(node.ctx, ast.Load):
            return
        if node.attr in _RETURNING:
            yield from self._returning(node, ctx)
        elif node.attr == "connection":
            answer = ctx.value(node.value)
            match answer:
                case Answer(value=LibraryObject(name="PoolProxiedConnection")):
                    message = "connection of a raw connection is called driver_connection in SQLAlchemy 2.0"
                    unsafe = "whether an asyncio driver is used, whose adapter is dbapi_connection"
                    yield self.fix(node, message, rename(node, "driver_connection"), given=[answer], unsafe=unsafe)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one engine, one raw connection, or the keys of one result."""
        match call.func:
            case ast.Attribute(value=ast.Call() | ast.Name() as result, attr="keys") if not call.args:
                yield from self._keys(call, result, ctx)
            case ast.Attribute(attr="raw_connection"):
                yield from self._raw(call, ctx)
            case ast.Name(id="create_engine") | ast.Attribute(attr="create_engine"):
                yield from self._pool(call, ctx)

    def find_ClassDef(self, node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
        """Looks at one class that may be a dialect."""
        named = {statement.name: statement for statement in node.body if isinstance(statement, ast.FunctionDef)}
        if "dbapi" not in named or "import_dbapi" in named:
            return
        answer = ctx.value(ast.copy_location(ast.Name(node.name, ast.Load()), node))
        match answer:
            case Answer(value=ClassObject(facts=facts)) if _is_dialect(facts, ctx):
                message = "dbapi() of a dialect is called import_dbapi() in SQLAlchemy 2.0"
                missing = "whether 1.4 is still to use it; write import_dbapi(cls), and dbapi = import_dbapi for 1.4"
                yield self.report(named["dbapi"], message, missing=missing, given=[answer])

    def _returning(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        match node.value:
            case ast.Attribute(value=owner, attr="dialect"):
                answer = ctx.value(owner)
                if answer is not None and isinstance(answer.value, Engine):
                    message = f"{node.attr} of a dialect is {_RETURNING[node.attr]} in SQLAlchemy 2.0"
                    yield self.report(node, message, missing="which of them is meant", given=[answer])

    def _keys(self, call: ast.Call, result: ast.expr, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(call)
        if isinstance(result, ast.Name):
            made = ctx.ask(Usage).assignment(result, place) if place is not None else None
            executed = made.value if made is not None else None
        else:
            executed = result
        if not isinstance(executed, ast.Call) or not ast.unparse(executed.func).endswith("execute"):
            return
        answer = ctx.value(executed)
        match answer:
            case Answer(value=Rows(statement=statement)) if statement.style in _WRITING:
                if not statement.has_step("returning"):
                    message = "keys() of a result without rows raises ResourceClosedError in SQLAlchemy 2.0"
                    missing = "what is to happen then; ask result.returns_rows first"
                    yield self.report(call, message, missing=missing, given=[answer])

    def _raw(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        answer, place = ctx.value(call), ctx.place(call)
        if answer is None or answer.value != LibraryObject(_RAW) or place is None:
            return
        uses = ctx.ask(Usage).of(call, place).every
        names = {use.node.attr for use in uses if isinstance(use.node, ast.Attribute)}
        if all(use.kind in {"attribute", "none"} for use in uses) and names.isdisjoint({"close", "detach", "__exit__"}):
            message = "a raw connection that nothing closes stays out of the pool until it is collected"
            missing = "where it ends; write `with contextlib.closing(...raw_connection()) as connection:`"
            yield self.report(call, message, missing=missing, given=[answer])

    def _pool(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        url = ctx.ask(Literals).of(ctx.path, call.args[0]) if call.args else None
        text = url.value if url is not None and isinstance(url.value, str) else ""
        given = {keyword.arg for keyword in call.keywords}
        database = text.partition("///")[2].partition("?")[0]
        is_file = text.startswith("sqlite") and bool(database) and ":memory:" not in text and "mode=memory" not in text
        if not is_file or not given.isdisjoint({"poolclass", "creator", "pool", None}) or ctx.project.is_test(ctx.path):
            return
        answer = ctx.value(call.func)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.canonical == "create_engine":
                message = "an engine for a file of SQLite keeps its connections open in SQLAlchemy 2.0"
                missing = "whether the file is to be free in between; poolclass=NullPool keeps it as it was"
                yield self.report(call, message, missing=missing, given=[answer], level="note")


def _is_dialect(facts: ClassFacts, ctx: Context) -> bool:
    """Whether a class derives from a dialect of SQLAlchemy."""
    stack = [facts]
    while stack:
        current = stack.pop()
        for base in current.bases:
            match ctx.project.lookup.expression(current.module, base):
                case External(canonical=str(name)) if "Dialect" in name:
                    return True
                case ClassFacts() as found if found is not current:
                    stack.append(found)
    return False
