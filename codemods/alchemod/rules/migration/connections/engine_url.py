"""MIG110: URLs of engines: the name of the PostgreSQL dialect, and objects that cannot be changed any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.names.literals import Literals
from alchemod.inference.values import Answer, LibraryObject, Outside


class EngineUrl(Rule):
    """Brings URLs of engines to the form of SQLAlchemy 1.4.

    What it does:
        Replaces `postgres://` by `postgresql://` in the URL of an engine, `URL(...)` by `URL.create(...)`, a change of
        an attribute of a URL by a new URL, and `__to_string__()` by `render_as_string()`.

    Why:
        SQLAlchemy 1.4 knows no dialect called postgres, and its URLs cannot be changed in place.

    Example:
        ```python
        from sqlalchemy.engine.url import URL

        engine = create_engine(URL("sqlite", database="shop.db"))
        ```

    Use instead:
        ```python
        from sqlalchemy.engine.url import URL

        engine = create_engine(URL.create("sqlite", database="shop.db"))
        ```

    Fix safety:
        Safe for literal URLs and for the renamed methods. Unsafe for the change of a URL, which other names may hold. A
        report for URLs from the environment that Heroku and others give in the old form, for URLs held by attributes
        or handed in, and for `translate_connect_args(names)`. URLs that go to other libraries, and texts that are only
        compared, are left alone.

    References:
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html#the-url-object-is-now-immutable
        - https://docs.sqlalchemy.org/en/14/core/engines.html#sqlalchemy.engine.URL.create
    """

    code = "MIG110"
    names = (
        *("create_engine", "create_async_engine", "engine_from_config", "URL", "make_url", "__to_string__"),
        *("translate_connect_args", "SQLALCHEMY_DATABASE_URI"),
        *("drivername", "username", "password", "host", "port", "database", "query"),
    )
    since = "1.4"
    tokens = ("postgres", "URL", "url", "__to_string__")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that takes a URL, makes one, or asks one for its text."""
        answer = ctx.value(call.func)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.canonical in _TAKING and call.args:
                yield from self._dialect(call.args[0], answer, ctx)
            case Answer(value=Outside(definition=definition)) if definition.canonical == "URL":
                yield from self._made(call, answer, ctx)
        match call.func:
            case ast.Attribute(value=receiver, attr="__to_string__" | "translate_connect_args" as name):
                yield from self._told(call, receiver, name, ctx)

    def find_Assign(self, node: ast.Assign, ctx: Context) -> Iterator[Finding]:
        """Looks at one assignment: the URL of Flask-SQLAlchemy's configuration, or an attribute of a URL."""
        match node.targets:
            case [ast.Name(id="SQLALCHEMY_DATABASE_URI")]:
                yield from self._dialect(node.value, None, ctx)
            case [ast.Subscript(slice=ast.Constant(value="SQLALCHEMY_DATABASE_URI"))]:
                yield from self._dialect(node.value, None, ctx)
            case [ast.Attribute(value=owner, attr=part)] if part in _PARTS:
                yield from self._changed(node, owner, part, ctx)

    def _dialect(self, url: ast.expr, answer: Answer | None, ctx: Context) -> Iterator[Finding]:
        given = [answer] if answer is not None else []
        literal = ctx.ask(Literals).of(ctx.path, url)
        if literal is not None and isinstance(literal.value, str) and literal.value.startswith(_OLD):
            rest = literal.value.removeprefix("postgres")
            message = "SQLAlchemy 1.4 knows no dialect called postgres"
            yield self.fix(literal, message, swap(literal, "{url!r}", url=f"postgresql{rest}"), given=given)
        elif literal is None and _is_of_environment(url) and answer is not None:
            message = "the environment may give a URL that begins with postgres://, which SQLAlchemy 1.4 does not know"
            missing = 'the URL; write `.replace("postgres://", "postgresql://", 1)` behind it'
            yield self.report(url, message, missing=missing, given=given, level="note")

    def _made(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        if len(call.args) + len(call.keywords):
            message = "URL(...) raises in SQLAlchemy 2.0; URL.create() takes the same arguments"
            yield self.fix(call, message, swap(call.func, "{_}.create"), given=[answer])

    def _changed(self, node: ast.Assign, owner: ast.expr, part: str, ctx: Context) -> Iterator[Finding]:
        answer = ctx.value(owner)
        if answer is None or answer.value != LibraryObject("URL"):
            return
        message = f"a URL cannot be changed: setting {part} raises in SQLAlchemy 1.4"
        if isinstance(owner, ast.Name) and part != "query" and ctx.ask(Literals).is_variable(ctx.path, owner):
            edit = swap(node, "{url} = {url}.set({part}={value})", url=owner.id, part=part, value=node.value)
            yield self.fix(node, message, edit, given=[answer], unsafe=f"what else holds the URL that {owner.id} holds")
        else:
            missing = f"who holds this URL; write `url = url.set({part}=...)` and hand the new one on"
            yield self.report(node, message, missing=missing, given=[answer])

    def _told(self, call: ast.Call, receiver: ast.expr, name: str, ctx: Context) -> Iterator[Finding]:
        answer = ctx.value(receiver)
        if answer is None or answer.value != LibraryObject("URL"):
            return
        if name == "__to_string__":
            message = "__to_string__() is render_as_string()"
            yield self.fix(call, message, rename(call.func, "render_as_string"), given=[answer])
        elif call.args:
            message = "translate_connect_args() takes keywords: host=..., database=..., username=..."
            yield self.report(call, message, missing="the names of the list as keywords", given=[answer])


_TAKING: Final = frozenset({"create_engine", "create_async_engine", "make_url"})
_OLD: Final = ("postgres://", "postgres+")
_PARTS: Final = frozenset({"drivername", "username", "password", "host", "port", "database", "query"})


def _is_of_environment(url: ast.expr) -> bool:
    """Whether a URL is read from the variable in which hosting services give it."""
    match url:
        case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))):
            return name == "DATABASE_URL"
        case ast.Call(func=ast.Attribute(attr="get" | "getenv"), args=[ast.Constant(value="DATABASE_URL"), *_]):
            return "environ" in ast.unparse(url) or "getenv" in ast.unparse(url)
    return False
