"""ALC220: chained filters, a lone `and_()`, `select().filter()` and `execute().scalars()` in their short form."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, add_argument, rename, spread_call, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Answer, Finding
from alchemod.engine.rule import Rule
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Outside, Session, Statement


class QuerySpelling(Rule):
    """Writes queries in their short form.

    What it does:
        Joins `filter(a).filter(b)` to `filter(a, b)`, opens an `and_()` that is the only argument of a filter, says
        `where()` for `filter()` of a select, and `(await session.scalars(s)).all()` for
        `(await session.execute(s)).scalars().all()`.

    Why:
        One way to say a thing is easier to read and to search for. The SQL stays the same.

    Example:
        ```python
        def grown(session, team):
            return session.query(User).filter(User.active).filter(User.name != "root").all()


        def named(session, name):
            return session.scalars(select(User).filter(User.name == name)).all()
        ```

    Use instead:
        ```python
        def grown(session, team):
            return session.query(User).filter(User.active, User.name != "root").all()


        def named(session, name):
            return session.scalars(select(User).where(User.name == name)).all()
        ```

    Fix safety:
        Safe. Filters are joined where nothing stands between them; where one is called `filter` and the other `where`,
        the first one's name stays. A file in which selects are only filtered by `filter()` keeps its spelling. Unsafe
        where a query class of the project has its own method, and where a test prepares `execute()` on a mock. An empty
        or starred `and_()`, one inside `or_()`, comments between the calls, and selects of several columns are left
        alone.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html
        - https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#sqlalchemy.ext.asyncio.AsyncSession.scalars
    """

    code = "ALC220"
    names = ("filter", "where", "scalars")
    on = False

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one filter, or at the `scalars()` of a result."""
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Await() as result, attr="scalars"), args=[], keywords=[]):
                yield from self._scalars(call, result, ctx)
            case ast.Call(func=ast.Attribute(value=receiver, attr="filter" | "where"), keywords=[]):
                answer = ctx.value(receiver)
                if answer is not None and isinstance(answer.value, Statement):
                    yield from self._filter(call, answer, answer.value, ctx)

    def _filter(self, call: ast.Call, answer: Answer, statement: Statement, ctx: Context) -> Iterator[Finding]:
        assert isinstance(call.func, ast.Attribute)
        own = ctx.overrides_query_method(call.func.attr, statement)
        unsafe = f"a query class of the project has its own {call.func.attr}()" if own else None
        unsafe = unsafe or ctx.unseen_query_class(statement) or None
        if (lone := _lone_and(call, ctx)) is not None:
            message = "and_() as the only condition is what several conditions are"
            yield self.fix(call, message, spread_call(lone), given=[answer], unsafe=unsafe)
        elif call.func.attr == "filter" and statement.style == "select" and not _says_filter(ctx):
            message = "a select is filtered by where()"
            yield self.fix(call, message, rename(call.func, "where"), given=[answer], unsafe=unsafe)
        elif len(chain := _chain(call, ctx)) > 1 and not any(_lone_and(one, ctx) for one in chain):
            message = "filters that follow each other are one filter of several conditions"
            yield self.fix(call, message, *_joined(chain), given=[answer], unsafe=unsafe)

    def _scalars(self, call: ast.Call, result: ast.Await, ctx: Context) -> Iterator[Finding]:
        match result.value:
            case ast.Call(func=ast.Attribute(value=owner, attr="execute") as method, args=[statement, *_]):
                session, given = ctx.value(owner), ctx.value(statement)
            case _:
                return
        if session is None or not isinstance(session.value, Session) or not session.value.is_async:
            return
        if given is not None and isinstance(given.value, Statement) and len(given.value.terms) != 1:
            return
        message = "scalars() of the session gives what execute().scalars() does"
        renamed, dropped = rename(method, "scalars"), swap(call, "{result}", result=result)
        unsafe = ctx.pinned("execute")
        yield self.fix(call, message, renamed, dropped, given=[session], unsafe=unsafe, min_version="1.4.24")


def _lone_and(call: ast.Call, ctx: Context) -> ast.Call | None:
    """The `and_(...)` that is the only argument of a filter, with conditions that are written out."""
    match call.args:
        case [ast.Call(args=[_, *_] as terms, keywords=[]) as lone]:
            made = ctx.value(lone.func)
            starred = any(isinstance(term, ast.Starred) for term in terms)
            is_and = made is not None and isinstance(made.value, Outside) and made.value.canonical == "and_"
            return lone if is_and and not starred else None
    return None


def _chain(call: ast.Call, ctx: Context) -> list[ast.Call]:
    """The filters that follow each other, the first one first; only where `call` is the last of them."""
    chain = [call]
    if not call.args or _is_followed(call, ctx):
        return chain
    while True:
        match chain[0]:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr="filter" | "where")) as before)):
                apart = _has_comment_between(before, chain[0], ctx) or _is_cramped(before, chain[0])
                if before.keywords or not before.args or apart:
                    return chain
                chain.insert(0, before)
            case _:
                return chain


def _is_followed(call: ast.Call, ctx: Context) -> bool:
    """Whether another filter follows, which joins this one too."""
    place = ctx.place(call)
    around = ctx.ask(Usage).around(place) if place is not None else {}
    match around.get(call):
        case ast.Attribute(attr="filter" | "where") as method:
            following = around.get(method)
            plain = isinstance(following, ast.Call) and following.args and not following.keywords
            return bool(plain) and not (_has_comment_between(call, following, ctx) or _is_cramped(call, following))
    return False


def _is_cramped(first: ast.Call, second: ast.AST | None) -> bool:
    """Whether conditions of several lines would join one that stands on the line of its parenthesis."""
    assert isinstance(first.func, ast.Attribute)
    assert isinstance(second, ast.Call)
    on_its_line = any(one.lineno == first.func.end_lineno for one in first.args)
    return on_its_line and any(one.lineno != one.end_lineno for one in (*first.args, *second.args))


def _has_comment_between(first: ast.Call, second: ast.AST | None, ctx: Context) -> bool:
    """Whether a comment stands behind one call of a chain, or inside the next one."""
    assert isinstance(second, ast.Call)
    return b"#" in ctx.source.utf8[ctx.source.span(first)[1] : ctx.source.span(second)[1]]


def _joined(chain: list[ast.Call]) -> Iterator[Verb]:
    first, *others = chain
    for other in others:
        for condition in other.args:
            inner = condition.value if isinstance(condition, ast.Starred) else condition
            yield add_argument(first, "*{condition}" if inner is not condition else "{condition}", condition=inner)
    yield swap(chain[-1], "{first}", first=first)


def _says_filter(ctx: Context) -> bool:
    """Whether the file filters its selects, and nothing else, by `filter()`."""
    text = ctx.source.utf8
    return b".where(" not in text and b".query" not in text and text.count(b".filter(") > 1
