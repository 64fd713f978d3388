"""ALC208: rows that are fetched or counted to see whether there are any become an EXISTS."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.mocks import is_test
from alchemod.inference.querying.existence import TESTED, AlwaysTrue, Asked, Existence
from alchemod.inference.querying.membership import Member, Membership
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place, Statement


class ExistenceByFetching(Rule):
    """Asks the database whether there is a row, where rows are fetched or counted to see it.

    What it does:
        Replaces `query.count() > 0`, `query.first() is None`, `if query.all():` and the like by an EXISTS, where
        nothing else is done with the number, the object or the list. Says where a Query itself is tested, which is
        always true.

    Why:
        EXISTS stops at the first row and sends back one value. A count goes over all rows, `all()` loads them, and
        `first()` builds an object that is thrown away.

    Example:
        ```python
        def is_taken(session, name):
            if session.query(User).filter(User.name == name).first():
                return True
            return session.query(Address).filter(Address.email == name).count() > 0
        ```

    Use instead:
        ```python
        def is_taken(session, name):
            if session.query(session.query(User).filter(User.name == name).exists()).scalar():
                return True
            return session.query(
                session.query(Address).filter(Address.email == name).exists()
            ).scalar()
        ```

    Fix safety:
        Safe where the result is used for the test only, the session can be named, and EXISTS asks for the same rows.
        Unsafe where options or steps of the query are not understood, where several entities are asked for, where a
        hook may change queries or code runs when objects are loaded, where a test prepares the call on a mock, in
        tests, where the project speaks of SQL Server or Oracle (they do not select an EXISTS), for `x in query.all()`
        (objects are compared by key), and for a Query that is tested itself: there the fix changes the result, for a
        Query is always true. A report where rows are locked, where a name in ORDER BY may be that of a dropped column,
        where no name stands for the session, and where the statement selects a count. Results that are used again,
        objects of classes with their own `__bool__` or `__len__`, and single values (which may be NULL or 0) are left
        alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/query.html#sqlalchemy.orm.Query.exists
        - https://docs.sqlalchemy.org/en/20/core/selectable.html#sqlalchemy.sql.expression.Select.exists
    """

    code = "ALC208"
    names = ("first", "count", "all", "scalar", "fetchone", "fetchall", *TESTED)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that fetches or counts rows, or makes a Query or Result."""
        place = ctx.place(call) if isinstance(call.func, ast.Attribute) else None
        if place is None or (is_test(ctx.path.as_posix()) and _is_asserted(call, place, ctx)):
            return
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr in TESTED:
            for found in ctx.ask(Existence).always_true(call, place):
                yield self._always_true(found)
            return
        if call.func.attr == "all" and (member := ctx.ask(Membership).asked_by(call, place)) is not None:
            yield self._searched(member)
        elif (asked := ctx.ask(Existence).asked_by(call, place)) is not None:
            yield self._fetched(call, asked, ctx)

    def _fetched(self, call: ast.Call, asked: Asked, ctx: Context) -> Finding:
        given = [asked.execution.answer]
        message = _MESSAGES[asked.fetched]
        if asked.obstacle is not None or asked.template is None:
            return self.report(call, message, missing=asked.obstacle, given=given)
        unsafe = asked.doubt or ("this is a test" if is_test(ctx.path.as_posix()) else None)
        return self.fix(call, message, *_edits(asked, asked.template), given=given, unsafe=unsafe)

    def _searched(self, member: Member) -> Finding:
        message = "all rows are fetched only to see whether one is among them, which EXISTS says"
        given = [member.execution.answer]
        if member.template is None:
            return self.report(member.node, message, missing=member.missing, given=given)
        edit = swap(member.node, member.template, **member.holes)
        return self.fix(member.node, message, edit, given=given, unsafe="the database compares, not Python")

    def _always_true(self, found: AlwaysTrue) -> Finding:
        kind = "Query" if isinstance(found.answer.value, Statement) else "Result"
        message = f"a {kind} is true whether there are rows or not; EXISTS asks the database, a behaviour fix"
        if found.template is None:
            return self.report(found.test.node, message, missing=found.missing, given=[found.answer], level="error")
        template = f"not {found.template}" if found.test.negated else found.template
        edit = swap(found.test.node, template, **found.holes)
        unsafe = "the test may fail from now on"
        return self.fix(found.test.node, message, edit, given=[found.answer], unsafe=unsafe, level="error")


_MESSAGES = {
    "object": "a row is fetched only to see whether there is one, which EXISTS says",
    "list": "all rows are fetched only to see whether there are any, which EXISTS says",
    "number": "all rows are counted only to see whether there are any, which EXISTS says",
}


def _is_asserted(call: ast.Call, place: Place, ctx: Context) -> bool:
    """Whether a call stands in an assertion, which shows what it compared."""
    around = ctx.ask(Usage).around(place)
    node: ast.AST | None = call
    while isinstance(node, ast.expr):
        node = around.get(node)
    return isinstance(node, ast.Assert)


def _edits(asked: Asked, template: str) -> Iterator[Verb]:
    if any(test.variable is not None for test in asked.tests):
        yield swap(asked.value, template, **asked.holes)
    for test in asked.tests:
        if test.variable is None:
            yield swap(test.node, f"not {template}" if test.negated else template, **asked.holes)
        elif test.negated:
            yield swap(test.node, "not {variable}", variable=test.variable)
        elif test.node is not test.variable:
            yield swap(test.node, "{variable}", variable=test.variable)
