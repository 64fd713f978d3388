"""ALC105: what is used of a session after it was closed."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference.ownership.comparison import line_of
from alchemod.inference.ownership.late import LateUse
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.lives import SessionLives
from alchemod.inference.values import Session, SessionFactory

_ENDS = ("close", "aclose", "remove", "begin")


class UseAfterClose(Rule):
    """Finds what is used of a session once it is closed: the session, its queries, what its objects have not loaded.

    What it does:
        Follows a session to where it is closed, by hand or at the end of a block, and reports what happens behind that
        on every way: a session that is used again, a query or result that is consumed, an attribute that is not loaded,
        objects given to the caller of which a commit has expired everything. A query or result that leaves the block
        is executed inside it.

    Why:
        A closed session does not refuse: it opens a new connection that nobody gives back. Objects do refuse, with
        DetachedInstanceError, as soon as something is read that was not loaded or that a commit has expired.

    Example:
        ```python
        def titles():
            with SessionLocal() as session:
                books = session.query(Book).order_by(Book.title)
            return [book.title for book in books]
        ```

    Use instead:
        ```python
        def titles():
            with SessionLocal() as session:
                books = session.query(Book).order_by(Book.title).all()
            return [book.title for book in books]
        ```

    Fix safety:
        Never safe: the query is executed earlier than before, and who gets a list can no longer add to the query. Only
        queries and results are fixed that are gone over and nothing else, as far as the function shows; everything else
        is a report that names the line.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_state_management.html#quickie-intro-to-object-states
        - https://docs.sqlalchemy.org/en/20/errors.html#error-bhk3
    """

    code = "ALC105"
    names = _ENDS

    def names_from(self, project: Project) -> Iterable[str]:
        """The names of what opens sessions, context managers of the project included."""
        return project.session_makers

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may open a session, give one for a block, or close it."""
        lives = ctx.ask(SessionLives)
        found = lives.late_uses(ctx.path, call) if _may_concern(call, ctx) else None
        if found is None:
            return
        life, uses = found
        given = [lives.answer(ctx.path, life)]
        for late in uses:
            message, advice = _words(late, life)
            if late.in_place is not None:
                unsafe = "the query is executed earlier, and gives a list"
                yield self.fix(late.node, message, swap(late.in_place, "{_}.all()"), given=given, unsafe=unsafe)
            else:
                yield self.report(late.node, message, missing=advice, given=given)
        met: set[ast.AST] = set()
        for node, late, caller in lives.read_by_callers(ctx.path, life):
            if node not in met:
                met.add(node)
                where = f"{caller.module.path.name}:{line_of(late.node)}"
                message = f"objects of a closed session are returned, and {where} reads {_read(late)}"
                yield self.report(node, f"{message}: DetachedInstanceError", missing=_advice(late), given=given)


def _may_concern(call: ast.Call, ctx: Context) -> bool:
    """A quick look at calls whose name says little."""
    match call.func:
        case ast.Attribute(value=receiver, attr="close" | "aclose" | "remove"):
            answer = ctx.value(receiver)
            return answer is not None and isinstance(answer.value, Session | SessionFactory)
    return True


def _words(late: LateUse, life: SessionLife) -> tuple[str, str]:
    """What is said of a use, and what to do about it."""
    name = life.name or "its session"
    closed = f"line {late.closed} closed {name}"
    match late.kind:
        case "session":
            again = "begins anew and is never closed" if life.opening.reopens else "cannot be used again"
            return f"{name} is used after line {late.closed} closed it, and {again}", "close it behind the last use"
        case "consumed" | "consumed by caller":
            done = "returned to be consumed" if late.kind == "consumed by caller" else "consumed"
            harm = {"query": f", which opens {name} again", "result": ", which raises if it has objects"}.get(
                late.subject, ""
            )
            return f"the {late.subject} is {done} after {closed}{harm}", "make a list of it before"
        case "expired":
            cause = _cause(late)
            return (
                f"what is returned was expired by {cause}, and {closed}: every read raises DetachedInstanceError",
                "read what is needed before the end, refresh() it, or make the session with expire_on_commit=False",
            )
    return f"{_read(late)} is read after {closed}, and is not loaded: DetachedInstanceError", _advice(late)


def _read(late: LateUse) -> str:
    assert isinstance(late.node, ast.Attribute)
    return ast.unparse(late.node)


def _advice(late: LateUse) -> str:
    if late.subject == "relationship":
        assert isinstance(late.node, ast.Attribute)
        return f"read it before, or add .options(selectinload({late.model}.{late.node.attr})) to the query"
    if not late.expired:
        return "read it before, or load it with the query"
    return f"read it before, or refresh() the object behind {_cause(late)}"


def _cause(late: LateUse) -> str:
    return f"the commit in line {late.expired}" if late.expired else "a rollback"
