"""MIG201: `select([a, b], where)` becomes `select(a, b).where(where)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import Verb, drop, spread, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.inference.legacy.arguments import SELECT, LegacyArguments
from alchemod.inference.legacy.forms import UnclearError
from alchemod.inference.legacy.tables_by_use import TablesByUse
from alchemod.inference.resolving.kinds import KindsOf
from alchemod.inference.values import Answer, FromClause, Method, Outside, Statement, TableObject

_MESSAGE = "select() takes its columns one by one and nothing else in SQLAlchemy 2.0"


class SelectList(Rule):
    """Gives `select()` its columns one by one, and everything else by methods.

    What it does:
        `select([a, b], where, order_by=c)` becomes `select(a, b).where(where).order_by(c)`; a list in a variable
        becomes `*columns`. `table.select(where)` becomes `table.select().where(where)`, and
        `with_only_columns([a, b])` takes its columns one by one.

    Why:
        SQLAlchemy 2.0 raises ArgumentError for a list of columns and TypeError for the keywords.

    Example:
        ```python
        def names(session, email):
            query = select([User.id, User.name], User.name == email, order_by=[User.id], distinct=True)
            return session.execute(query).all()
        ```

    Use instead:
        ```python
        def names(session, email):
            query = select(User.id, User.name).where(User.name == email).order_by(User.id).distinct()
            return session.execute(query).all()
        ```

    Fix safety:
        Safe when `select` is SQLAlchemy's and the columns are a list, tuple or a variable that surely holds one. Unsafe
        when a criterion may be None, which the old call left out. A report for `**keywords`, for `bind=`, and when it
        is not known whether an argument is a list or a single expression.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-20-5284
        - https://docs.sqlalchemy.org/en/14/core/selectable.html#sqlalchemy.sql.expression.Select.create_legacy_select
    """

    code = "MIG201"
    names = ("select", "with_only_columns")
    since = "1.4"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `select` or `with_only_columns`."""
        if not call.args and not call.keywords:
            return
        callee = ctx.value(call.func)
        if callee is None and isinstance(call.func, ast.Attribute) and call.func.attr == "select":
            table = ctx.ask(TablesByUse).of(ctx.path, call.func.value)
            callee = table.then(Method(table.value, "select")) if table is not None else None
        match callee:
            case Answer(value=Outside(definition=External(name=dotted, canonical="select"))) if _is_legacy(dotted):
                yield from self._function(call, callee, ctx)
            case Answer(value=Method(owner=TableObject() | FromClause(kind="join" | "alias"), name="select")):
                yield from self._translated(call, [], callee, ctx, is_method=True)
            case Answer(value=Method(owner=Statement(style="select"), name="with_only_columns")):
                match call:
                    case ast.Call(args=[columns]) if edit := _one_by_one(columns, ctx):
                        message = f"{_ONLY}; columns of other tables still add these to FROM"
                        yield self.fix(call, message, edit, given=[callee])

    def _function(self, call: ast.Call, callee: Answer, ctx: Context) -> Iterator[Finding]:
        first = call.args[0] if call.args else next((one for one in call.keywords if one.arg == "columns"), None)
        edit = _one_by_one(first, ctx) if first is not None else None
        if edit is None and not call.keywords:
            return
        doubt = None
        if edit is None and first is not None:
            value = first.value if isinstance(first, ast.keyword) else first
            edit, doubt = spread(first), f"it is not known whether {ast.unparse(value)} is a list"
        edits = [edit] if edit is not None else []
        yield from self._translated(call, edits, callee, ctx, doubt, is_method=False)

    def _translated(
        self,
        call: ast.Call,
        edits: list[Verb],
        callee: Answer,
        ctx: Context,
        doubt: str | None = None,
        *,
        is_method: bool,
    ) -> Iterator[Finding]:
        """The finding for a call whose arguments, besides the columns, become methods."""
        try:
            rest = SELECT.rest(call, is_method=is_method)
        except UnclearError as error:
            yield self.report(call, _MESSAGE, missing=str(error), given=[callee])
            return
        translation = ctx.ask(LegacyArguments).translated(ctx.path, rest, SELECT)
        if translation.unclear is not None:
            yield self.report(call, _MESSAGE, missing=translation.unclear, given=[callee])
            return
        edits = [*edits, *(drop(argument.argument) for argument in rest)]
        if translation.links:
            edits.append(swap(call, f"{{_}}{translation.template}", **translation.holes))
        since = translation.since if is_method else "1.4"
        unsafe = doubt or translation.doubt
        yield self.fix(call, _MESSAGE, *edits, given=[callee], unsafe=unsafe, min_version=since)


_ONLY = "with_only_columns() takes its columns one by one in SQLAlchemy 2.0"


def _is_legacy(dotted: str) -> bool:
    """Whether this `select` takes a list of columns in SQLAlchemy 1.4: all but that of `sqlalchemy.future`."""
    return dotted.startswith("sqlalchemy.") and ".future." not in dotted


def _one_by_one(columns: ast.expr | ast.keyword, ctx: Context) -> Verb | None:
    """The edit that gives the columns of a list one by one; None when they are not known to be a list."""
    value = columns.value if isinstance(columns, ast.keyword) else columns
    is_list = not isinstance(value, ast.Starred) and ctx.ask(KindsOf).is_list(ctx.path, value)
    return spread(columns) if is_list else None
