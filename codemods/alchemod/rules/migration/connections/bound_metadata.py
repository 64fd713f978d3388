"""MIG102: metadata and statements that know their engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import Verb, add_argument, block, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.connectionless import Connectionless
from alchemod.inference.flowing import Flowing
from alchemod.inference.literals import Literals
from alchemod.inference.values import Answer, Engine, Outside, Statement, TableObject


class BoundMetadata(Rule):
    """Passes the engine where metadata or statements used to know it.

    What it does:
        Drops `autoload=True` beside `autoload_with=`, writes `autoload_with=` for `prepare(engine, reflect=True)` of
        automap, executes DDL in a block of the engine it got, and moves the engine of `MetaData(bind=engine)` to the
        calls of `create_all()`, `drop_all()` and `reflect()` in the file.

    Why:
        Nothing in SQLAlchemy 2.0 is bound to an engine but connections and sessions.

    Example:
        ```python
        users = Table("users", Base.metadata, autoload=True, autoload_with=engine)
        ```

    Use instead:
        ```python
        users = Table("users", Base.metadata, autoload_with=engine)
        ```

    Fix safety:
        Safe where the engine stands at the call. Unsafe for bound metadata: statements that rely on it may stand in
        other files. A report for `autoload=True` by itself, for `bind` that is set, read or given to statements, for
        metadata whose engine has no name here, and for statements that execute themselves.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#implicit-and-connectionless-execution-bound-metadata-removed
        - https://docs.sqlalchemy.org/en/20/orm/extensions/automap.html
    """

    code = "MIG102"
    names = (
        *("Table", "MetaData", "ThreadLocalMetaData", "declarative_base", "prepare", "execute", "scalar", "bind"),
        *("text", "select", "insert", "update", "delete"),
    )
    since = "1.4"
    tokens = ("autoload", "MetaData", "bind", "prepare", "execute(", "scalar(")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that may be bound, or execute without a connection."""
        match call.func:
            case ast.Attribute(value=receiver, attr="execute" | "scalar"):
                yield from self._connectionless(call, receiver, ctx)
            case ast.Attribute(attr="prepare"):
                yield from self._automap(call, ctx)
        answer = ctx.value(call.func)
        if answer is None or not isinstance(answer.value, Outside):
            return
        match answer.value.canonical:
            case "Table" | "flask_sqlalchemy:Table":
                yield from self._autoload(call, answer)
            case "MetaData" | "declarative_base":
                yield from self._bound(call, answer, ctx)
            case "ThreadLocalMetaData":
                missing = "which engine each thread binds; write MetaData() and pass the engine"
                yield self.report(
                    call, "ThreadLocalMetaData is gone in SQLAlchemy 2.0", missing=missing, given=[answer]
                )
            case name if name in _CONSTRUCTS:
                for keyword in call.keywords:
                    if keyword.arg == "bind":
                        message = f"{name}() has no bind= in SQLAlchemy 2.0"
                        missing = "where it is executed; write connection.execute(statement) there"
                        yield self.report(keyword, message, missing=missing, given=[answer])

    def find_Assign(self, node: ast.Assign, ctx: Context) -> Iterator[Finding]:
        """Looks at one assignment of an attribute called `bind`."""
        match node.targets:
            case [ast.Attribute(value=owner, attr="bind")] if ctx.ask(Literals).is_made_by(ctx.path, owner, "MetaData"):
                missing = f"who relies on {ast.unparse(owner)}.bind; pass {ast.unparse(node.value)} there"
                yield self.report(node, "metadata has no bind in SQLAlchemy 2.0", missing=missing)

    def _autoload(self, call: ast.Call, answer: Answer) -> Iterator[Finding]:
        keywords = {keyword.arg: keyword for keyword in call.keywords}
        autoload = keywords.get("autoload")
        if autoload is None or None in keywords:
            return
        if "autoload_with" in keywords:
            message = "autoload=True is what autoload_with= says, and SQLAlchemy 2.0 does not know it"
            yield self.fix(autoload, message, drop(autoload), given=[answer])
        elif isinstance(autoload.value, ast.Constant) and autoload.value.value is False:
            yield self.fix(autoload, "Table() has no autoload= in SQLAlchemy 2.0", drop(autoload), given=[answer])
        else:
            message = "Table() has no autoload= in SQLAlchemy 2.0"
            missing = "which engine the metadata is bound to; write autoload_with=engine"
            yield self.report(autoload, message, missing=missing, given=[answer])

    def _automap(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        match call:
            case ast.Call(
                func=ast.Attribute(value=base),
                args=[engine],
                keywords=[ast.keyword(arg="reflect", value=ast.Constant(value=True)) as reflect],
            ) if ctx.ask(Literals).is_made_by(ctx.path, base, "automap_base"):
                message = "prepare() takes autoload_with= in SQLAlchemy 2.0"
                edits: list[Verb] = [swap(engine, "autoload_with={_}"), drop(reflect)]
                yield self.fix(call, message, *edits)

    def _bound(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        name = answer.value.canonical if isinstance(answer.value, Outside) else ""
        given = next((keyword.value for keyword in call.keywords if keyword.arg == "bind"), None)
        if given is None and name == "MetaData" and call.args:
            engine = ctx.value(call.args[0])
            given = call.args[0] if engine is not None and isinstance(engine.value, Engine) else None
        if given is None:
            return
        message = f"{name}() has no bind= in SQLAlchemy 2.0"
        statement = ctx.ask(Flowing).parent(ctx.path, call)
        match statement:
            case ast.Assign(targets=[ast.Name(id=held)]) if isinstance(given, ast.Name):
                bound = next(
                    (one for one in (*call.keywords, *call.args) if getattr(one, "value", one) is given), given
                )
                uses = [*_consumers(ctx.tree, held), *_sessions(ctx)]
                edits: list[Verb] = [drop(bound), *(add_argument(use, "{engine}", engine=given.id) for use in uses)]
                unsafe = "whether other files and statements rely on the engine that the metadata knows"
                yield self.fix(call, message, *edits, given=[answer], unsafe=unsafe)
            case _:
                missing = "a name for the engine; pass it to create_all(), drop_all(), reflect() and autoload_with="
                yield self.report(call, message, missing=missing, given=[answer])

    def _connectionless(self, call: ast.Call, receiver: ast.expr, ctx: Context) -> Iterator[Finding]:
        answer = ctx.value(receiver)
        if isinstance(receiver, ast.Call) and _is_ddl(receiver, ctx) and len(call.args) <= 1:
            yield from self._ddl(call, receiver, ctx)
        elif answer is not None and isinstance(answer.value, Statement | TableObject) and not call.args:
            if isinstance(answer.value, Statement) and answer.value.style == "query":
                return
            assert isinstance(call.func, ast.Attribute)
            message = f"statements have no {call.func.attr}() in SQLAlchemy 2.0"
            missing = "which engine the metadata is bound to; write connection.execute(statement)"
            yield self.report(call, message, missing=missing, given=[answer])

    def _ddl(self, call: ast.Call, ddl: ast.Call, ctx: Context) -> Iterator[Finding]:
        message = "DDL has no execute() in SQLAlchemy 2.0"
        bound = next((keyword for keyword in ddl.keywords if keyword.arg == "bind"), None)
        engine = call.args[0] if call.args else bound.value if bound is not None else None
        answer = ctx.value(engine) if engine is not None else None
        statement = ctx.ask(Flowing).parent(ctx.path, call)
        name = ctx.ask(Connectionless).name(ctx.path, call)
        if answer is None or not isinstance(answer.value, Engine) or not isinstance(statement, ast.Expr) or not name:
            yield self.report(call, message, missing="which engine is meant; write connection.execute(...)")
            return
        if answer.value.is_connection:
            template = "{engine}.execute({ddl})"
            edits: list[Verb] = [swap(call, template, engine=engine, ddl=ddl)]
        else:
            edits = [
                block(statement, statement, f"with {{engine}}.begin() as {name}:", engine=engine),
                swap(call, f"{name}.execute({{ddl}})", ddl=ddl),
            ]
        if bound is not None:
            edits.append(drop(bound))
        yield self.fix(call, message, *edits, given=[answer])


_CONSTRUCTS: Final = frozenset({"text", "select", "insert", "update", "delete"})
_CONSUMING: Final = frozenset({"create_all", "drop_all", "reflect"})
_DDL: Final = frozenset(
    {"DDL", "CreateTable", "DropTable", "CreateIndex", "DropIndex", "AddConstraint", "DropConstraint"}
)


def _is_ddl(call: ast.Call, ctx: Context) -> bool:
    answer = ctx.value(call.func)
    return answer is not None and isinstance(answer.value, Outside) and answer.value.canonical in _DDL


def _consumers(tree: ast.Module, name: str) -> Iterator[ast.Call]:
    """The calls in a file that need the engine of the metadata called `name`, or of the base whose metadata it is."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=method), args=[], keywords=keywords) if (
                method in _CONSUMING and all(keyword.arg != "bind" for keyword in keywords)
            ):
                if ast.unparse(owner) in {name, f"{name}.metadata"}:
                    yield node


def _sessions(ctx: Context) -> Iterator[ast.Call]:
    """The calls in a file that make sessions, or makers of them, which are told no engine."""
    for node in ast.walk(ctx.tree):
        match node:
            case (
                ast.Call(func=ast.Name(id="Session" | "sessionmaker"), args=[], keywords=keywords)
                | ast.Call(func=ast.Attribute(attr="Session" | "sessionmaker"), args=[], keywords=keywords)
            ):
                answer = ctx.value(node.func)
                is_told = not {keyword.arg for keyword in keywords}.isdisjoint({"bind", "binds", None})
                match answer:
                    case Answer(value=Outside(definition=definition)) if not is_told:
                        if definition.canonical in {"Session", "sessionmaker"}:
                            yield node
