"""ALC301: a failed commit or flush that is caught without a rollback, or rolled back and then forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import Code, Verb, drop, insert, swap
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.inference.scoping.scopes import contains
from alchemod.inference.summaries.direct import looks_like_session
from alchemod.inference.transactions.handlers import failures
from alchemod.inference.transactions.mishandled import Mishandled, captures, mishandled
from alchemod.inference.transactions.order import Left
from alchemod.inference.transactions.work import Transactions

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


class CommitFailureMishandled(Rule):
    """Finds handlers that leave a session unusable after a failed commit or flush, or that hide the failure.

    What it does:
        Puts `session.rollback()` first in a handler that catches a failed `commit()` or `flush()` and ends the work.
        Attributes of objects that the handler reads are kept in variables before the `try`. Reports handlers after
        which the session is used again, or where the failure gets lost on the way to a later commit.

    Why:
        After a failed flush, a session answers everything with PendingRollbackError until `rollback()` is called; its
        objects cannot even be read for the log. A handler that rolls back but lets the function run on to the next
        commit is the opposite: half of the work is gone and nobody is told.

    Example:
        ```python
        def rename(book_id, title):
            session = SessionLocal()
            session.get(Book, book_id).title = title
            try:
                session.commit()
            except Exception as error:
                print("not renamed", error)
            return session
        ```

    Use instead:
        ```python
        def rename(book_id, title):
            session = SessionLocal()
            session.get(Book, book_id).title = title
            try:
                session.commit()
            except Exception as error:
                session.rollback()
                print("not renamed", error)
            return session
        ```

    Fix safety:
        Unsafe: a rollback gives up everything that was pending in the session, and its objects are read again from the
        database. Offered where this function decides about the transaction: it opened the session, or it commits the
        registry of the thread or request. A report where the caller or another object owns the session, where the
        handler goes on to use it, and where the failure is rolled back and forgotten; the message shows what to write.
        A handler that leaves the block which closes the session, one that raises to a caller, framework or decorator
        who rolls back, or aborts, and handlers of commits that are no session's are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/faq/sessions.html#this-session-s-transaction-has-been-rolled-back-due-to-a-previous-exception-during-flush-or-similar
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#rolling-back
    """

    code = "ALC301"
    names = ("except",)
    tokens = ("ession", "db", "commit", "flush")

    def find_Try(self, statement: ast.Try, ctx: Context) -> Iterator[Finding]:
        """Looks at one `try` with a commit or flush in it."""
        if not statement.handlers or not any(_may_commit(part) for part in statement.body):
            return
        place = ctx.place(statement)
        work = ctx.ask(Transactions).around(place) if place is not None else None
        if work is None:
            return
        for failure in failures(statement, work):
            found = mishandled(failure)
            if found is not None:
                yield self._finding(found, ctx)

    def _finding(self, found: Mishandled, ctx: Context) -> Finding:
        failure = found.failure
        given = [failure.session.answer]
        message = _message(found)
        if found.fault in {"unusable", "read"} and found.owns and (edits := list(_edits(found))):
            name = failure.session.written
            unsafe = ctx.pinned("rollback") or f"rollback() gives up everything that is pending in {name}"
            return self.fix(failure.handler, message, *edits, given=given, unsafe=unsafe)
        return self.report(failure.handler, message, missing=_advice(found), given=given)


def _may_commit(statement: ast.stmt) -> bool:
    """A cheap test: whether a statement commits, flushes, or hands on what may be a session."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            if last_name(node) in {"commit", "flush"}:
                return True
            if any(looks_like_session(part) for part in (*node.args, *(one.value for one in node.keywords))):
                return True
    return False


def _edits(found: Mishandled) -> Iterator[Verb]:
    """The rollback, first in the handler; none where it cannot be written there."""
    failure = found.failure
    origin, first = failure.session.origin.node, failure.handler.body[0]
    if isinstance(origin, ast.expr) and contains(failure.statement, origin):
        return
    name, call = (
        Code(failure.session.written),
        "await {name}.rollback()" if failure.session.is_async else "{name}.rollback()",
    )
    if found.fault == "read":
        node = failure.clearing[0].node
        assert isinstance(node, ast.expr)
        moved = next((one for one in failure.handler.body if isinstance(one, ast.Expr) and contains(one, node)), None)
        if moved is None or len(failure.clearing) > 1:
            return
        yield drop(moved)
    yield swap(first, call, name=name) if isinstance(first, ast.Pass) else insert(call, before=first, name=name)
    for capture in captures(found):
        yield insert(
            "{name} = {read}", before=failure.statement, name=capture.name, read=Code(ast.unparse(capture.reads[0]))
        )
        for read in capture.reads:
            yield swap(read, "{name}", name=capture.name)


def _message(found: Mishandled) -> str:
    failure, name = found.failure, found.failure.session.written
    failed = failure.failed
    match found.fault:
        case "committed":
            return f"a failed {failed} is rolled back and forgotten, and {_place(found)} commits what comes after"
        case "asked":
            return f"{name}.is_active is false after a failed {failed}, so {_place(found)} never rolls back then"
        case "discarded":
            return f"a failed {failed} is rolled back and nobody is told"
        case "read":
            read = ast.unparse(found.reads[0])
            return f"{read} raises PendingRollbackError after a failed {failed}, for it is read before the rollback"
        case "used":
            return f"a failed {failed} is caught without a rollback, and {_place(found)} raises PendingRollbackError"
        case "raised":
            return f"a failed {failed} goes on as an exception, and nobody in sight rolls back {name}"
    return f"a failed {failed} leaves {name} unusable, and this handler does not roll back"


def _advice(found: Mishandled) -> str:
    failure, name = found.failure, found.failure.session.written
    wait = "await " if failure.session.is_async else ""
    match found.fault:
        case "committed" | "discarded":
            return "end the handler with `raise`, or return what tells the caller"
        case "asked":
            return f"write `{wait}{name}.rollback()` without the condition"
        case "used":
            nested = (
                f"keep the work in `{wait and 'async '}with {name}.begin_nested():` and catch the exception around it"
            )
            return f"a rollback alone would hide the failure; write `{wait}{name}.rollback()` and `raise`, or {nested}"
        case "raised":
            return f"write `{wait}{name}.rollback()` before `raise`, or open a session per unit of work in a `with`"
    if failure.session.owner == "registry":
        return f"the code that commits {name} owns the transaction; let the exception get there"
    if found.owns:
        return f"write `{wait}{name}.rollback()` first; the session has to be opened before the `try` for that"
    owner = f"whoever hands out {name} owns the transaction"
    return f"{owner}; let the exception get there, or write `{wait}{name}.rollback()` first and `raise`"


def _place(found: Mishandled) -> str:
    later = found.later
    assert later is not None
    line = f"line {getattr(later.node, 'lineno', 0)}"
    return f"leaving the block of {line}" if isinstance(later.mark, Left) else line
