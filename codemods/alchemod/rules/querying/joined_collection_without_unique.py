"""ALC205: the result of a select with a joined collection is made unique."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.uniqueness import SENDING, Uniqueness


class JoinedCollectionWithoutUnique(Rule):
    """Adds the `unique()` that the result of a select with a joined collection needs.

    What it does:
        Adds `.unique()` to the result of a `select` that loads a collection by a join: by `joinedload()`,
        `contains_eager()` or because the relationship says `lazy="joined"`.

    Why:
        The join repeats the entity once for each member of the collection. A Query leaves the repetitions out by
        itself; a result of the 2.0 style raises InvalidRequestError when its rows are asked for, until it is told to.

    Example:
        ```python
        def authors(session: Session):
            statement = select(Author).options(joinedload(Author.books))
            return session.scalars(statement).all()
        ```

    Use instead:
        ```python
        def authors(session: Session):
            statement = select(Author).options(joinedload(Author.books))
            return session.scalars(statement).unique().all()
        ```

    Fix safety:
        Safe where the rows are asked for in the same function and the relationship is known to hold many: without the
        fix the code raises. Unsafe where columns are selected too, whose values may have no hash, and where the
        statement is built on several ways. A report where the result leaves the function. Relationships to one object,
        `selectinload()`, a Query, `first()` and `scalar()`, results that are made unique further on, and `yield_per`
        are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#joined-eager-loading
    """

    code = "ALC205"
    names = SENDING
    level = "error"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that sends a statement."""
        place = ctx.place(call) if isinstance(call.func, ast.Attribute) and call.args else None
        found = ctx.ask(Uniqueness).repeating(call, place) if place is not None else None
        if found is None:
            return
        message = f"the join that loads {found.collection} repeats rows: the result raises without unique()"
        if found.missing:
            yield self.report(call, message, missing=found.missing, given=[found.answer], level="warning")
            return
        edit = swap(found.result, "{result}.unique()", result=found.result)
        yield self.fix(call, message, edit, given=[found.answer], unsafe=found.doubt)
