"""MIG103: blocks of a connection that write and never commit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import block as block_of
from alchemod.edits.verbs import insert, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.connections.connection_blocks import Block, ConnectionBlocks
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Answer, Engine, Statement

_PLAIN: Final = (ast.Expr, ast.Assign, ast.AnnAssign)


class LibraryAutocommit(Rule):
    """Commits what a connection writes at the end of its block.

    What it does:
        Replaces `with engine.connect() as connection:` by `with engine.begin() as connection:` where the block writes
        and nothing in it commits. Commits what is written over a connection that a variable holds. Takes the execution
        option `autocommit=True` away.

    Why:
        SQLAlchemy 1.x committed each INSERT, UPDATE, DELETE and DDL by itself, `create_all()` and `drop_all()`, too. In
        2.0 nothing does: what the block wrote is rolled back without a word when it ends.

    Example:
        ```python
        def add(name):
            with engine.connect() as connection:
                connection.execute(User.__table__.insert().values(name=name))
        ```

    Use instead:
        ```python
        def add(name):
            with engine.begin() as connection:
                connection.execute(User.__table__.insert().values(name=name))
        ```

    Fix safety:
        Always unsafe: when a later statement of the block fails, the earlier ones are rolled back, which 1.x had
        committed. A report where the connection is an attribute of something, comes from another function, is handed
        to one, or may be in AUTOCOMMIT. Blocks that begin or commit by themselves, and blocks that only read, are left
        alone.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#library-level-but-not-driver-level-autocommit-removed-from-both-core-and-orm
        - https://docs.sqlalchemy.org/en/20/core/connections.html#connect-and-begin-once-from-the-engine
    """

    code = "MIG103"
    names = (
        *("connect", "execution_options", "execute", "exec_driver_sql"),
        *("create", "drop", "create_all", "drop_all"),
    )
    since = "1.4"

    def find_With(self, node: ast.With, ctx: Context) -> Iterator[Finding]:
        """Looks at one block."""
        blocks = ctx.ask(ConnectionBlocks)
        for item in node.items:
            answer = blocks.opened(ctx.path, item)
            if answer is None or not isinstance(item.optional_vars, ast.Name):
                continue
            block = blocks.of(ctx.path, item.optional_vars.id, node.body)
            yield from self._block(item, block, answer, ctx)

    def _block(self, item: ast.withitem, block: Block, answer: Answer, ctx: Context) -> Iterator[Finding]:
        if block.decides is not None or not block.writes:
            return
        message = f"line {block.writes[0].lineno} writes, and nothing in this block commits in SQLAlchemy 2.0"
        autocommit = ctx.ask(ConnectionBlocks).may_autocommit
        if autocommit:
            missing = f"whether the engine is in AUTOCOMMIT, as {autocommit} says; else write begin() for connect()"
            yield self.report(item.context_expr, message, missing=missing, given=[answer])
        elif block.lent:
            callee = ast.unparse(block.lent[0].func)
            missing = f"what {callee}() does with the connection; write begin() for connect() if it does not commit"
            yield self.report(item.context_expr, message, missing=missing, given=[answer])
        else:
            assert isinstance(item.context_expr, ast.Call)
            unsafe = "whether the statements of this block belong together; begin() commits all or none"
            yield self.fix(
                item.context_expr, message, rename(item.context_expr.func, "begin"), given=[answer], unsafe=unsafe
            )

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `execution_options`, or of `execute` where no block opens the connection."""
        match call:
            case ast.Call(func=ast.Attribute(value=held, attr="execute" | "exec_driver_sql"), args=[statement, *_]):
                yield from self._executed(call, held, statement, ctx)
                return
            case ast.Call() if (connection := ctx.ask(ConnectionBlocks).of_schema(ctx.path, call)) is not None:
                yield from self._executed(call, connection, None, ctx)
                return
            case ast.Call(
                func=ast.Attribute(value=receiver, attr="execution_options"),
                args=[],
                keywords=[ast.keyword(arg="autocommit", value=ast.Constant(value=True))],
            ):
                answer = ctx.value(receiver)
            case _:
                return
        message = "SQLAlchemy 2.0 ignores autocommit=True"
        if answer is not None and isinstance(answer.value, Engine):
            missing = 'whether each statement is to be committed; write isolation_level="AUTOCOMMIT", or begin()'
            yield self.report(call, message, missing=missing, given=[answer])
        elif answer is not None and isinstance(answer.value, Statement):
            edit = swap(call, "{statement}", statement=receiver)
            unsafe = "who commits the statement now"
            yield self.fix(call, message, edit, given=[answer], unsafe=unsafe)
        elif ast.unparse(receiver).startswith(("text(", "sa.text(", "sqlalchemy.text(")):
            yield self.report(call, message, missing="who commits the statement; execute it in engine.begin()")

    def _executed(self, call: ast.Call, held: ast.expr, statement: ast.expr | None, ctx: Context) -> Iterator[Finding]:
        """A write over a connection that a variable or an attribute holds; without a statement, one of DDL."""
        blocks, place = ctx.ask(ConnectionBlocks), ctx.place(call)
        around = enclosing_function(place.scope) if place is not None else None
        if place is None or not isinstance(held, ast.Name | ast.Attribute):
            return
        answer = ctx.value(held)
        if answer is None or not isinstance(answer.value, Engine) or not answer.value.is_connection:
            return
        if statement is not None and blocks.kind(ctx.path, statement) != "writes":
            return
        inside = (around or place.scope.root).node
        body = inside.body if isinstance(inside, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) else []
        block = blocks.of(ctx.path, ast.unparse(held), body)
        is_foreign = isinstance(held, ast.Attribute) or blocks.is_handed_out(held, place)
        if is_foreign:
            if block.decides is not None:
                return
        elif not blocks.is_left_open(held, place) or (isinstance(held, ast.Name) and blocks.is_opened(held, body)):
            return
        sent = "this writes" if statement is not None else "this creates or drops tables"
        message = f"{sent}, and nothing here commits in SQLAlchemy 2.0"
        whole = parents_of(ctx.tree).statement(call)
        is_alone = len(block.writes) == len(block.executed)
        if autocommit := blocks.may_autocommit:
            missing = f"whether the engine is in AUTOCOMMIT, as {autocommit} says; else commit it"
        elif is_foreign or isinstance(held, ast.Attribute):
            missing = f"who ends the transaction of {ast.unparse(held)}; commit there"
        elif block.lent or not isinstance(whole, (*_PLAIN, ast.Return) if is_alone else _PLAIN):
            missing = f"write {held.id}.commit() after it"
        else:
            unsafe = "whether it is to be committed by itself"
            if is_alone:
                edit = block_of(whole, whole, "with {connection}.begin():", connection=held.id)
                yield self.fix(call, message, edit, given=[answer], unsafe=unsafe)
            else:
                after = insert("{connection}.commit()", after=whole, connection=held.id)
                yield self.fix(call, message, after, given=[answer], unsafe=unsafe, min_version="2.0")
            return
        yield self.report(call, message, missing=missing, given=[answer])
