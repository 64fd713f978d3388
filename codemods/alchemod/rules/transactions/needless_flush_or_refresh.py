"""ALC308: a flush right before a commit, a refresh right after one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import drop
from alchemod.engine.rule import Rule
from alchemod.inference.transactions.needless import needless_flush, needless_refresh
from alchemod.inference.transactions.work import Transactions

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class NeedlessFlushOrRefresh(Rule):
    """Takes away a `flush()` right before a `commit()`, and a `refresh()` right after one.

    What it does:
        Drops `session.flush()` where the next statement is `session.commit()`, and `session.refresh(obj)` behind a
        commit where `obj` is read on some ways only while the session is open, or not at all.

    Why:
        A commit flushes first. After it all objects are expired, and the first read of one loads it; the refresh sends
        that statement even where nobody reads the object.

    Example:
        ```python
        def add_tag(session: Session, name):
            session.add(Tag(name=name))
            session.flush()
            session.commit()
        ```

    Use instead:
        ```python
        def add_tag(session: Session, name):
            session.add(Tag(name=name))
            session.commit()
        ```

    Fix safety:
        Dropping the flush is safe: same statements, same exceptions, same handlers. It is unsafe where a listener runs
        before each commit and would see what is not flushed yet, where a session class has its own `flush()` or
        `commit()`, and where a test counts the calls. Dropping the refresh is always unsafe: with
        `expire_on_commit=False`, set where it is not seen, values made by the database would be missing. A report where
        the row was deleted before, for then it raises. A flush with
        its own handler, a refresh of some attributes or with a lock, an AsyncSession, objects that are read next in any
        case, and those that are returned or handed on are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#flushing
        - https://docs.sqlalchemy.org/en/20/orm/session_state_management.html#refreshing-expiring
    """

    code = "ALC308"
    names = ("flush", "refresh")
    tokens = ("commit",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `flush()` or `refresh()`."""
        place = ctx.place(call)
        known = ctx.ask(Transactions)
        work = known.around(place) if place is not None and isinstance(call.func, ast.Attribute) else None
        if work is None:
            return
        hooks = known.hooks
        if (flush := needless_flush(call, work)) is not None:
            unsafe = hooks.overridden("flush") or hooks.overridden("commit") or hooks.before_commit
            if flush.called is not None:
                unsafe = unsafe or f"{ast.unparse(flush.called)} is then called once less"
            yield self.fix(
                call,
                "flush() right before commit() does nothing that the commit does not do",
                drop(flush.statement),
                given=[flush.event.session.answer, flush.commit.session.answer],
                unsafe=unsafe or ctx.pinned("flush"),
            )
        elif (refresh := needless_refresh(call, work)) is not None:
            session, name = refresh.event.session, ast.unparse(call.args[0])
            if refresh.deleted is not None:
                message = f"refresh() raises InvalidRequestError here, for line {refresh.deleted.lineno} deletes {name}"
                yield self.report(call, message, missing="drop it", given=[session.answer])
                return
            unsafe = f"{name} is then loaded when it is first read"
            if not session.expires_on_commit:
                unsafe = "it has to stay where the session was made with expire_on_commit=False"
            yield self.fix(
                call,
                f"refresh() right after commit() loads {name} again whether it is read or not",
                drop(refresh.statement),
                given=[session.answer],
                unsafe=ctx.pinned("refresh") or unsafe,
            )
