"""MIG102: metadata and statements that know their engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.edits.verbs import Verb, add_argument, block, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.facts.nodes import is_dotted
from alchemod.inference.connections.bound_engines import BoundEngines, consumers
from alchemod.inference.connections.connectionless import Connectionless
from alchemod.inference.connections.metadata_uses import MetadataUses
from alchemod.inference.names.literals import Literals
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.uses.flowing import Flowing
from alchemod.inference.values import (
    Answer,
    Engine,
    Outside,
    TableObject,
)


class BoundMetadata(Rule):
    """Passes the engine where metadata or statements used to know it.

    What it does:
        Drops `autoload=True` beside `autoload_with=`, writes `autoload_with=` for `prepare(engine, reflect=True)` of
        automap, executes DDL in a block of the engine it got, and moves the engine of `MetaData(bind=engine)` to what
        needs it in the file: `create_all()`, `drop_all()`, `reflect()`, `autoload=True`, `create()` and `drop()` of
        tables, and statements that execute themselves.

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
        other files. A report where the engine has no name at the place that needs it, for `bind` that is set, read or
        given to statements, and for a first argument of `MetaData` of which it is not known what it is.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#implicit-and-connectionless-execution-bound-metadata-removed
        - https://docs.sqlalchemy.org/en/20/orm/extensions/automap.html
    """

    code = "MIG102"
    names = (
        *(
            "create",
            "drop",
            "create_all",
            "drop_all",
            "reflect",
            "Table",
            "MetaData",
            "ThreadLocalMetaData",
            "declarative_base",
            "prepare",
            "execute",
            "scalar",
            "bind",
        ),
        *("text", "select", "insert", "update", "delete", "registry"),
    )
    since = "1.4"
    tokens = ("autoload", "MetaData", "bind", "prepare", "execute(", "scalar(", "create(", "drop(", "_all(", "reflect(")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that may be bound, or execute without a connection."""
        match call.func:
            case ast.Attribute(value=receiver, attr="execute" | "scalar"):
                yield from self._connectionless(call, receiver, ctx)
            case ast.Attribute(attr="prepare"):
                yield from self._automap(call, ctx)
            case ast.Attribute(value=receiver, attr="create" | "drop") if not call.args:
                yield from self._table(call, receiver, ctx)
            case ast.Attribute(value=receiver, attr="create_all" | "drop_all" | "reflect") if not call.args:
                yield from self._metadata(call, receiver, ctx)
        answer = ctx.value(call.func)
        if answer is None or not isinstance(answer.value, Outside):
            return
        match answer.value.canonical:
            case "Table" | "flask_sqlalchemy:Table":
                yield from self._autoload(call, answer, ctx)
            case "MetaData" | "declarative_base":
                yield from self._bound(call, answer, ctx)
            case "ThreadLocalMetaData":
                missing = "which engine each thread binds; write MetaData() and pass the engine"
                yield self.report(
                    call, "ThreadLocalMetaData is gone in SQLAlchemy 2.0", missing=missing, given=[answer]
                )
            case "registry":
                for keyword in (one for one in call.keywords if one.arg == "_bind"):
                    message = "registry() has no _bind= in SQLAlchemy 2.0"
                    is_none = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
                    unsafe = None if is_none else _ELSEWHERE
                    yield self.fix(keyword, message, drop(keyword), given=[answer], unsafe=unsafe)
            case name if name in _CONSTRUCTS:
                for keyword in call.keywords:
                    if keyword.arg == "bind":
                        message = f"{name}() has no bind= in SQLAlchemy 2.0"
                        missing = "where it is executed; write connection.execute(statement) there"
                        yield self.report(keyword, message, missing=missing, given=[answer])

    def find_Assign(self, node: ast.Assign, ctx: Context) -> Iterator[Finding]:
        """Looks at one assignment of an attribute called `bind`."""
        if (owner := ctx.ask(MetadataUses).bound_by(ctx.path, node)) is not None:
            missing = f"who relies on {ast.unparse(owner)}.bind; pass {ast.unparse(node.value)} there"
            yield self.report(node, "metadata has no bind in SQLAlchemy 2.0", missing=missing)

    def _table(self, call: ast.Call, table: ast.expr, ctx: Context) -> Iterator[Finding]:
        """`table.create()` without an engine."""
        answer = ctx.value(table)
        if (
            answer is None
            or not isinstance(answer.value, TableObject)
            or any(keyword.arg in {"bind", None} for keyword in call.keywords)
        ):
            return
        assert isinstance(call.func, ast.Attribute)
        message = f"{call.func.attr}() of a table needs an engine in SQLAlchemy 2.0"
        engine = ctx.ask(BoundEngines).of_table(ctx.path, answer.value, call, table)
        if engine is None:
            yield self.report(
                call, message, missing=f"which engine is meant; write {_shown(call)}(engine)", given=[answer]
            )
        else:
            yield self.fix(call, message, add_argument(call, f"bind={engine}"), given=[answer], unsafe=_ELSEWHERE)

    def _metadata(self, call: ast.Call, metadata: ast.expr, ctx: Context) -> Iterator[Finding]:
        """`metadata.create_all()` without an engine, where the metadata is bound elsewhere."""
        answer, engines = ctx.ask(MetadataUses).told(ctx.path, metadata), ctx.ask(BoundEngines)
        if answer is None or any(keyword.arg in {"bind", None} for keyword in call.keywords):
            return
        if engines.is_made_here(ctx.path, metadata) or not engines.binds_any:
            return
        assert isinstance(call.func, ast.Attribute)
        message = f"{call.func.attr}() of metadata needs an engine in SQLAlchemy 2.0"
        engine = engines.of_metadata(ctx.path, metadata, call)
        if engine is None:
            missing = f"which engine is meant; write {_shown(call)}(engine)"
            yield self.report(call, message, missing=missing, given=[answer])
        else:
            yield self.fix(call, message, add_argument(call, engine), given=[answer], unsafe=_ELSEWHERE)

    def _autoload(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
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
            metadata = call.args[1] if len(call.args) > 1 else None
            engine = ctx.ask(BoundEngines).of_metadata(ctx.path, metadata, call) if metadata is not None else None
            if engine is not None and isinstance(autoload.value, ast.Constant):
                edit = swap(autoload, f"autoload_with={engine}")
                yield self.fix(autoload, message, edit, given=[answer], unsafe=_ELSEWHERE)
                return
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
        engines, relying = ctx.ask(BoundEngines), ctx.ask(MetadataUses)
        given = engines.given(ctx.path, call)
        if given is None:
            if name == "MetaData" and call.args and not _is_schema(call.args[0], ctx):
                missing = f"what {ast.unparse(call.args[0])} is; the first argument is the schema in SQLAlchemy 2.0"
                yield self.report(call, "MetaData() may get an engine", missing=missing, given=[answer])
            return
        message = f"{name}() has no bind= in SQLAlchemy 2.0"
        bound = next((one for one in (*call.keywords, *call.args) if getattr(one, "value", one) is given), given)
        statement = ctx.ask(Flowing).parent(ctx.path, call)
        match statement:
            case ast.Assign(targets=[ast.Name() | ast.Attribute() as held]) if is_dotted(given):
                uses = {use: engines.of_metadata(ctx.path, owner, use) for use, owner in consumers(ctx.tree, held)}
                if isinstance(held, ast.Name) and isinstance(given, ast.Name):
                    if engines.binds_several(ctx.path):
                        yield from self._several(ctx) if engines.binds_first(ctx.path, call) else ()
                    else:
                        uses |= dict.fromkeys(relying.sessions(ctx.path), given.id)
                if (callee := relying.taker(ctx.path, held)) is not None:
                    missing = f"what {callee} does with the metadata; give it the engine, then drop it here"
                    yield self.report(call, message, missing=missing, given=[answer])
                    return
                if (alone := relying.unresolved(ctx.path)) is not None:
                    missing = f"which connection executes line {alone.lineno}; then drop it"
                    yield self.report(call, message, missing=missing, given=[answer])
                    return
                edits: list[Verb] = [drop(bound), *(add_argument(use, code) for use, code in uses.items() if code)]
                yield self.fix(call, message, *edits, given=[answer], unsafe=_ELSEWHERE)
            case ast.Call(args=[_, metadata, *_], keywords=keywords) if metadata is call and is_dotted(given):
                autoload = next((one.value for one in keywords if one.arg == "autoload"), None)
                if autoload is None or isinstance(autoload, ast.Constant):
                    yield self.fix(call, message, drop(bound), given=[answer], unsafe=_ELSEWHERE)
            case ast.Return() if is_dotted(given) and _is_property(call, ctx):
                yield self.fix(call, message, drop(bound), given=[answer], unsafe=_ELSEWHERE)
            case _:
                missing = "a name for the engine; pass it to create_all(), drop_all(), reflect() and autoload_with="
                yield self.report(call, message, missing=missing, given=[answer])

    def _several(self, ctx: Context) -> Iterator[Finding]:
        """The sessions of a file that found their engines through metadata, each class its own."""
        for session in ctx.ask(MetadataUses).sessions(ctx.path):
            message = "a session finds no engine through metadata in SQLAlchemy 2.0"
            missing = "which engine each class has; write binds={...}"
            yield self.report(session, message, missing=missing)

    def _connectionless(self, call: ast.Call, receiver: ast.expr, ctx: Context) -> Iterator[Finding]:
        answer, relying = ctx.value(receiver), ctx.ask(MetadataUses)
        if isinstance(receiver, ast.Call) and _is_ddl(receiver, ctx) and len(call.args) <= 1:
            yield from self._ddl(call, receiver, ctx)
        elif answer is not None and (statement := relying.executed(ctx.path, receiver)) is not None:
            assert isinstance(call.func, ast.Attribute)
            message = f"statements have no {call.func.attr}() in SQLAlchemy 2.0"
            engine = relying.engine(ctx.path, call, statement)
            if engine is None:
                missing = "which engine the metadata is bound to; write connection.execute(statement)"
                yield self.report(call, message, missing=missing, given=[answer])
                return
            holes: dict[str, Any] = {f"argument{number}": one for number, one in enumerate(call.args)}
            named: dict[str, Any] = {f"keyword{number}": one.value for number, one in enumerate(call.keywords)}
            parts = [f"{{{hole}}}" for hole in holes]
            parts += [f"{one.arg}={{{hole}}}" for one, hole in zip(call.keywords, named, strict=True)]
            template = f"{engine}.{call.func.attr}({', '.join(['{statement}', *parts])})"
            edit = swap(call, template, statement=receiver, **holes, **named)
            yield self.fix(call, message, edit, given=[answer], unsafe=_ELSEWHERE)

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


_ELSEWHERE: Final = "whether other files and statements rely on the engine that the metadata knows"
_CONSTRUCTS: Final = frozenset({"text", "select", "insert", "update", "delete"})
_DDL: Final = frozenset(
    {"DDL", "CreateTable", "DropTable", "CreateIndex", "DropIndex", "AddConstraint", "DropConstraint"}
)


def _is_ddl(call: ast.Call, ctx: Context) -> bool:
    answer = ctx.value(call.func)
    return answer is not None and isinstance(answer.value, Outside) and answer.value.canonical in _DDL


def _is_schema(node: ast.expr, ctx: Context) -> bool:
    """Whether the first argument of `MetaData` is seen to be no engine."""
    return ctx.value(node) is not None or ctx.ask(Literals).of(ctx.path, node) is not None


def _is_property(call: ast.Call, ctx: Context) -> bool:
    """Whether a call stands in a property, whose readers are found by its name."""
    place = ctx.place(call)
    function = enclosing_function(place.scope) if place is not None else None
    decorators = getattr(function.node, "decorator_list", []) if function is not None else []
    return any(last_name(decorator) in {"property", "cached_property"} for decorator in decorators)


def _shown(call: ast.Call) -> str:
    return ast.unparse(call.func)
