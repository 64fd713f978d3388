"""MIG204: `as_scalar()`, a select that is compared, `in_(query.subquery())`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.correlation import Correlation
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import (
    Answer,
    ColumnObject,
    Expression,
    FromClause,
    Method,
    ModelAttribute,
    Place,
    Statement,
)

_IN = frozenset({"in_", "notin_", "not_in"})
_CRITERIA = ("filter", "where", "having", "and_", "or_", "not_")
_STARTS = frozenset({"select", "query", "with_entities", "union", "union_all"})


class SubqueryCoercions(Rule):
    """Says what a select inside another statement is: a value, or rows to look in.

    What it does:
        `as_scalar()` becomes `scalar_subquery()`; a select or query that a column is compared with gets
        `.scalar_subquery()`; `in_(query.subquery())` becomes `in_(query)`.

    Why:
        SQLAlchemy 1.4 and later guess what is meant, and warn; `as_scalar()` is deprecated.

    Example:
        ```python
        def newest(session):
            latest = select(func.max(User.id))
            return session.query(User).filter(User.id == latest).one()


        def with_address(session):
            users = session.query(Address.user_id).subquery()
            return session.query(User).filter(User.id.in_(users)).all()
        ```

    Use instead:
        ```python
        def newest(session):
            latest = select(func.max(User.id))
            return session.query(User).filter(User.id == latest.scalar_subquery()).one()


        def with_address(session):
            users = session.query(Address.user_id)
            return session.query(User).filter(User.id.in_(users)).all()
        ```

    Fix safety:
        Safe when the operand is a select or Query; for `in_()` when the subquery is used nowhere else, reads one table
        (and what is joined to it), another one than that of the column, and has no limit. Unsafe else: SQLAlchemy may
        then correlate it, or MySQL refuse it. A report for `as_scalar()` of a subquery, which is no select any more.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_14.html#migration-4617
        - https://docs.sqlalchemy.org/en/20/tutorial/data_select.html#scalar-and-correlated-subqueries
    """

    code = "MIG204"
    names = ("as_scalar", "subquery", *_CRITERIA)
    since = "1.4"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that makes a subquery, or takes criteria."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if name == "as_scalar":
            yield from self._as_scalar(call, ctx)
        elif name == "subquery":
            yield from self._subquery(call, ctx)
        else:
            for compared in _comparisons(call):
                yield from self._compared(compared, ctx)

    def _as_scalar(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Method(owner=Statement(style="select" | "query"))):
                message = "as_scalar() is called scalar_subquery() since SQLAlchemy 1.4"
                yield self.fix(call, message, rename(call.func, "scalar_subquery"), given=[callee])
            case Answer(value=Method(owner=FromClause(kind="subquery" | "alias" | "cte"))):
                message = "as_scalar() of a subquery is deprecated: call scalar_subquery() on the select it was made of"
                yield self.report(call, message, given=[callee])

    def _subquery(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        answer, place = ctx.value(call), ctx.place(call)
        match answer, call.func:
            case Answer(
                value=FromClause(kind="subquery", statement=Statement() as statement)
            ), ast.Attribute() as method:
                pass
            case _:
                return
        if place is None:
            return
        uses = ctx.ask(Usage).of(call, place).every
        looked_in = [use.node for use in uses if _is_looked_in(use.node, use.read)]
        if not looked_in:
            return
        message = "in_() takes a select or query itself, a subquery only with a warning"
        if len(looked_in) < len(uses):
            yield self.report(call, message, missing="the subquery is also used elsewhere", given=[answer])
            return
        compared = [use.func.value for use in looked_in]  # type: ignore[attr-defined]
        doubts = (ctx.ask(Correlation).doubt(statement, place, column) for column in compared)
        unsafe = next((doubt for doubt in doubts if doubt), None)
        yield self.fix(call, message, swap(call, "{query}", query=method.value), given=[answer], unsafe=unsafe)

    def _compared(self, compared: ast.Compare, ctx: Context) -> Iterator[Finding]:
        place = ctx.place(compared)
        for operand in compared.comparators:
            if place is None or not _may_be_statement(operand, place):
                continue
            left, right = ctx.value(compared.left), ctx.value(operand)
            match left, right:
                case Answer(value=ModelAttribute() | ColumnObject() | Expression()), Answer(
                    value=Statement(style="select" | "query")
                ):
                    message = "a select that is compared with a column is a scalar subquery, and is to be made one"
                    edit = swap(operand, "{_}.scalar_subquery()")
                    yield self.fix(operand, message, edit, given=[right, left])


def _is_looked_in(node: ast.AST, read: ast.expr) -> bool:
    """Whether a value is the argument of `in_()` or its kin."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[argument], keywords=[]):
            return name in _IN and argument is read
    return False


def _comparisons(call: ast.Call) -> Iterator[ast.Compare]:
    """The comparisons in the arguments of a call, those in calls that take criteria themselves left out."""
    stack: list[ast.AST] = [*call.args]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Compare):
            yield node
        if isinstance(node, ast.Call) and _last(node.func) in _CRITERIA:
            stack.append(node.func)
        else:
            stack.extend(ast.iter_child_nodes(node))


def _may_be_statement(node: ast.expr, place: Place) -> bool:
    """Whether an operand looks like a select or query, or a local variable that holds one: a cheap look."""
    if isinstance(node, ast.Name):
        owner = place.scope.owner(node.id)
        bindings = owner.bindings[node.id] if owner is not None else []
        return any(isinstance(one.value, ast.Call) and _may_be_statement(one.value, place) for one in bindings)
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Call) and _last(node.func) in _STARTS:
            return True
        node = node.func if isinstance(node, ast.Call) else node.value
    return False


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
