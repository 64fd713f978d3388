"""ALC703: `one()` whose missing row is caught to give None becomes `one_or_none()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import Verb, drop, rename
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.control.exceptions import Exceptions
from alchemod.inference.values import Answer, Rows, Statement


class OneOrNoneByHand(Rule):
    """Turns `one()` with a handler that gives None into `one_or_none()`.

    What it does:
        Replaces `try: x = q.one()` with `except NoResultFound: x = None` by `x = q.one_or_none()`, and `scalar_one()`
        by `scalar_one_or_none()`. Reports `one()` whose handlers catch MultipleResultsFound and let NoResultFound pass.

    Why:
        Four lines say what one method says, and the handler also swallows the error of other queries that the statement
        may send.

    Example:
        ```python
        def find(session, name):
            try:
                return session.query(User).filter(User.name == name).one()
            except NoResultFound:
                return None
        ```

    Use instead:
        ```python
        def find(session, name):
            return session.query(User).filter(User.name == name).one_or_none()
        ```

    Fix safety:
        Safe when the `try` holds nothing but the assignment or return, has neither `else` nor `finally`, and its one
        handler catches NoResultFound alone and gives None in the same way. More than one row raises
        MultipleResultsFound before and after. Unsafe when an argument of the query is computed by a function, a
        property or another query that may raise NoResultFound itself, when a base of your query class is not seen,
        and when a test prepares the call on a mock.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/query.html#sqlalchemy.orm.Query.one_or_none
        - https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Result.scalar_one_or_none
    """

    code = "ALC703"
    names = ("one", "scalar_one")

    def find_Try(self, node: ast.Try, ctx: Context) -> Iterator[Finding]:
        """Looks at one `try` that may hold nothing but such a call."""
        match node.body:
            case [ast.Assign(targets=[_], value=value) | ast.Return(value=ast.expr() as value)]:
                call = value.value if isinstance(value, ast.Await) else value
            case _:
                return
        match call:
            case ast.Call(func=ast.Attribute(value=receiver, attr="one" | "scalar_one" as name), args=[], keywords=[]):
                pass
            case _:
                return
        answer = ctx.value(receiver)
        if answer is None or not _gives_one(answer, name):
            return
        caught = [ctx.ask(Exceptions).caught(ctx.path, handler) for handler in node.handlers]
        if caught == [("NoResultFound",)] and not node.orelse and not node.finalbody:
            yield from self._replaced(node, call, name, answer, ctx)
        elif caught == [("MultipleResultsFound",)] and name == "one":
            message = "a missing row raises NoResultFound here, which no handler catches"
            yield self.report(call, message, missing="what a missing row means", given=[answer])

    def _replaced(self, node: ast.Try, call: ast.Call, name: str, answer: Answer, ctx: Context) -> Iterator[Finding]:
        handler = node.handlers[0]
        if not _gives_none(node.body[0], handler.body):
            return
        statement = answer.value if isinstance(answer.value, Statement) else None
        if statement is not None and ctx.overrides_query_method(name, statement):
            return
        assert isinstance(call.func, ast.Attribute)
        edits: list[Verb] = [rename(call.func, f"{name}_or_none"), drop(handler)]
        message = f"{name}() with a handler that gives None is {name}_or_none()"
        yield self.fix(call, message, *edits, given=[answer], unsafe=_doubt(call, name, statement, ctx))


_RESULTS: Final = {"one": True, "scalar_one": False}
"""The methods, and whether a Query has them."""


def _gives_one(answer: Answer, name: str) -> bool:
    match answer.value:
        case Statement(style="query"):
            return _RESULTS[name]
        case Rows(lazy=True, scalars=scalars):
            return name == "one" or not scalars
    return False


def _gives_none(statement: ast.stmt, handled: list[ast.stmt]) -> bool:
    """Whether the handler does with None what the statement does with its value."""
    match statement, handled:
        case ast.Assign(targets=[target]), [ast.Assign(targets=[other], value=ast.Constant(value=None))]:
            return ast.dump(target) == ast.dump(other)
        case ast.Return(), [ast.Return(value=None | ast.Constant(value=None))]:
            return True
    return False


def _doubt(call: ast.Call, name: str, statement: Statement | None, ctx: Context) -> str | None:
    assert isinstance(call.func, ast.Attribute)
    if (foreign := ctx.ask(Exceptions).foreign_call(ctx.path, [call.func.value])) is not None:
        return f"{ast.unparse(foreign.func)}() may raise NoResultFound, too"
    if (asking := ctx.ask(Exceptions).asking_call([call.func.value])) is not None:
        return f"{ast.unparse(asking)} may raise NoResultFound, too"
    if (computed := ctx.ask(Exceptions).computed_read(ctx.path, [call.func.value])) is not None:
        return f"{ast.unparse(computed)} may be a property, which raises NoResultFound, too"
    if statement is None:
        return None
    steps = [step for step, _ in statement.steps]
    return ctx.unseen_query_class(statement) or ctx.pinned("query", *steps, name)
