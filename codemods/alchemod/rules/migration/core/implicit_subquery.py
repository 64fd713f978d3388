"""MIG205: a select that stands in FROM becomes a subquery in so many words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from alchemod.edits.verbs import Verb, drop, insert, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.inference.legacy.arguments import SELECT, LegacyArguments
from alchemod.inference.legacy.forms import UnclearError
from alchemod.inference.uses.from_uses import FROM_METHODS, FromUses, HeldSelect
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Engine, FromClause, Method, Outside, Statement

_MESSAGE = "a select in FROM has to be made a subquery: SQLAlchemy 2.1 no longer does it by itself"
_LABELS = ".set_label_style({sqlalchemy.LABEL_STYLE_TABLENAME_PLUS_COL}).correlate(None)"


class ImplicitSubquery(Rule):
    """Makes a subquery of a select that stands in FROM.

    What it does:
        A variable whose select is read by `.c`, in `select_from()` or in a join gets `.subquery()` where it is
        assigned; when it is executed too, a second variable holds the subquery. `statement.select()` becomes
        `select(statement.subquery())`, `statement.alias()` becomes `statement.subquery()`; `join.alias()` and the
        function `subquery()` are written out, and a subquery that is executed becomes its select.

    Why:
        SQLAlchemy 1.4 warns, 2.1 raises AttributeError or ArgumentError. An alias of a join is no subquery in 2.0.

    Example:
        ```python
        def emails(session):
            checked = select(Address.email).where(Address.checked == true())
            query = select(checked.c.email).select_from(checked)
            return session.execute(query.order_by(checked.c.email)).all()
        ```

    Use instead:
        ```python
        def emails(session):
            checked = select(Address.email).where(Address.checked == true()).subquery()
            query = select(checked.c.email).select_from(checked)
            return session.execute(query.order_by(checked.c.email)).all()
        ```

    Fix safety:
        Safe for `statement.select()`, `statement.alias()`, the function `subquery()`, and a subquery that is only
        executed. Unsafe for a variable, all reads of which are seen in its function, and for the alias of a join. A
        report when the select comes from elsewhere, and for a select that is joined to a select.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_14.html#change-4617
        - https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
    """

    code = "MIG205"
    names = ("c", "columns", "select", "alias", "subquery", "execute", *sorted(FROM_METHODS))
    since = "1.4"

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at `statement.c`."""
        if node.attr in {"c", "columns"} and isinstance(node.ctx, ast.Load):
            yield from self._in_from(node.value, ctx)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at a call that takes or makes an element of FROM."""
        match call.func:
            case ast.Attribute(attr=name) | ast.Name(id=name):
                pass
            case _:
                return
        if name in FROM_METHODS:
            yield from self._taken(call, name, ctx)
        elif name == "select" and isinstance(call.func, ast.Attribute) and not call.args and not call.keywords:
            yield from self._selected(call, call.func, ctx)
        elif name == "alias" and isinstance(call.func, ast.Attribute):
            yield from self._alias(call, call.func, ctx)
        elif name == "subquery":
            yield from self._function(call, ctx)
            yield from self._executed(call, ctx)

    def _taken(self, call: ast.Call, name: str, ctx: Context) -> Iterator[Finding]:
        for argument in call.args:
            if isinstance(argument, ast.Name | ast.Call) and ctx.ask(FromUses).select(ctx.path, argument):
                receiver = ctx.value(call.func.value) if isinstance(call.func, ast.Attribute) else None
                match receiver:
                    case Answer(value=Statement(style="select")) if name in {"join", "outerjoin"}:
                        message = "select.join() adds a join to the select since SQLAlchemy 1.4: join two subqueries"
                        yield self.report(call, message, given=[receiver])
                    case None if isinstance(call.func, ast.Attribute):
                        pass
                    case _:
                        yield from self._in_from(argument, ctx)

    def _in_from(self, node: ast.expr, ctx: Context) -> Iterator[Finding]:
        answer = ctx.ask(FromUses).select(ctx.path, node)
        if answer is None:
            return
        if isinstance(node, ast.Call):
            reason = "each subquery() makes another element of FROM"
            yield self.fix(node, _MESSAGE, swap(node, "{_}.subquery()"), given=[answer], unsafe=reason)
            return
        held = ctx.ask(FromUses).held(ctx.path, node)
        if held is None:
            yield self.report(node, _MESSAGE, missing="not all uses of the select are seen", given=[answer])
        elif node is held.froms[0]:
            edits = _hoisted(held, ctx)
            reason = "the subquery must be the same one for all of its uses"
            yield self.fix(node, _MESSAGE, *edits, given=[answer], unsafe=reason)

    def _selected(self, call: ast.Call, method: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        answer = ctx.ask(FromUses).select(ctx.path, method.value)
        if answer is None:
            return
        held = ctx.ask(FromUses).held(ctx.path, method.value)
        if isinstance(method.value, ast.Call) or (held is not None and len(held.froms) == 1):
            edit = swap(call, "{sqlalchemy.select}({statement}.subquery())", statement=method.value)
            yield self.fix(call, _MESSAGE, edit, given=[answer])
        else:
            yield from self._in_from(method.value, ctx)

    def _alias(self, call: ast.Call, method: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        callee = ctx.value(method)
        flat = [keyword for keyword in call.keywords if keyword.arg == "flat"]
        match callee:
            case Answer(value=Method(owner=Statement(style="select"))):
                message = "alias() of a select is called subquery() since SQLAlchemy 1.4"
                yield self.fix(call, message, rename(method, "subquery"), *map(drop, flat), given=[callee])
            case Answer(value=Method(owner=FromClause(kind="join"))):
                message = "alias() of a join makes no subquery since SQLAlchemy 2.0"
                if flat:
                    yield self.report(call, message, missing="flat=True makes aliases of its tables", given=[callee])
                    return
                text = f"{{join}}.select(){_LABELS}"
                unsafe = "the columns of the subquery have the names of their tables before their own"
                yield self.fix(
                    call, message, swap(method.value, text, join=method.value), rename(method, "subquery"),
                    given=[callee], unsafe=unsafe,
                )  # fmt: skip

    def _function(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """The function `subquery(name, columns, ...)`."""
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Outside(definition=External(canonical="subquery"))) if len(call.args) > 1:
                pass
            case _:
                return
        message = "the function subquery() is gone in SQLAlchemy 2.0"
        bare = ast.Call(call.func, call.args[1:], call.keywords)
        try:
            rest = SELECT.rest(bare, is_method=False)
        except UnclearError as error:
            yield self.report(call, message, missing=str(error), given=[callee])
            return
        translation = ctx.ask(LegacyArguments).translated(ctx.path, rest, SELECT)
        columns = call.args[1]
        if translation.unclear is not None or not isinstance(columns, ast.List | ast.Tuple):
            missing = translation.unclear or "the columns are not written out here"
            yield self.report(call, message, missing=missing, given=[callee])
            return
        holes: dict[str, Any] = {f"c{index}": column for index, column in enumerate(columns.elts)}
        listed = ", ".join(f"{{{name}}}" for name in holes)
        text = f"{{sqlalchemy.select}}({listed}){translation.template}.subquery({{name}})"
        edit = swap(call, text, name=call.args[0], **holes, **translation.holes)
        yield self.fix(call, message, edit, given=[callee], unsafe=translation.doubt)

    def _executed(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """A subquery that is executed itself."""
        answer, place = ctx.value(call), ctx.place(call)
        match answer, call.func:
            case Answer(value=FromClause(kind="subquery")), ast.Attribute() as method if place is not None:
                pass
            case _:
                return
        uses = ctx.ask(Usage).of(call, place).every
        executed = [use for use in uses if _is_executed(use.node, use.read, ctx)]
        if not executed:
            return
        message = "a subquery is no statement that can be executed since SQLAlchemy 2.0"
        if len(executed) < len(uses):
            yield self.report(call, message, missing="the subquery is also used elsewhere", given=[answer])
        else:
            yield self.fix(call, message, swap(call, "{statement}", statement=method.value), given=[answer])


def _hoisted(held: HeldSelect, ctx: Context) -> Iterator[Verb]:
    """The edits that make a subquery of a select once, for all its uses in FROM."""
    if not held.others:
        yield swap(held.value, "{_}.subquery()")
        return
    old = ast.unparse(held.variable.targets[0])
    name = f"{old}_subquery"
    place = ctx.place(held.variable)
    while place is not None and place.scope.owner(name) is not None:
        name += "_"
    yield insert(f"{name} = {old}.subquery()", after=held.variable)
    yield from (rename(read, name) for read in held.froms)


def _is_executed(node: ast.AST, read: ast.expr, ctx: Context) -> bool:
    """Whether a value is what a connection or engine executes."""
    match node:
        case ast.Call(func=ast.Attribute(attr="execute", value=receiver), args=[first, *_]) if first is read:
            answer = ctx.value(receiver)
            return answer is not None and isinstance(answer.value, Engine)
    return False
