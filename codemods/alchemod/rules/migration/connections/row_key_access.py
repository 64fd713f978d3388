"""MIG107: rows that are used as mappings."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.rows_as_mappings import RowsAsMappings
from alchemod.inference.uses.iterating import is_only_iterated
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, ColumnObject, Expression, ModelAttribute, Row


class RowKeyAccess(Rule):
    """Asks the mapping of a row where the row itself was asked by name.

    What it does:
        Replaces `row["name"]`, `row[table.c.name]`, `row.keys()`, `row.items()`, `row.values()`, `row.has_key(...)`,
        `dict(row)`, `{**row}` and `"name" in row` by the same on `row._mapping`. Where `items()` and `values()` are not
        only gone through, `list()` makes lists of the views that a mapping gives.

    Why:
        Rows of SQLAlchemy 2.0 are tuples: a name as index raises TypeError, and `in` looks at the values.

    Example:
        ```python
        def names():
            with engine.connect() as connection:
                rows = connection.execute(text("select name from users"))
                return [row["name"] for row in rows]
        ```

    Use instead:
        ```python
        def names():
            with engine.connect() as connection:
                rows = connection.execute(text("select name from users"))
                return [row._mapping["name"] for row in rows]
        ```

    Fix safety:
        Safe for rows whose result is seen. `in` is safe for rows of connections only, and where no engine of the
        project is a future one: other rows look at values already. Unsafe for rows that are handed in, and for methods
        that the code asks the row for with `hasattr()`. A report where an index may be a name or a position, and where
        a loop over a row takes what it gives for keys. Rows of `mappings()`, positions and slices are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#result-rows-act-like-named-tuples
        - https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Row._mapping
    """

    code = "MIG107"
    names = ("execute", "exec_driver_sql", "query", "fetchone", "fetchall", "first", "one", "all", "Row", "RowProxy")
    since = "1.4"
    tokens = ("[", "keys", "items", "values", "dict", "**", " in ")

    def find_Module(self, module: ast.Module, ctx: Context) -> Iterator[Finding]:
        """Looks at all of a file that executes something: its rows may be used anywhere in it."""
        for node in ast.walk(module):
            match node:
                case ast.Subscript():
                    yield from self._subscript(node, ctx)
                case ast.Call():
                    yield from self._call(node, ctx)
                case ast.Dict():
                    yield from self._dict(node, ctx)
                case ast.Compare():
                    yield from self._compare(node, ctx)
                case ast.For():
                    yield from self._for(node, ctx)

    def _subscript(self, node: ast.Subscript, ctx: Context) -> Iterator[Finding]:
        if not isinstance(node.ctx, ast.Load) or not _may_be_name(node.slice):
            return
        answer = _row(node.value, ctx)
        if answer is None:
            return
        if _is_key(node.slice, ctx):
            message = f"a row has no key {ast.unparse(node.slice)} in SQLAlchemy 2.0, its mapping does"
            yield self.fix(node, message, swap(node.value, "{_}._mapping"), given=[answer])
        elif not ctx.ask(RowsAsMappings).is_position(ctx.path, node.slice):
            missing = f"whether {ast.unparse(node.slice)} is a name or a position"
            yield self.report(
                node, "a row has no keys in SQLAlchemy 2.0, its mapping does", missing=missing, given=[answer]
            )

    def _call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        match call:
            case ast.Call(func=ast.Attribute(value=row, attr=name), args=[], keywords=[]) if name in _METHODS:
                if (answer := _row(row, ctx)) is not None:
                    method = _METHODS[name]
                    message = f"a row has no {name}() in SQLAlchemy 2.0, its mapping has {method}()"
                    given = f"{{row}}._mapping.{method}()"
                    if (made := _MADE.get(name)) is not None and not _is_only_iterated(call, ctx):
                        given = f"{made}({given})"
                    edit = swap(call, given, row=row)
                    yield self.fix(call, message, edit, given=[answer], unsafe=_asked_for(name, row, ctx))
            case ast.Call(func=ast.Attribute(value=row, attr="has_key"), args=[key], keywords=[]):
                if (answer := _row(row, ctx)) is not None:
                    message = "a row has no has_key() in SQLAlchemy 2.0"
                    yield self.fix(
                        call, message, swap(call, "{key} in {row}._mapping", key=key, row=row), given=[answer]
                    )
            case ast.Call(func=ast.Name(id="dict"), args=[row]):
                yield from self._unpacked(row, ctx)
        for keyword in call.keywords:
            if keyword.arg is None:
                yield from self._unpacked(keyword.value, ctx)

    def _dict(self, node: ast.Dict, ctx: Context) -> Iterator[Finding]:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                yield from self._unpacked(value, ctx)

    def _compare(self, node: ast.Compare, ctx: Context) -> Iterator[Finding]:
        match node:
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[row]) if _may_be_name(key):
                answer = _row(row, ctx)
            case _:
                return
        if answer is None or not _is_key(key, ctx):
            return
        if not ctx.ask(RowsAsMappings).is_of_connection(ctx.path, row):
            return
        future = ctx.ask(RowsAsMappings).future_engine
        unsafe = f"{future} makes an engine whose rows look at values already" if future else None
        message = "`in` looks at the keys of a row up to 1.4 and at its values in SQLAlchemy 2.0"
        yield self.fix(node, message, swap(row, "{_}._mapping"), given=[answer], unsafe=unsafe)

    def _for(self, node: ast.For, ctx: Context) -> Iterator[Finding]:
        match node:
            case ast.For(target=ast.Name(id=key), iter=ast.Name(id=row)) if _takes(row, key, node.body):
                answer = _row(node.iter, ctx)
            case _:
                return
        if answer is not None:
            message = f"a loop over a row gives values, and {row}[{key}] takes them for keys"
            yield self.report(node.iter, message, missing=f"write {row}._fields, or {row}._mapping", given=[answer])

    def _unpacked(self, row: ast.expr, ctx: Context) -> Iterator[Finding]:
        answer = _row(row, ctx)
        if answer is not None:
            message = "a row is no mapping in SQLAlchemy 2.0, it has one"
            yield self.fix(row, message, swap(row, "{_}._mapping"), given=[answer])


_METHODS: Final = {
    **{name: name for name in ("keys", "items", "values")},
    **{f"iter{name}": name for name in ("keys", "items", "values")},
}
"""Methods of rows up to 1.4, and what their mappings call them."""
_MADE: Final = {"items": "list", "values": "list", "iterkeys": "iter", "itervalues": "iter", "iteritems": "iter"}
"""What makes of the view that a mapping gives what the method of the row gave; `keys()` of rows of 1.4 is a view."""


def _is_only_iterated(call: ast.Call, ctx: Context) -> bool:
    place = ctx.place(call)
    return place is not None and is_only_iterated(call, ctx.ask(Usage).around(place))


def _asked_for(method: str, row: ast.expr, ctx: Context) -> str | None:
    """Why a call depends on a guard that asks the row itself for the method; None if there is no such guard."""
    asked = ast.unparse(row)
    for node in ast.walk(ctx.tree):
        match node:
            case ast.Call(func=ast.Name(id="hasattr"), args=[subject, ast.Constant(value=name)]) if name == method:
                if ast.unparse(subject) == asked:
                    return f"hasattr({asked}, {method!r}) is False in SQLAlchemy 2.0"
    return None


def _takes(row: str, key: str, body: Sequence[ast.stmt]) -> bool:
    """Whether some code takes `row[key]`."""
    for statement in body:
        for part in ast.walk(statement):
            match part:
                case ast.Subscript(value=ast.Name(id=value), slice=ast.Name(id=index)) if (value, index) == (row, key):
                    return True
    return False


def _row(node: ast.expr, ctx: Context) -> Answer | None:
    if not isinstance(node, ast.Name | ast.Subscript | ast.Call | ast.Attribute):
        return None
    answer = ctx.value(node)
    return answer if answer is not None and isinstance(answer.value, Row) else None


def _may_be_name(index: ast.expr) -> bool:
    if isinstance(index, ast.Slice | ast.UnaryOp):
        return False
    return not isinstance(index, ast.Constant) or isinstance(index.value, str)


def _is_key(node: ast.expr, ctx: Context) -> bool:
    """Whether a node is a name of a column, or a column."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.JoinedStr):
        return True
    answer = ctx.value(node)
    return answer is not None and isinstance(answer.value, ColumnObject | ModelAttribute | Expression)
