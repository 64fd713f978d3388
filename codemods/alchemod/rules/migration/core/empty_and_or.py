"""MIG209: `and_(*criteria)` and `or_(*criteria)` that may have no criteria."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import add_argument
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.inference.uses.emptiness import Emptiness
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Outside, Statement

_CRITERIA = frozenset({"filter", "where"})
"""Not `having()`: databases want GROUP BY before a HAVING, also when it is true."""


class EmptyAndOr(Rule):
    """Gives `and_()` and `or_()` a first criterion where they may have none.

    What it does:
        `and_(*criteria)` becomes `and_(true(), *criteria)`, `or_(*criteria)` becomes `or_(false(), *criteria)`, unless
        the code shows that there is a criterion.

    Why:
        Without criteria both render nothing: a query is not filtered at all, also where any of no criteria was meant.
        SQLAlchemy 1.4 and later warn; it is to become an error.

    Example:
        ```python
        import sqlalchemy as sa


        def found(session, criteria):
            return session.query(User).filter(sa.and_(*criteria)).all()
        ```

    Use instead:
        ```python
        import sqlalchemy as sa


        def found(session, criteria):
            return session.query(User).filter(sa.and_(true(), *criteria)).all()
        ```

    Fix safety:
        Safe for `and_()` directly in `filter()` or `where()`: the rows are the same. Unsafe elsewhere (a HAVING asks
        for GROUP BY), and for `or_()`: without criteria it gave all rows, and gives none then.

    References:
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.and_
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.or_
    """

    code = "MIG209"
    names = ("and_", "or_")
    since = "2.0"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `and_` or `or_`."""
        if call.keywords or not all(isinstance(argument, ast.Starred) for argument in call.args):
            return
        callee, place = ctx.value(call.func), ctx.place(call)
        match callee:
            case Answer(value=Outside(definition=External(canonical="and_" | "or_" as name))) if place is not None:
                pass
            case _:
                return
        values = [argument.value for argument in call.args if isinstance(argument, ast.Starred)]
        if any(not ctx.ask(Emptiness).may_be_empty(value, place) for value in values):
            return
        message = f"{name}() without criteria filters nothing; SQLAlchemy wants a first criterion"
        constant = "true" if name == "and_" else "false"
        edit = add_argument(call, f"{{sqlalchemy.{constant}}}()", first=True)
        yield self.fix(call, message, edit, given=[callee], unsafe=_change(call, name, ctx))


def _change(call: ast.Call, name: str, ctx: Context) -> str | None:
    """Why other rows may come."""
    if name == "or_":
        return "without criteria all rows came so far, none will"
    place = ctx.place(call)
    around = ctx.ask(Usage).around(place).get(call) if place is not None else None
    match around:
        case ast.Call(func=ast.Attribute(attr=method, value=receiver)) if method in _CRITERIA:
            answer = ctx.value(receiver)
            if answer is not None and isinstance(answer.value, Statement):
                return None
    return "what it is part of may take a true criterion otherwise than none"
