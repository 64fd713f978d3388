"""ALC307: rows that are added or deleted in a session that is closed without a commit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.engine.rule import Rule
from alchemod.inference.transactions.uncommitted import Uncommitted, uncommitted
from alchemod.inference.transactions.work import Transactions

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class UncommittedWork(Rule):
    """Reports rows that are added or deleted in a session that nobody commits.

    What it does:
        Reports the first write of a session that a function opens and closes, when no way through it commits.

    Why:
        Leaving `with SessionLocal() as session:`, or `close()`, rolls back what is not committed, without a word. A
        program that looks right in review stores nothing.

    Example:
        ```python
        def add_tag(name):
            with SessionLocal() as session:
                session.add(Tag(name=name))
        ```

    Use instead:
        ```python
        def add_tag(name):
            with SessionLocal.begin() as session:
                session.add(Tag(name=name))
        ```

    Fix safety:
        Only a report: whether the work is meant to last is for a person to say. Sessions whose class commits when they
        are left, `SessionLocal.begin()`, commits in a callee, sessions that get out of the function, an explicit
        rollback (a dry run), engines in AUTOCOMMIT mode and tests are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#opening-and-closing-a-session
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#framing-out-a-begin-commit-rollback-block
    """

    code = "ALC307"
    names = (
        *("add", "add_all", "delete", "execute", "scalar", "scalars", "update"),
        *("bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"),
    )

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that may write."""
        place = ctx.place(call)
        known = ctx.ask(Transactions)
        if place is None or not known.may_open(call, place):
            return
        work = known.around(place)
        found = uncommitted(call, work) if work is not None else None
        if found is None or known.hooks.commits_at_once or ctx.project.is_test(ctx.path):
            return
        session = found.write.session
        yield self.report(call, _message(found), missing=_advice(found), given=[session.answer])


def _message(found: Uncommitted) -> str:
    return f"no way through this function commits {found.write.session.written}; closing it rolls this back"


def _advice(found: Uncommitted) -> str:
    session, opening = found.write.session, found.write.session.origin.node
    wait = "await " if session.is_async else ""
    if session.owner == "block" and isinstance(opening, ast.Call) and not opening.args and not opening.keywords:
        maker = ast.unparse(opening.func)
        block = f"{'async ' if session.is_async else ''}with {maker}.begin() as {session.written}:"
        return f"write `{block}`, or `{wait}{session.written}.commit()` as the last statement"
    return f"write `{wait}{session.written}.commit()` as the last statement, or open it with a begin() block"
