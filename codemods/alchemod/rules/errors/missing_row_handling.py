"""ALC702: a row that may be missing, used as if it were there."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from alchemod.edits.verbs import drop, rename
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.control.exceptions import EVERYTHING, Exceptions
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.resolving.routes import is_route
from alchemod.inference.uses.absence import Absence
from alchemod.inference.uses.presence import Presence
from alchemod.inference.values import Answer, Outside, Rows, Statement


class MissingRowHandling(Rule):
    """Finds rows that may be missing and are used as if they were there.

    What it does:
        Reports `first()` whose result is read without a look whether there is one, and `one()` in a route that no
        handler guards. Turns `first()` with `abort(404)` behind it into Flask-SQLAlchemy's `first_or_404()`.

    Why:
        A missing row is an AttributeError on None, or a NoResultFound that the client sees as an error of the server,
        where "not found" is meant.

    Example:
        ```python
        from flask import abort
        from flask_sqlalchemy import SQLAlchemy

        db = SQLAlchemy()


        class Page(db.Model):
            slug = db.Column(db.String, primary_key=True)


        def page(slug):
            found = Page.query.filter(Page.slug == slug).first()
            if found is None:
                abort(404)
            return found.slug
        ```

    Use instead:
        ```python
        from flask_sqlalchemy import SQLAlchemy

        db = SQLAlchemy()


        class Page(db.Model):
            slug = db.Column(db.String, primary_key=True)


        def page(slug):
            found = Page.query.filter(Page.slug == slug).first_or_404()
            return found.slug
        ```

    Fix safety:
        The fix is unsafe: `first_or_404()` aborts by itself, not through the `abort` of the module. Reports name the
        guard to write. Aggregates always have a row; results that are tested before they are read, rows that were asked
        for or made just before, reads whose AttributeError is caught, tests of the project, and projects that handle
        NoResultFound for all routes are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/query.html#sqlalchemy.orm.Query.first
        - https://flask-sqlalchemy.readthedocs.io/en/stable/queries/#queries-for-views
    """

    code = "ALC702"
    names = ("first", "one", "scalar_one")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that asks for a row."""
        match call:
            case ast.Call(func=ast.Attribute(value=receiver, attr=name), args=[], keywords=[]):
                answer = ctx.value(receiver)
            case _:
                return
        statement = _asked(answer)
        presence, place = ctx.ask(Presence), ctx.place(call)
        if answer is None or statement is None or place is None or ctx.project.is_test(ctx.path):
            return
        if presence.has_row(statement) or presence.is_expected(call, statement, place):
            return
        if name == "first":
            yield from self._first(call, answer, ctx)
        elif self._is_unguarded_in_route(call, ctx):
            message = f"a missing row raises NoResultFound in this route: {name}() is not guarded"
            missing = f"answer 404 where {name}_or_none() gives None"
            yield self.report(call, message, missing=missing, given=[answer])

    def _first(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        absence = ctx.ask(Absence)
        read = absence.direct_read(ctx.path, call)
        if read is not None:
            told = ast.unparse(read).rpartition(")")[2]
            message = f"first() gives None where there is no row, and {told} of None raises"
            yield self.report(call, message, missing="test the result for None first, or use one()", given=[answer])
            return
        named = absence.named(ctx.path, call)
        if named is None:
            return
        if (guard := _aborting(named.name, named.rest[:1], ctx)) is not None:
            statement = answer.value
            if isinstance(statement, Statement) and _is_flask(statement):
                assert isinstance(call.func, ast.Attribute)
                message = "first() with abort(404) is first_or_404()"
                edits = (rename(call.func, "first_or_404"), drop(guard))
                yield self.fix(call, message, *edits, given=[answer], unsafe="it aborts by itself, not by this abort()")
        elif (use := absence.unchecked_read(named)) is not None:
            message = f"{named.name} is None where there is no row, and line {use.lineno} reads {ast.unparse(use)}"
            missing = f"write `if {named.name} is None:` before it, or use one()"
            yield self.report(call, message, missing=missing, given=[answer])

    def _is_unguarded_in_route(self, call: ast.Call, ctx: Context) -> bool:
        place = ctx.place(call)
        function = enclosing_function(place.scope) if place is not None else None
        if function is None or not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        owner = function.parent.node if function.parent is not None else None
        if not is_route(function.node, owner if isinstance(owner, ast.ClassDef) else None):
            return False
        return not _is_guarded(function.node, call, ctx) and not ctx.ask(Absence).handled_for_all


_NOT_FOUND: Final = frozenset({"NoResultFound", "InvalidRequestError", "SQLAlchemyError", *EVERYTHING})


def _asked(answer: Answer | None) -> Statement | None:
    """The statement that is asked for a row, if what it asks for is known."""
    match answer:
        case Answer(value=Statement(style="query", terms=[_, *_]) as statement):
            return statement
        case Answer(value=Rows(statement=Statement(terms=[_, *_]) as statement, lazy=True)):
            return statement
    return None


def _is_guarded(function: ast.AST, call: ast.Call, ctx: Context) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Try) and any(call is part for one in node.body for part in ast.walk(one)):
            for handler in node.handlers:
                caught = ctx.ask(Exceptions).caught(ctx.path, handler)
                if caught is None or _NOT_FOUND.intersection(caught):
                    return True
    return False


def _is_flask(statement: Statement) -> bool:
    """Whether the query is one of Flask-SQLAlchemy's, which has `first_or_404()`."""
    return (
        bool(statement.terms)
        and all(
            term.entity is not None and term.entity.model.is_flask and not statement.custom_class
            for term in statement.terms
        )
        and statement.session is None
    )


def _aborting(name: str, statements: Sequence[ast.stmt], ctx: Context) -> ast.If | None:
    """The statement that aborts with 404, and nothing else, where `name` is None."""
    match statements:
        case [
            ast.If(
                test=test,
                body=[ast.Expr(value=ast.Call(func=func, args=[ast.Constant(value=404)], keywords=[]))],
                orelse=[],
            ) as guard
        ]:
            answer = ctx.value(func)
            is_abort = answer is not None and isinstance(answer.value, Outside)
            if is_abort and answer.value.definition.name.startswith("flask") and _is_absent(test, name):  # type: ignore
                return guard
    return None


def _is_absent(test: ast.expr, name: str) -> bool:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=told)):
            return told == name
        case ast.Compare(left=ast.Name(id=told), ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
            return told == name
    return False
