"""MIG203: arguments of `insert()`, `update()`, `delete()`, `exists()`, `union()` and `text()` become methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from alchemod.edits.verbs import Verb, drop, spread, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.inference.legacy.arguments import (
    COMPOUND,
    DELETE,
    EXISTS,
    INSERT,
    ORDERED_UPDATE,
    SELECT,
    TEXT,
    UPDATE,
    Constructor,
    LegacyArguments,
)
from alchemod.inference.legacy.forms import Named, UnclearError
from alchemod.inference.legacy.tables_by_use import TablesByUse
from alchemod.inference.resolving.kinds import LIST, KindsOf
from alchemod.inference.values import Answer, Exists, Method, Outside, Statement, TableObject

_CHANGING = {"insert": INSERT, "update": UPDATE, "delete": DELETE}
_COMPOUND = frozenset({"union", "union_all", "intersect", "intersect_all", "except_", "except_all"})
_FUNCTIONS = {**_CHANGING, **dict.fromkeys(_COMPOUND, COMPOUND), "exists": EXISTS, "text": TEXT}


class ConstructorArguments(Rule):
    """Gives statements their parts by methods, not by arguments of the constructor.

    What it does:
        `table.insert(values)`, `update(table, where, values=...)`, `delete(table, where)`, `union(a, b, order_by=c)`
        and `exists([column], where)` become `table.insert().values(values)`, `update(table).where(where).values(...)`
        and so on; the old arguments of `text()` too. Options of a dialect go through `with_dialect_options()`.

    Why:
        SQLAlchemy 2.0 raises TypeError for these arguments.

    Example:
        ```python
        def forget(session, name):
            users = User.__table__
            session.execute(users.update(users.c.name == name, {"active": False}))
            session.execute(users.delete(users.c.active == false()))
        ```

    Use instead:
        ```python
        def forget(session, name):
            users = User.__table__
            session.execute(
                users.update().where(users.c.name == name).values({"active": False})
            )
            session.execute(users.delete().where(users.c.active == false()))
        ```

    Fix safety:
        Safe when the constructor is SQLAlchemy's, or the method that of a known table. Unsafe when a criterion or the
        values may be None, which was left out. A report for `**keywords`, for `bind=`, and for values in a dictionary
        whose order is to be kept.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-20-5284
        - https://docs.sqlalchemy.org/en/14/core/dml.html
    """

    code = "MIG203"
    names = (*sorted(_FUNCTIONS), "select")
    since = "1.4"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a constructor."""
        if not call.keywords and not call.args:
            return
        callee = ctx.value(call.func)
        if callee is None and isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGING:
            table = ctx.ask(TablesByUse).of(ctx.path, call.func.value)
            callee = table.then(Method(table.value, call.func.attr)) if table is not None else None
        match callee:
            case Answer(value=Outside(definition=External(name=dotted, canonical=str() as name))):
                if name in _FUNCTIONS and dotted.startswith("sqlalchemy.") and ".func." not in dotted:
                    yield from self._function(call, name, callee, ctx)
            case Answer(value=Method(owner=TableObject(), name=name)) if name in _CHANGING:
                yield from self._translated(call, name, _CHANGING[name], [], callee, ctx, is_method=True)
            case Answer(value=Method(owner=Exists(), name="select")):
                yield from self._translated(call, "select", SELECT, [], callee, ctx, is_method=True)
            case Answer(value=Method(owner=Statement(style="select"), name=name)) if name in _COMPOUND:
                if call.keywords:
                    yield from self._compound(call, name, callee, ctx)

    def _function(self, call: ast.Call, name: str, callee: Answer, ctx: Context) -> Iterator[Finding]:
        if name in _COMPOUND:
            if call.keywords or isinstance(call.args[0], ast.List | ast.Tuple):
                yield from self._compound(call, name, callee, ctx)
        elif name == "exists":
            yield from self._exists(call, callee, ctx)
        else:
            yield from self._translated(call, name, _FUNCTIONS[name], [], callee, ctx, is_method=False)

    def _exists(self, call: ast.Call, callee: Answer, ctx: Context) -> Iterator[Finding]:
        """`exists()` takes one thing, which may be a select, and no bare number."""
        if not call.args:
            return
        kinds = ctx.ask(KindsOf).of(ctx.path, call.args[0])
        message = "exists() takes one column or select in SQLAlchemy 2.0"
        if kinds == LIST:
            edits = list(_one_thing(call.args[0]))
            yield from self._translated(call, "exists", EXISTS, edits, callee, ctx, is_method=False)
        elif len(call.args) > 1 and not call.keywords and kinds is not None and "list" not in kinds:
            yield self.fix(call, message, _selected(call.args), *map(drop, call.args[1:]), given=[callee])
        elif len(call.args) > 1 or call.keywords:
            missing = f"it is not known whether {ast.unparse(call.args[0])} is a list"
            yield self.report(call, message, missing=missing, given=[callee])

    def _compound(self, call: ast.Call, name: str, callee: Answer, ctx: Context) -> Iterator[Finding]:
        """A set of statements given one by one (a list never worked since 1.4), with keywords."""
        bare = ast.Call(call.func, [], call.keywords)
        edits: list[Verb] = [spread(one) for one in call.args if isinstance(one, ast.List | ast.Tuple)]
        yield from self._judged(call, name, COMPOUND, bare, edits, callee, ctx, is_method=False)

    def _translated(
        self,
        call: ast.Call,
        name: str,
        constructor: Constructor,
        edits: list[Verb],
        callee: Answer,
        ctx: Context,
        *,
        is_method: bool,
    ) -> Iterator[Finding]:
        if constructor is UPDATE and _is_true(call, "preserve_parameter_order"):
            constructor = ORDERED_UPDATE
        yield from self._judged(call, name, constructor, call, edits, callee, ctx, is_method=is_method)

    def _judged(
        self,
        call: ast.Call,
        name: str,
        constructor: Constructor,
        read: ast.Call,
        edits: list[Verb],
        callee: Answer,
        ctx: Context,
        *,
        is_method: bool,
    ) -> Iterator[Finding]:
        message = f"{name}() takes no more than what it is about in SQLAlchemy 2.0: methods take the rest"
        try:
            rest = constructor.rest(read, is_method=is_method)
        except UnclearError as error:
            yield self.report(call, message, missing=str(error), given=[callee])
            return
        if not rest and not edits:
            return
        translation = ctx.ask(LegacyArguments).translated(ctx.path, rest, constructor)
        unclear = translation.unclear or _lost_order(constructor, rest)
        if unclear is not None:
            yield self.report(call, message, missing=unclear, given=[callee])
            return
        edits = [*edits, *(drop(argument.argument) for argument in rest)]
        if translation.links:
            edits.append(swap(call, f"{{_}}{translation.template}", **translation.holes))
        yield self.fix(call, message, *edits, given=[callee], unsafe=translation.doubt, min_version=translation.since)


def _one_thing(columns: ast.expr) -> Iterator[Verb]:
    """The edit that makes one thing of a list of columns."""
    match columns:
        case ast.List(elts=[column]) | ast.Tuple(elts=[column]) if not isinstance(column, ast.Starred | ast.Constant):
            yield spread(columns)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            if elements:
                yield _selected(elements, columns)
        case _:
            yield swap(columns, "{sqlalchemy.select}(*{columns})", columns=columns)


def _selected(columns: Sequence[ast.expr], target: ast.expr | None = None) -> Verb:
    """The edit that puts a select of some columns in the place of `target`, or of the first of them."""
    parts: list[str] = []
    holes: dict[str, Any] = {}
    for index, column in enumerate(columns):
        parts.append(f"{'*' if isinstance(column, ast.Starred) else ''}{{c{index}}}")
        holes[f"c{index}"] = column.value if isinstance(column, ast.Starred) else column
    return swap(target or columns[0], f"{{sqlalchemy.select}}({', '.join(parts)})", **holes)


def _is_true(call: ast.Call, name: str) -> bool:
    return any(
        keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in call.keywords
    )


def _lost_order(constructor: Constructor, rest: list[Named]) -> str | None:
    """Why the order of an update's values cannot be kept."""
    if constructor is ORDERED_UPDATE and not any(argument.name == "values" for argument in rest):
        return "values() has to become ordered_values(), and is called elsewhere"
    return None
