"""MIG506: statements of Core in a Session, before which SQLAlchemy 2.1 flushes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.transactions.early_flush import pending_before
from alchemod.inference.transactions.work import Transactions


class CoreAutoflush(Rule):
    """Finds statements of Core that see what was only added, from SQLAlchemy 2.1 on.

    What it does:
        Reports `text()` and statements about tables that a Session executes after `add()` in the same function,
        without a flush in between.

    Why:
        Up to SQLAlchemy 2.0 a Session flushes by itself only before statements that speak of mapped classes; 2.1 does
        so before each one. The statement then counts or changes the new rows, and errors of the flush come earlier.

    Example:
        ```python
        def add(session: Session, user):
            session.add(user)
            return session.execute(text("SELECT count(*) FROM users")).scalar()
        ```

    Use instead:
        ```python
        def add(session: Session, user):
            session.add(user)
            session.flush()
            return session.execute(text("SELECT count(*) FROM users")).scalar()
        ```

    Fix safety:
        A report: whether the statement is to see the new rows is not written anywhere. `flush()` before it gives the
        new behaviour on every version, `no_autoflush` the old one. Nothing is said in projects that turn autoflush off.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
        - https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """

    code = "MIG506"
    names = ("execute", "scalar", "scalars", "exec")
    since = "2.1"
    tokens = (".add",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that may execute a statement."""
        transactions, place = ctx.ask(Transactions), ctx.place(call)
        if place is None or not isinstance(call.func, ast.Attribute) or not call.args:
            return
        if transactions.hooks.may_not_autoflush or transactions.is_test(place):
            return
        work = transactions.around(place)
        added = pending_before(call, work) if work is not None else None
        if added is not None:
            line = getattr(added.node, "lineno", 0)
            message = f"SQLAlchemy 2.1 flushes what line {line} added before this statement of Core, 2.0 does not"
            session = ast.unparse(call.func.value)
            missing = (
                f"whether the statement is to see it; call {session}.flush() before it if so, else write "
                f"`with {session}.no_autoflush:` around it"
            )
            yield self.report(call, message, missing=missing, given=[added.session.answer])
