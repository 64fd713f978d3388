"""ALC102: a dependency that returns an open session becomes a generator that closes it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import Verb, block, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.lives import SessionLives
from alchemod.inference.ownership.recipients import Recipients, SessionRecipients


class ProviderReturnsSession(Rule):
    """Turns a dependency that returns an open session into a generator that closes it after the request.

    What it does:
        Replaces the `return` of an open session by a `with` block that yields it, where a framework calls the function
        through `Depends()`. Elsewhere it reports who gets the session and does not close it.

    Why:
        Nobody closes a session that a function opens and returns, unless each caller does. A framework does not: it
        closes what is behind the `yield` of a generator. The connection stays checked out until the garbage collector
        finds the session.

    Example:
        ```python
        from fastapi import Depends


        def get_db():
            return SessionLocal()


        def list_books(db: Session = Depends(get_db)):
            return db.query(Book).all()
        ```

    Use instead:
        ```python
        from fastapi import Depends


        def get_db():
            with SessionLocal() as session:
                yield session


        def list_books(db: Session = Depends(get_db)):
            return db.query(Book).all()
        ```

    Fix safety:
        Never safe: the session is closed after the request, where it was left open, and a background task that goes on
        with it gets another connection. A fix only if every mention of the function is seen and is a `Depends()`;
        otherwise a report. Functions whose callers close the session, that register a clean-up, or that hand out the
        session of a registry are left alone.

    References:
        - https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#opening-and-closing-a-session
    """

    code = "ALC102"

    def names_from(self, project: Project) -> Iterable[str]:
        """The names of session factories and session classes."""
        return project.session_makers

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may open a session."""
        found = ctx.ask(SessionRecipients).of_call(ctx.path, call)
        if found is None:
            return
        life, recipients = found
        if not recipients.injected and not recipients.leaking:
            return
        given = [ctx.ask(SessionLives).answer(ctx.path, life)]
        message = f"{recipients.function.name}() returns a session that nobody closes"
        missing = _obstacle(recipients)
        edits = list(_edits(life, call, ctx)) if not missing else []
        if edits:
            unsafe = "the session is closed after the request"
            yield self.fix(call, message, *edits, given=given, unsafe=unsafe)
        else:
            yield self.report(call, message, missing=missing or "yield it in a `with` block", given=given)


def _obstacle(recipients: Recipients) -> str:
    name = recipients.function.name
    if recipients.leaking:
        return f"{_shown(recipients.leaking)} calls it; write `with {name}() as session:` there"
    if recipients.closing or recipients.others:
        return f"{_shown([*recipients.closing, *recipients.others])} uses it in another way than Depends({name})"
    return "" if recipients.complete else f"not every use of {name}() is seen"


def _shown(places: list[str]) -> str:
    return places[0] if len(places) == 1 else f"{places[0]} (and {len(places) - 1} more)"


def _edits(life: SessionLife, call: ast.Call, ctx: Context) -> Iterator[Verb]:
    place = ctx.place(call)
    function = place.scope.node if place is not None else None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    header = f"{'async ' if life.opening.is_async else ''}with {{maker}} as {{name}}:"
    if life.opening.is_async and isinstance(function, ast.FunctionDef):
        return
    match function.body:
        case [*_, ast.Return(value=value) as returned] if value is call:
            yield swap(returned, header + "\n    yield {name}", maker=call, name="session")
        case [*before, ast.Return(value=ast.Name(id=name)) as returned] if name == life.name:
            opener = next((statement for statement in before if _opens(statement, call)), None)
            if opener is None:
                return
            yield block(opener, returned, header, replaces=(opener,), maker=call, name=name)
            yield swap(returned, "yield {name}", name=name)
        case _:
            return
    if function.returns is not None:
        kind = "AsyncIterator" if isinstance(function, ast.AsyncFunctionDef) else "Iterator"
        yield swap(function.returns, f"{{collections.abc.{kind}}}[{{_}}]")


def _opens(statement: ast.stmt, call: ast.Call) -> bool:
    return isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is call
