"""ALC304: commit, rollback and raise by hand become a block that does it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import Verb, block, drop, swap
from alchemod.engine.rule import Rule
from alchemod.inference.transactions.handwritten import Handwritten, handwritten
from alchemod.inference.transactions.work import Transactions

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class HandWrittenTransaction(Rule):
    """Replaces a commit at the end, and handlers that only roll back and raise, by a block that does both.

    What it does:
        Writes `with SessionLocal.begin() as session:` where a session is opened, committed once at the end, and rolled
        back in handlers that raise again. A session made in another way gets `with session.begin():` inside its block.

    Why:
        The block cannot be left without a commit or a rollback, whatever the exception; five lines less say so.

    Example:
        ```python
        def rename(book_id, title):
            with SessionLocal() as session:
                try:
                    session.get(Book, book_id).title = title
                    session.commit()
                except Exception:
                    session.rollback()
                    raise
        ```

    Use instead:
        ```python
        def rename(book_id, title):
            with SessionLocal.begin() as session:
                session.get(Book, book_id).title = title
        ```

    Fix safety:
        Unsafe: exceptions that no handler named roll back too, and the commit moves behind the last statement of the
        block. Offered where there is exactly one commit, the last statement on every way, and no object is read behind
        it. Only a report for sessions of a caller, who may have begun a transaction: `with session.begin():` raises
        then. Handlers that log, return or go on, and work with two commits are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#framing-out-a-begin-commit-rollback-block
    """

    code = "ALC304"
    names = ("commit",)
    on = False
    after = ("ALC101", "ALC303", "ALC308")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `commit()`."""
        place = ctx.place(call)
        work = ctx.ask(Transactions).around(place) if place is not None else None
        found = handwritten(call, work) if work is not None else None
        if found is None:
            return
        session = found.commit.session
        message = f"the transaction of {session.written} is written out by hand"
        if found.is_borrowed:
            wait = "async " if session.is_async else ""
            advice = f"write `{wait}with {session.written}.begin():` if no caller has begun a transaction in it"
            yield self.report(call, message, missing=advice, given=[session.answer])
            return
        unsafe = ctx.pinned("commit") or "every exception then rolls back, and the commit is the end of the block"
        yield self.fix(call, message, *_edits(found), given=[session.answer], unsafe=unsafe)


def _edits(found: Handwritten) -> Iterator[Verb]:
    assert found.opening is not None
    session = found.commit.session
    wait = "async " if session.is_async else ""
    if found.block is not None and found.kind == "factory":
        yield swap(found.opening, "{maker}.begin()", maker=found.opening.func)
    elif found.block is not None:
        first = next(one for one in found.block.body if one is not found.begin)
        yield block(first, found.block.body[-1], wait + "with {name}.begin():", name=session.written)
    elif found.opener is not None and found.guard is not None:
        header = (
            "with {maker}.begin() as {name}:" if found.kind == "factory" else "with {made} as {name}, {name}.begin():"
        )
        holes = {"maker": found.opening.func} if found.kind == "factory" else {"made": found.opening}
        yield block(found.opener, found.guard, wait + header, replaces=(found.opener,), name=session.written, **holes)
    for node in found.removed:
        yield drop(node)
