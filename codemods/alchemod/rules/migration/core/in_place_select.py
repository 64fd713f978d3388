"""MIG206: `statement.append_whereclause(w)` becomes `statement = statement.where(w)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.uses.aliasing import Aliasing
from alchemod.inference.values import Answer, Method, Statement

_METHODS = {
    "append_column": "add_columns",
    "append_correlation": "correlate",
    "append_from": "select_from",
    "append_group_by": "group_by",
    "append_having": "having",
    "append_order_by": "order_by",
    "append_prefix": "prefix_with",
    "append_whereclause": "where",
}


class InPlaceSelect(Rule):
    """Makes a new select where an old one was changed in place.

    What it does:
        `statement.append_whereclause(criterion)` becomes `statement = statement.where(criterion)`, and so on for
        `append_column`, `append_from`, `append_order_by` and the others.

    Why:
        The methods that change a select are gone in SQLAlchemy 2.0.

    Example:
        ```python
        def users(session, name=None):
            query = select(User.id)
            if name is not None:
                query.append_whereclause(User.name == name)
            return session.execute(query).all()
        ```

    Use instead:
        ```python
        def users(session, name=None):
            query = select(User.id)
            if name is not None:
                query = query.where(User.name == name)
            return session.execute(query).all()
        ```

    Fix safety:
        Unsafe: other names for the same select would see the change so far. A report when the select may have another
        name, is a parameter, or is an attribute.

    References:
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html
        - https://docs.sqlalchemy.org/en/14/core/selectable.html#sqlalchemy.sql.expression.Select.append_whereclause
    """

    code = "MIG206"
    names = tuple(sorted(_METHODS))
    since = "1.4"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a method that changes a select."""
        callee, place = ctx.value(call.func), ctx.place(call)
        match callee, call.func:
            case Answer(value=Method(owner=Statement(style="select"))), ast.Attribute(attr=name) as method:
                pass
            case _:
                return
        new = _METHODS[name]
        message = f"{name}() is gone in SQLAlchemy 2.0: {new}() returns another select"
        missing = ctx.ask(Aliasing).other_name(method.value, call, place) if place is not None else None
        statement = ctx.ask(Aliasing).statement(call, place) if place is not None else None
        if missing is not None or statement is None or not isinstance(method.value, ast.Name):
            yield self.report(call, message, missing=missing or "the call is part of an expression", given=[callee])
            return
        edits: list[Verb] = [swap(statement, "{name} = {call}", name=method.value.id, call=call), rename(method, new)]
        unsafe = "another name for the same select would not see the change any more"
        yield self.fix(call, message, *edits, given=[callee], unsafe=unsafe)
