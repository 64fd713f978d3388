"""ALC219: results that depend on what the database happens to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.executions import Executions
from alchemod.inference.querying.underdetermined import Underdetermined


class UnderdeterminedResult(Rule):
    """Says where a query does not determine its result.

    What it does:
        Finds `first()` of several rows without an ORDER BY, queries over several classes that nothing connects, and
        `distinct()` that drops what a join to a collection has repeated.

    Why:
        Which row comes first without an order changes with the plan, the data and the database. Classes that no
        condition connects give every row with every other. A `distinct()` over all columns sorts them only to undo a
        join that was made to filter.

    Example:
        ```python
        def anybody(session):
            return session.query(User).filter(User.active).first()
        ```

    Use instead:
        ```python
        def anybody(session):
            return session.query(User).filter(User.active).order_by(User.id).first()
        ```

    Fix safety:
        Only reports: which order, which condition is meant is not said in the code. Filters on a key or on what a
        constraint makes unique determine the row; aggregates, statements whose conditions are not all in sight, results
        that are only tested for being there, join conditions in `where()`, and `distinct()` on columns are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/query.html#sqlalchemy.orm.Query.first
        - https://docs.sqlalchemy.org/en/20/changelog/migration_14.html#change-4737
    """

    code = "ALC219"
    names = ("first", "all", "one", "one_or_none", "fetchall", "count", "execute", "scalars")
    on = False

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that sends a statement."""
        place = ctx.place(call) if isinstance(call.func, ast.Attribute) else None
        execution = ctx.ask(Executions).of(call, place) if place is not None else None
        if place is None or execution is None:
            return
        area, given = ctx.ask(Underdetermined), [execution.answer]
        if execution.taken == "first" and (name := area.any_of_several(execution, call, place)) is not None:
            message = f"which {name} first() gives is not determined: the query has no order_by()"
            yield self.report(call, message, given=given)
        if execution.sent is not None and execution.sent is not call:
            return  # said where the statement is sent
        if (pair := area.product(execution.statement, place)) is not None:
            message = f"every {pair[0]} is combined with every {pair[1]}: no condition connects them"
            yield self.report(call, message, given=given)
        if (joined := area.hidden_join(execution.statement, place)) is not None:
            message = f"distinct() drops what the join to {joined} has repeated; any() filters without a join"
            yield self.report(call, message, given=given)
