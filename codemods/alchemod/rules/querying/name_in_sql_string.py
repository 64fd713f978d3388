"""ALC217: a name or a piece of SQL that is put into a statement as text, or SQL that comes from outside."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding, Level
from alchemod.engine.rule import Rule
from alchemod.inference.sql.execution import EXECUTING
from alchemod.inference.sql.origins import Origins
from alchemod.inference.sql.sources import MAKERS, RAW, Filled, SqlSources


class NameInSqlString(Rule):
    """Reports names and pieces of SQL that are put into a statement as text.

    What it does:
        Finds SQL in `text()` and `execute()` into which a table, a column, a sort order or another piece of SQL is put,
        and SQL that comes from a request, a prompt or the command line and is executed as it is.

    Why:
        A name cannot be a bound parameter. Whoever decides about it decides about the statement (SQL injection).

    Example:
        ```python
        def users(session: Session, order):
            return session.execute(text(f"SELECT id FROM users ORDER BY {order}")).all()
        ```

    Use instead:
        ```python
        def users(session: Session, order):
            columns = {"id": User.id, "name": User.name}
            return session.execute(select(User.id).order_by(columns[order])).all()
        ```

    Fix safety:
        No fix is offered: take the column of the model from a dict of the allowed ones, `quoted_name()`, or the
        identifier preparer of the dialect. An error where anything may come in, a
        warning where a longer piece of SQL is put together, a note where every value is looked up among allowed ones.
        Constants, names of models and tables, the schema before a table, and names that are quoted are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.quoted_name
        - https://docs.sqlalchemy.org/en/20/core/tutorial.html#using-textual-sql
    """

    code = "ALC217"
    level = "error"
    names = (*MAKERS, *EXECUTING, RAW)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may get a text of SQL."""
        place = ctx.place(call)
        sources = ctx.ask(SqlSources)
        source = sources.of(call, place) if place is not None else None
        if source is None:
            return
        filled = [found for string in source.strings for found in sources.filled(string)]
        codes = [found for found in filled if _is_code(found)]
        if codes:
            shown = ", ".join(dict.fromkeys(ast.unparse(found.gap.hole.value) for found in codes))
            guarded = ", looked up among allowed values before" if _level(codes) == "note" else ""
            message = f"{shown} is put into the SQL as a name or a piece of it{guarded}; a parameter cannot stand there"
            yield self.report(call, message, given=[source.receiver], level=_level(codes))
        elif not source.strings and ctx.ask(Origins).of(source.argument, source.place) == "outside":
            message = f"{ast.unparse(source.argument)} comes from outside and is executed as SQL"
            yield self.report(call, message, given=[source.receiver])


def _is_code(filled: Filled) -> bool:
    return filled.gap.position in {"name", "fragment"} and filled.origin in {"unknown", "outside", "guarded"}


def _level(codes: Sequence[Filled]) -> Level:
    if all(found.origin == "guarded" for found in codes):
        return "note"
    is_name = any(found.gap.position == "name" or found.origin == "outside" for found in codes)
    return "error" if is_name else "warning"
