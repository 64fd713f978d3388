"""ALC103: `next(get_db())` becomes a `with` block."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import Verb, block, drop, insert, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.names.spelling import spelling_of_name
from alchemod.inference.ownership.life import SessionLife
from alchemod.inference.ownership.lives import SessionLives
from alchemod.inference.ownership.verdict import Verdict
from alchemod.inference.summaries.providers import Provider, started_by


class SessionFromNext(Rule):
    """Takes a session from a generator by a `with` block, which keeps the generator, instead of by `next()`.

    What it does:
        Replaces `db = next(get_db())` by `with SessionLocal() as db:` where `get_db()` does nothing but open and close
        the session, else by `with contextmanager(get_db)() as db:`. The block reaches to the last use of the session.

    Why:
        Nobody keeps the generator, so it is closed at once: its `finally` runs before the session is used for the first
        time. The session opens itself again and is never closed; a commit behind the `yield` never runs.

    Example:
        ```python
        def get_db():
            with SessionLocal() as db:
                yield db


        def seed():
            db = next(get_db())
            db.add(Book(title="Emma"))
            db.commit()
        ```

    Use instead:
        ```python
        def get_db():
            with SessionLocal() as db:
                yield db


        def seed():
            with SessionLocal() as db:
                db.add(Book(title="Emma"))
                db.commit()
        ```

    Fix safety:
        Never safe: the session is closed where it was left open, and what `get_db()` does behind its `yield` happens
        later than before. A report when the session gets out of the code that takes it, when it is used where the block
        would have closed it, and when `get_db()` is called with arguments.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_basics.html#opening-and-closing-a-session
        - https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/
    """

    code = "ALC103"
    names = ("next", "anext", "__next__", "__anext__")
    tokens = ("next(", "next__(")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that asks a generator for its first element."""
        start = started_by(call)
        lives = ctx.ask(SessionLives)
        judged = lives.of_call(ctx.path, call) if start is not None else None
        provider = judged[0].opening.provider if judged is not None else None
        if start is None or judged is None or provider is None:
            return
        life, verdict = judged
        message = _message(life, provider)
        given = [lives.answer(ctx.path, life)]
        maker = _maker(life, provider, ctx)
        missing = _obstacle(life, verdict, start, maker)
        if missing:
            yield self.report(call, message, missing=missing, given=given)
            return
        edits = _edits(life, provider, maker, start)
        yield self.fix(call, message, *edits, given=given, unsafe=_change(provider, maker))


def _message(life: SessionLife, provider: Provider) -> str:
    name, generator = life.name or "the session", provider.target.name
    if provider.closes:
        return f"{generator}() has closed {name} before it is used, for next() keeps no hold of the generator"
    return f"nobody closes {name}, for next() keeps no hold of the generator {generator}()"


def _maker(life: SessionLife, provider: Provider, ctx: Context) -> str | None:
    """The template that opens the session without the provider, which does nothing else; None where that will not
    do."""
    place, inside = ctx.place(life.site), provider.target.inside
    match provider.maker:
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]) if place is not None and life.opening.enterable:
            owner = inside.scope.owner(name)
            spelled = spelling_of_name(inside.module, name, place, ctx.project)
            if spelled is None or spelled.cycle or (owner is not None and owner.parent is not None):
                return None
            return f"{{{spelled.imported}}}()" if spelled.imported else f"{spelled.code}()"
    return None


def _obstacle(life: SessionLife, verdict: Verdict, start: ast.Call, maker: str | None) -> str:
    write = f"write `with contextmanager({ast.unparse(start.func)})() as {life.name or 'session'}:`"
    if start.args or start.keywords:
        return f"{ast.unparse(start)} is called with arguments"
    if life.in_with or life.closing is not None:
        return "" if maker is not None else write
    if verdict.reason == "escapes":
        return f"{verdict.missing} in line {verdict.line}; who has it from then on has to open and close it"
    if life.plan is None or verdict.kind == "report":
        return f"{verdict.missing}; {write}" if verdict.reason == "no block" else verdict.missing
    return ""


def _edits(life: SessionLife, provider: Provider, maker: str | None, start: ast.Call) -> Iterator[Verb]:
    if life.in_with or life.closing is not None:
        yield swap(life.closing or life.site, maker or "")
        return
    plan = life.plan
    assert plan is not None
    waits = life.opening.is_async if maker is not None else provider.is_async
    wrap = "{contextlib.asynccontextmanager}" if provider.is_async else "{contextlib.contextmanager}"
    header = f"{'async ' if waits else ''}with {maker or wrap + '({provider})()'} as {{name}}:"
    first, last = plan.suite[plan.first], plan.suite[plan.last]
    if plan.annotation is not None:
        yield insert("{name}: {annotation}", before=first, name=plan.name, annotation=plan.annotation)
    yield block(first, last, header, replaces=(plan.opener,), provider=start.func, name=plan.name)
    for statement in plan.removals:
        yield drop(statement)


def _change(provider: Provider, maker: str | None) -> str:
    runs = (
        f", where the commit of {provider.target.name}() runs then"
        if provider.commits != "no" and maker is None
        else ""
    )
    return f"the session is closed at the end of the block{runs}"
