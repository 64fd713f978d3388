"""ALC101: a session opened and closed by hand becomes a `with` block."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import Verb, block, drop, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.lives import SessionLives
from alchemod.inference.ownership.verdict import Verdict
from alchemod.inference.values import Outside


class SessionWithoutContextManager(Rule):
    """Puts a session that a function opens and closes by hand into a `with` block.

    What it does:
        Replaces `session = SessionLocal()` and its `session.close()` by `with SessionLocal() as session:` (`async with`
        for an AsyncSession). A `try` whose `finally` did nothing but close is dissolved. The block ends where `close()`
        stood; a `close()` with work behind it stays.

    Why:
        A `close()` that an early return or an exception passes by leaves the connection checked out until the garbage
        collector finds the session. Under load the pool runs dry.

    Example:
        ```python
        def title_of(book_id):
            session = SessionLocal()
            book = session.get(Book, book_id)
            if book is None:
                return None
            title = book.title
            session.close()
            return title
        ```

    Use instead:
        ```python
        def title_of(book_id):
            with SessionLocal() as session:
                book = session.get(Book, book_id)
                if book is None:
                    return None
                title = book.title
            return title
        ```

    Fix safety:
        Safe when leaving the block of such a session closes it and does nothing else, every way out is seen, and
        nothing that escapes or is read later needs the session open where the block closes it. Unsafe when objects of
        the session get out on a way that used to leak, as they may where an exception reaches the `yield` of a context
        manager, when it is opened inside `try`, once per turn of a loop, or used again after it was closed, and when a
        test or other code replaces the factory. A report when a callee may keep
        the session, when something is read afterwards that is not loaded, and where sessions are no context managers
        yet (SQLAlchemy 1.3). Registries (`scoped_session`), session classes with their own `__exit__` or `close`,
        sessions on a connection opened elsewhere, and sessions that are stored, returned or injected are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#opening-and-closing-a-session
        - https://docs.sqlalchemy.org/en/20/core/pooling.html
    """

    code = "ALC101"

    def names_from(self, project: Project) -> Iterable[str]:
        """The names of session factories and session classes."""
        return project.session_makers

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may open a session."""
        lives = ctx.ask(SessionLives)
        judged = lives.of_call(ctx.path, call)
        if judged is None:
            return
        life, verdict = judged
        is_own = life.opening.provider is None and lives.is_in_function(ctx.path, life)
        if verdict.kind in {"silent", "never"} or not is_own:
            return
        message = _message(life)
        given = [lives.answer(ctx.path, life)]
        edits = list(_edits(life, ctx))
        if verdict.kind == "report" or not edits:
            yield self.report(call, message, missing=_advice(life, verdict), given=given)
            return
        unsafe = verdict.missing if verdict.kind == "unsafe" else lives.replaced_factory(ctx.path, life)
        yield self.fix(call, message, *edits, given=given, unsafe=unsafe)


def _edits(life: SessionLife, ctx: Context) -> Iterator[Verb]:
    plan = life.plan
    if life.closing is not None:
        manager = ctx.value(life.closing.func)
        if manager is not None and isinstance(manager.value, Outside):
            yield swap(life.closing, "{maker}", maker=life.site)
    if plan is None:
        return
    header = "async with {maker} as {name}:" if plan.is_async else "with {maker} as {name}:"
    first, last = plan.suite[plan.first], plan.suite[plan.last]
    if plan.annotation is not None:
        yield insert("{name}: {annotation}", before=first, name=plan.name, annotation=plan.annotation)
    yield block(first, last, header, replaces=(plan.opener,), maker=plan.maker, name=plan.name)
    for statement in plan.removals:
        yield drop(statement)


def _message(life: SessionLife) -> str:
    name = life.name or "the session"
    if life.closing is not None:
        return "closing() does what the block of the session does by itself"
    if life.record is not None and not life.record.closes:
        if "closed by callee" in life.record.escapes:
            return f"{name} is opened here and closed by a function that gets it"
        return f"{name} is opened here and never closed"
    if life.leaks:
        return f"{name} is closed by hand, and stays open on some ways out"
    return f"{name} is opened and closed by hand"


def _advice(life: SessionLife, verdict: Verdict) -> str:
    maker = ast.unparse(life.site)
    match verdict.reason:
        case "ownership flag":
            name = life.name or "session"
            if not life.is_optional:
                return f"it is opened on some ways only; write `with {maker} as {name}:` in the branch that opens it"
            return f"it is opened on some ways only; write `with nullcontext({name}) if {name} else {maker} as {name}:`"
        case "entered by hand":
            return (
                f"line {verdict.line} calls __enter__() by hand; write `with {maker} as session:` or use an ExitStack"
            )
        case "version":
            return f"{verdict.missing}, and the project allows older ones (--target)"
    return verdict.missing
