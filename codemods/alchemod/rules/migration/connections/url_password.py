"""MIG111: the text of a URL has no password in SQLAlchemy 2.0."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.uses.flowing import Flowing
from alchemod.inference.values import Answer, LibraryObject, Outside


class UrlPassword(Rule):
    """Asks a URL for its text with the password, where the text opens a connection.

    What it does:
        Replaces `str(engine.url)` by `engine.url.render_as_string(hide_password=False)` where the text goes to
        `create_engine()` or to Alembic's `set_main_option()`, there with `%` doubled.

    Why:
        SQLAlchemy 2.0 writes `***` in the place of the password, so the login fails, far away from here.

    Example:
        ```python
        other = create_engine(str(engine.url))
        ```

    Use instead:
        ```python
        other = create_engine(engine.url.render_as_string(hide_password=False))
        ```

    Fix safety:
        Safe as the argument of `create_engine()` and `set_main_option()`. Unsafe as the argument of other calls that
        may connect. A report where the text leaves the function or is held by a name. Texts that are logged, printed
        or formatted are left alone: there the stars are right.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/whatsnew_20.html
        - https://docs.sqlalchemy.org/en/20/core/engines.html#sqlalchemy.engine.URL.render_as_string
    """

    code = "MIG111"
    names = ("str",)
    since = "1.4"
    tokens = ("url", "URL")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `str()`."""
        match call:
            case ast.Call(func=ast.Name(id="str"), args=[url], keywords=[]):
                answer = ctx.value(url)
            case _:
                return
        if answer is None or answer.value != LibraryObject("URL"):
            return
        message = "str() of a URL hides the password in SQLAlchemy 2.0"
        taker = ctx.ask(Flowing).taker(ctx.path, call)
        template = "{url}.render_as_string(hide_password=False)"
        match taker:
            case ast.Call() if _opens(taker, ctx):
                yield self.fix(call, message, swap(call, template, url=url), given=[answer])
            case ast.Call(func=ast.Attribute(attr="set_main_option" | "set_section_option")):
                doubled = f'{template}.replace("%", "%%")'
                yield self.fix(call, message, swap(call, doubled, url=url), given=[answer])
            case ast.Call(func=ast.Attribute(attr="replace")) if (option := _doubled(taker, ctx)) is not None:
                yield self.fix(call, message, swap(call, template, url=url), given=[answer, option])
            case ast.Call() if not _is_told(taker):
                unsafe = f"whether {ast.unparse(taker.func)}() connects"
                yield self.fix(call, message, swap(call, template, url=url), given=[answer], unsafe=unsafe)
            case ast.Assign() | ast.AnnAssign() | ast.Return() | ast.Dict() | ast.keyword():
                missing = "whether the text opens a connection; then write .render_as_string(hide_password=False)"
                yield self.report(call, message, missing=missing, given=[answer])


_OPENING: Final = frozenset({"create_engine", "create_async_engine", "make_url"})
_TELLING: Final = frozenset(
    {
        *(
            "print",
            "debug",
            "info",
            "warning",
            "error",
            "exception",
            "critical",
            "log",
            "format",
            "join",
            "write",
            "echo",
        ),
        *("startswith", "endswith", "split", "len", "repr", "hash", "find", "sub", "match", "search", "append"),
    }
)
"""The calls for which the stars in the text do no harm."""


def _opens(taker: ast.Call, ctx: Context) -> bool:
    answer = ctx.value(taker.func)
    match answer:
        case Answer(value=Outside(definition=definition)):
            return definition.canonical in _OPENING
    return False


def _doubled(taker: ast.Call, ctx: Context) -> Answer | None:
    """The receiver of a text whose `%` is doubled for Alembic's configuration already."""
    match taker:
        case ast.Call(func=ast.Attribute(value=text), args=[ast.Constant(value="%"), ast.Constant(value="%%")]):
            around = ctx.ask(Flowing).taker(ctx.path, taker)
            is_option = isinstance(around, ast.Call) and ast.unparse(around.func).endswith("set_main_option")
            assert isinstance(text, ast.Call)
            return ctx.value(text.args[0]) if is_option else None
    return None


def _is_told(taker: ast.Call) -> bool:
    name = taker.func.attr if isinstance(taker.func, ast.Attribute) else getattr(taker.func, "id", "")
    return name in _TELLING
