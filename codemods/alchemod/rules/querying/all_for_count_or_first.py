"""ALC209: `len(query.all())` becomes `query.count()`, `query.all()[0]` becomes `query.first()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.fetching import Fetch, Fetching


class AllForCountOrFirst(Rule):
    """Lets the database count, or give one row, where all rows are fetched for that.

    What it does:
        Replaces `len(query.all())` by `query.count()` and `query.all()[0]` by `query.first()`; for a `select`, the
        statement counts its rows.

    Why:
        All rows are sent and made into objects, to be counted or dropped.

    Example:
        ```python
        def number_of_books(session, author):
            return len(session.query(Book).filter(Book.author == author).all())
        ```

    Use instead:
        ```python
        def number_of_books(session, author):
            return session.query(Book).filter(Book.author == author).count()
        ```

    Fix safety:
        The length is safe for columns, for a `select`, and for a Query of one class without joins, options or distinct
        whose conditions speak of that class only: a Query gives each object once, however many rows a join makes of it,
        and a count counts the rows. Unsafe for other queries, where a hook may change queries or code runs when objects
        are loaded, and where a test prepares the call on a mock. The first element is unsafe: where there is no row,
        None comes instead of an IndexError. Where that error is caught, the call is left alone, and so are lists that
        are used for more.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/query.html#sqlalchemy.orm.Query.count
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#orm-rows-not-uniquified-by-default
    """

    code = "ALC209"
    names = ("len", "all", "fetchall", "list")
    yields_to = ("ALC208",)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one `len()`."""
        match call:
            case ast.Call(func=ast.Name(id="len"), args=[ast.Call() as rows], keywords=[]) if (
                _may_list(rows) and (place := ctx.place(call)) is not None
            ):
                if (fetch := ctx.ask(Fetching).of(call, place)) is not None:
                    yield self._finding(fetch, "all rows are fetched to be counted, which count() does")

    def find_Subscript(self, node: ast.Subscript, ctx: Context) -> Iterator[Finding]:
        """Looks at one `rows[0]`."""
        match node:
            case ast.Subscript(value=ast.Call() as rows, slice=ast.Constant(value=0), ctx=ast.Load()) if (
                _may_list(rows) and (place := ctx.place(node)) is not None
            ):
                if (fetch := ctx.ask(Fetching).of(node, place)) is not None:
                    yield self._finding(fetch, "all rows are fetched for the first one, which first() gives")

    def _finding(self, fetch: Fetch, message: str) -> Finding:
        edits = [swap(fetch.node, fetch.template, **fetch.holes)]
        if fetch.begin is not None:
            counted = "{sqlalchemy.select}({sqlalchemy.func}.count()).select_from({entity})"
            edits.append(swap(fetch.begin, counted, entity=fetch.begin.args[0]))
        given = [fetch.execution.answer]
        return self.fix(fetch.node, message, *edits, given=given, unsafe=fetch.doubt)


def _may_list(rows: ast.Call) -> bool:
    match rows:
        case ast.Call(func=ast.Attribute(attr="all" | "fetchall"), args=[], keywords=[]):
            return True
        case ast.Call(func=ast.Name(id="list"), args=[_], keywords=[]):
            return True
    return False
