"""MIG101: statements that an engine executes get a connection of their own."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import Code, Verb, block, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.connections.connectionless import Connectionless, Execution
from alchemod.inference.values import Engine


class EngineExecute(Rule):
    """Puts what an engine executes into a `with` block that opens a connection.

    What it does:
        Replaces `engine.execute(...)` and `engine.scalar(...)` by the same method of a connection: of
        `engine.connect()` for a SELECT of columns and aggregates, of `engine.begin()` for everything else, which
        commits as the engine did.

    Why:
        Engines execute nothing in SQLAlchemy 2.0.

    Example:
        ```python
        def count():
            return engine.execute(select(func.count(User.id))).scalar()
        ```

    Use instead:
        ```python
        def count():
            with engine.connect() as connection:
                return connection.execute(select(func.count(User.id))).scalar()
        ```

    Fix safety:
        Safe for a SELECT of columns and aggregates whose rows are fetched in the same expression. Unsafe for everything
        else, which gets `begin()`: a function that is called in a SELECT may write, too. Two calls never share a block.
        Unsafe, too, where a variable holds the result, or a loop goes over it: the block holds the connection as long.
        A report where the result is returned or handed on, and where the call is evaluated in the midst of others.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#implicit-and-connectionless-execution-bound-metadata-removed
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#library-level-but-not-driver-level-autocommit-removed-from-both-core-and-orm
    """

    code = "MIG101"
    names = ("execute", "scalar")
    since = "1.4"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a method of an engine."""
        match call.func:
            case ast.Attribute(value=receiver, attr="execute" | "scalar" as name) if call.args:
                answer = ctx.value(receiver)
            case _:
                return
        if answer is None or not isinstance(answer.value, Engine) or answer.value.is_connection:
            return
        message = f"an engine has no {name}() in SQLAlchemy 2.0"
        execution = ctx.ask(Connectionless).of(ctx.path, call)
        if execution.obstacle:
            yield self.report(call, message, missing=execution.obstacle, given=[answer])
            return
        unsafe = None if execution.only_reads else "whether the statement writes; begin() commits whatever it is"
        if not execution.consumed_whole and execution.only_reads:
            unsafe = "what else the block holds the connection for"
        yield self.fix(call, message, *_edits(execution, receiver), given=[answer], unsafe=unsafe)


_BEGIN: Final = {True: "connect", False: "begin"}


def _edits(execution: Execution, receiver: ast.expr) -> Iterator[Verb]:
    header = f"with {{engine}}.{_BEGIN[execution.only_reads]}() as {execution.name}:"
    engine = Code(ast.unparse(receiver))
    statement, value = execution.statement, execution.hoisted
    if value is None:
        yield block(statement, execution.last or statement, header, engine=engine)
        yield swap(receiver, execution.name)
    else:
        template = f"{header}\n    {execution.value_name} = {{value}}"
        yield insert(template, before=statement, engine=engine, value=Code(_asking(value, receiver, execution.name)))
        yield swap(value, execution.value_name)


def _asking(value: ast.expr, receiver: ast.expr, name: str) -> str:
    """The text of an expression that asks `name` instead of the receiver."""

    class Replacing(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return ast.Name(name) if ast.dump(node) == ast.dump(receiver) else super().visit(node)

    copied: ast.AST = Replacing().visit(copy.deepcopy(value))
    return ast.unparse(copied)
