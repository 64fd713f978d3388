"""MIG801: migrations that run without a transaction, which nobody commits in SQLAlchemy 2.0."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, block, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.connections.connectionless import Connectionless
from alchemod.inference.names.assigned import assigned
from alchemod.inference.uses.flowing import Flowing
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Answer, Engine, Outside


class AlembicEnvTransaction(Rule):
    """Finds `env.py` files that run migrations without a transaction.

    What it does:
        Reports `context.run_migrations()` outside of `with context.begin_transaction():`, where a connection is
        configured and no block of it commits. Gives `MigrationContext.stamp()` a block of the engine that its context
        was configured with.

    Why:
        SQLAlchemy 1.x committed each statement by itself. In 2.0 nothing does, and all that the migrations did is
        rolled back when the connection closes.

    Example:
        ```python
        from alembic import context


        def run_migrations_online():
            with engine.connect() as connection:
                context.configure(connection=connection, target_metadata=Base.metadata)
                context.run_migrations()
        ```

    Use instead:
        ```python
        from alembic import context


        def run_migrations_online():
            with engine.connect() as connection:
                context.configure(connection=connection, target_metadata=Base.metadata)
                with context.begin_transaction():
                    context.run_migrations()
        ```

    Fix safety:
        A report for an environment: what else it does in between decides where the transaction belongs. Unsafe for
        `stamp()`.

    References:
        - https://alembic.sqlalchemy.org/en/latest/api/runtime.html#alembic.runtime.environment.EnvironmentContext.begin_transaction
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#library-level-but-not-driver-level-autocommit-removed-from-both-core-and-orm
    """

    code = "MIG801"
    names = ("run_migrations", "stamp")
    since = "2.0"
    tokens = ("alembic",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that runs the migrations, or notes a revision."""
        match call.func:
            case ast.Attribute(value=ast.Name() as context, attr="stamp"):
                yield from self._stamp(call, context, ctx)
                return
        answer = ctx.value(call.func)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.name == "alembic.context.run_migrations":
                pass
            case _:
                return
        flowing = ctx.ask(Flowing)
        outer = flowing.parent(ctx.path, call)
        while outer is not None:
            if isinstance(outer, ast.With | ast.AsyncWith) and any(_begins(item.context_expr) for item in outer.items):
                return
            if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                break
            outer = flowing.parent(ctx.path, outer)
        if outer is None or not _configures_a_connection(outer) or _commits(outer):
            return
        message = "nobody commits what these migrations do in SQLAlchemy 2.0"
        missing = "a transaction; write `with context.begin_transaction():` around it"
        yield self.report(call, message, missing=missing, given=[answer])

    def _stamp(self, call: ast.Call, context: ast.Name, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(call)
        made = assigned(context, place) if place is not None else None
        match made:
            case ast.Call(args=[ast.Call(func=ast.Attribute(value=engine, attr="connect"), args=[]) as opened]):
                answer, configured = ctx.value(engine), ctx.value(made.func)
            case _:
                return
        match answer, configured:
            case Answer(value=Engine(is_connection=False)), Answer(value=Outside(definition=definition)):
                if not definition.name.endswith("MigrationContext.configure"):
                    return
            case _:
                return
        message = "nobody commits what stamp() writes in SQLAlchemy 2.0"
        parents, name = parents_of(ctx.tree), ctx.ask(Connectionless).name(ctx.path, call)
        first, last = parents.statement(made), parents.statement(call)
        if parents.of(first) is not parents.of(last) or not isinstance(last, ast.Expr) or not name:
            missing = "configure the context with a connection of engine.begin()"
            yield self.report(call, message, missing=missing, given=[answer])
            return
        edits: list[Verb] = [
            block(first, last, f"with {{engine}}.begin() as {name}:", engine=engine),
            swap(opened, name),
        ]
        unsafe = "whether what stands in between may be in the transaction"
        yield self.fix(call, message, *edits, given=[answer], unsafe=unsafe, min_version="1.4")


def _begins(manager: ast.expr) -> bool:
    return isinstance(manager, ast.Call) and ast.unparse(manager.func).rpartition(".")[2] in {
        "begin",
        "begin_transaction",
    }


def _configures_a_connection(function: ast.AST) -> bool:
    """Whether a connection is configured: the offline mode gets a URL and writes SQL only."""
    return any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("configure")
        and any(keyword.arg == "connection" for keyword in node.keywords)
        for node in ast.walk(function)
    )


def _commits(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr in {"commit", "begin"} for node in ast.walk(function))
