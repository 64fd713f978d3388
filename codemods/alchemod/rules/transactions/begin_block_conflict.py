"""ALC303: a commit inside a block that commits by itself; `begin()` after a transaction has begun."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import drop
from alchemod.engine.rule import Rule
from alchemod.inference.transactions.begin_blocks import InnerCommit, begun_before, inner_commit
from alchemod.inference.transactions.work import Transactions, Work

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class BeginBlockConflict(Rule):
    """Takes away a `commit()` at the end of a block that commits by itself, and reports transactions that collide.

    What it does:
        Drops a `commit()` that is the last thing in a `with session.begin():` block, or in that of
        `with SessionLocal.begin() as session:`. Reports work that follows such a commit inside the block, and a
        `begin()` behind a query: both raise InvalidRequestError.

    Why:
        The block commits when it is left, and rolls back on an exception. A commit inside ends its transaction early;
        the next statement of the session in the block fails with "Can't operate on closed transaction inside context
        manager". A session begins a transaction with its first statement, so a later `begin()` fails with "A
        transaction is already begun on this Session".

    Example:
        ```python
        def rename(book_id, title):
            with SessionLocal.begin() as session:
                session.get(Book, book_id).title = title
                session.commit()
        ```

    Use instead:
        ```python
        def rename(book_id, title):
            with SessionLocal.begin() as session:
                session.get(Book, book_id).title = title
        ```

    Fix safety:
        Safe when the block is left right after the commit. Unsafe when code that does not use the session follows,
        which then runs before the commit, and when a session class of the project has its own `commit()` or a test
        counts the calls. A report when the commit has its own `try`, when the session is used after it, and for
        `begin()` after work has begun. Commits of savepoints, of other sessions, and `begin()` behind a look at
        `in_transaction()` are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_transaction.html#managing-transactions
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#framing-out-a-begin-commit-rollback-block
    """

    code = "ALC303"
    names = ("commit", "begin")
    tokens = ("begin",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `commit()` or `begin()`."""
        if not isinstance(call.func, ast.Attribute):
            return
        place = ctx.place(call)
        known = ctx.ask(Transactions)
        work = known.around(place) if place is not None else None
        if work is None:
            return
        if call.func.attr == "begin":
            yield from self._begin(call, work, known)
        elif (inner := inner_commit(call, work)) is not None:
            yield self._commit(call, inner, work, known, ctx)

    def _begin(self, call: ast.Call, work: Work, known: Transactions) -> Iterator[Finding]:
        begun = begun_before(call, work)
        if begun is None or known.hooks.begins_by_hand:
            return
        name = begun.session.written
        line = getattr(begun.node, "lineno", 0)
        message = (
            f"{name}.begin() raises InvalidRequestError here, for line {line} has begun a transaction; "
            f"open the block before that line, or write `with {name}.begin_nested():` for a savepoint"
        )
        yield self.report(call, message, given=[begun.session.answer], level="error")

    def _commit(self, call: ast.Call, inner: InnerCommit, work: Work, known: Transactions, ctx: Context) -> Finding:
        session = inner.event.session
        line = getattr(inner.where, "lineno", 0)
        message = "the block commits by itself when it is left; commit() inside ends its transaction early"
        statement = work.statement_of(call)
        match inner.ending:
            case "raises":
                said = (
                    f"line {line} uses {session.written} after this commit() inside its begin() block and raises "
                    "InvalidRequestError; leave the block before it, or drop the commit"
                )
                return self.report(call, said, given=[session.answer], level="error")
            case "guarded":
                return self.report(
                    call, message, missing=f"line {line} stands around the commit; put it around the block",
                    given=[session.answer],
                )  # fmt: skip
            case "ended":
                return self.report(
                    call, message, missing=f"line {line} ends what would not be committed yet", given=[session.answer]
                )
        if statement is None:
            return self.report(call, message, missing="its value is used", given=[session.answer])
        unsafe = f"line {line} would run before the commit" if inner.ending == "followed" else None
        unsafe = unsafe or known.hooks.overridden("commit") or known.hooks.overridden("begin") or ctx.pinned("commit")
        return self.fix(call, message, drop(statement), given=[session.answer], unsafe=unsafe)
