"""ALC306: several commits in one unit of work; a commit that only fetches a key becomes a flush."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import rename
from alchemod.engine.rule import Rule
from alchemod.inference.transactions.several_commits import (
    CommittingHelper,
    PartialCommit,
    committing_helper,
    partial_commit,
)
from alchemod.inference.transactions.work import Transactions

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class SeveralCommits(Rule):
    """Finds work that belongs together and is committed in parts.

    What it does:
        Turns a `commit()` into `flush()` where what follows, up to the next commit, needs no more of it than keys and
        defaults of the new rows. Reports other commits that more work and a commit follow on every way, and helpers
        that commit the session of a caller who commits again.

    Why:
        When something fails between two commits, the first half stays: an order without its lines, a user without a
        role. One transaction is all or nothing; keys are there after a flush.

    Example:
        ```python
        def add_book(session: Session, name, title):
            author = Author(name=name)
            session.add(author)
            session.commit()
            session.add(Book(title=title, author_id=author.id))
            session.commit()
        ```

    Use instead:
        ```python
        def add_book(session: Session, name, title):
            author = Author(name=name)
            session.add(author)
            session.flush()
            session.add(Book(title=title, author_id=author.id))
            session.commit()
        ```

    Fix safety:
        Unsafe: when the second half fails, the first is no longer kept. Only a report where nothing of the new rows is
        read in between, where the second commit meets other handlers, and for helpers, with a caller that has work of
        its own to commit. Commits on ways that exclude each other, of two sessions, that a parameter asks for, unless
        the caller does so, and with anything in between that is not seen or reaches beyond the database (a task, a
        mail, a request) are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#flushing
        - https://docs.sqlalchemy.org/en/20/orm/session_transaction.html#managing-transactions
    """

    code = "ALC306"
    names = ("commit",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `commit()`."""
        place = ctx.place(call) if not ctx.project.is_test(ctx.path) else None
        known = ctx.ask(Transactions)
        work = known.around(place) if place is not None else None
        if work is None or not isinstance(call.func, ast.Attribute):
            return
        if (partial := partial_commit(call, work)) is not None:
            yield self._partial(call, call.func, partial, ctx)
        elif (helper := committing_helper(call, work, known)) is not None:
            yield self._helper(call, helper, ctx)

    def _partial(self, call: ast.Call, method: ast.Attribute, found: PartialCommit, ctx: Context) -> Finding:
        line = getattr(found.later.node, "lineno", 0)
        message = f"line {line} commits again; when something fails in between, only this half is kept"
        given = [found.event.session.answer]
        if not found.only_keys:
            name = found.event.session.written
            advice = f"drop this commit, or write `{name}.flush()` here if keys are needed"
            return self.report(call, message, missing=advice, given=given)
        read = ast.unparse(found.reads[0])
        unsafe = ctx.pinned("commit") or f"{read} is there after a flush, but this half is no longer kept by itself"
        return self.fix(call, message, rename(method, "flush"), given=given, unsafe=unsafe)

    def _helper(self, call: ast.Call, found: CommittingHelper, ctx: Context) -> Finding:
        site, name = found.site, found.event.session.written
        shown = ctx.project.displayed(site.place.module.path)
        again = "calls this twice" if found.times > 1 else "commits again"
        message = f"{found.caller} in {shown}:{site.call.lineno} {again}, so its work is committed in parts"
        advice = f"write `{name}.flush()` here, and let the caller commit"
        return self.report(call, message, missing=advice, given=[found.event.session.answer])
