"""ALC211: `and`, `or`, `not`, `is`, `in` and chained comparisons on columns become what reaches the database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from alchemod.edits.verbs import Verb, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.nodes import walk
from alchemod.inference.querying.conditions import TAKING, Conditions
from alchemod.inference.querying.operators import Misread, Operand, Operators
from alchemod.inference.values import Answer


class PythonOperatorOnColumn(Rule):
    """Writes operators of SQLAlchemy where Python's own decide a condition before the database is asked.

    What it does:
        Finds `and`, `or`, `not`, `is`, `in` and chained comparisons on columns in the conditions of a query, and writes
        `and_()`, `or_()`, `~`, `.is_()`, `.in_()`, `.between()` instead.

    Why:
        Python does not let a class overload these operators. `A.x is None` is the constant False, `A.x == 1 and
        A.y == 2` is its first term, `not A.flag` is False: the query runs without an error and gives other rows than it
        says.

    Example:
        ```python
        def unknown(session, ids):
            query = session.query(User).filter(User.name is not None, not User.active)
            return query.filter(User.id in ids or User.name == "root").all()
        ```

    Use instead:
        ```python
        def unknown(session, ids):
            query = session.query(User).filter(User.name.is_not(None), ~User.active)
            return query.filter(or_(User.id.in_(ids), User.name == "root")).all()
        ```

    Fix safety:
        Always unsafe: the fix changes which rows come, on purpose, and may let more of them through. A report where an
        operand of `and` or `or` is not known to be a SQL expression, where `not` stands before a column that is not
        Boolean (NULL or empty?), where the right side of `in` is no list, and where a middle term of a chained
        comparison would have to be evaluated twice. Conditions on Python values (`not flag`, `x or ""`,
        `A.id.in_(ids) if ids else True`) are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/operators.html
        - https://docs.python.org/3/reference/expressions.html#boolean-operations
    """

    code = "ALC211"
    names = TAKING
    level = "error"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at the conditions that one call gets."""
        place = ctx.place(call) if any(_may_hold(part) for part in (*call.args, *call.keywords)) else None
        taken = ctx.ask(Conditions).of(call, place) if place is not None else None
        if taken is None:
            return
        taker, conditions = taken
        for condition in conditions:
            for misread in ctx.ask(Operators).misread(condition, ctx.path):
                yield self._judged(misread, taker, ctx)

    def _judged(self, misread: Misread, taker: Answer, ctx: Context) -> Finding:
        given = [taker, *misread.answers]
        every = [misread, *misread.inner]
        obstacle = next((found for one in every if (found := _obstacle(one)) is not None), None)
        if obstacle is not None:
            return self.report(misread.node, _said(misread), missing=obstacle, given=given)
        edits = [_edit(one) for one in every if not _is_part_of_opposite(one, every)]
        message = f"{_said(misread)}; {_remedy(misread)} leaves it to the database, a behaviour fix"
        return self.fix(misread.node, message, *edits, given=given, unsafe="other rows may come")


def _may_hold(part: ast.AST) -> bool:
    """Whether an argument may be, or hold, one of the operators."""
    if isinstance(part, ast.Name | ast.Starred):
        return True
    for node in walk(part):
        match node:
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return True
            case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()] | [_, _, *_]):
                return True
    return False


def _said(misread: Misread) -> str:
    """What the program does now."""
    code = _short(misread.node)
    if misread.raises:
        return f"{code} raises an error, for only the database knows whether it holds"
    if misread.constant is not None:
        return f"Python decides {code}: it is {misread.constant} for every row"
    if misread.kept is not None:
        return f"of {code} Python keeps only {_short(misread.kept)}"
    return f"Python decides which terms of {code} reach the database"


def _remedy(misread: Misread) -> str:
    match misread.kind:
        case "and" | "or":
            return f"{misread.kind}_()"
        case "not" if not isinstance(part := misread.parts[0][1], Operand) or part.sort != "relationship":
            return "~"
        case "in":
            return "in_()"
        case "not in":
            return "not_in()"
        case "chain":
            return "a term for each comparison"
    return "a comparison in SQL"


def _short(node: ast.expr) -> str:
    code = ast.unparse(node)
    return code if len(code) <= 60 else f"{code[:57]}..."


def _obstacle(misread: Misread) -> str | None:
    """Why it is not known what to write instead."""
    left_node, left = misread.parts[0]
    match misread.kind:
        case "and" | "or" if unknown := next((node for node, part in misread.parts if part is None), None):
            return f"what {_short(unknown)} is, is not known"
        case "not" if isinstance(left, Operand) and left.sort in {"column", "expression"}:
            return f"whether {_short(left_node)} is meant to be NULL, empty or zero"
        case "in" | "not in" if left is None or misread.raises:
            return f"which rows {_short(misread.node)} is meant for"
        case "in" | "not in" if isinstance(left, Operand) and left.sort in {"relationship", "collection"}:
            return f"{_short(left_node)} is a relationship, which has no in_()"
        case "chain" if any(_does_something(node) for node, _ in misread.parts[1:-1]):
            return "a middle term would be evaluated twice"
        case "chain" if not all(isinstance(op, _COMPARING) for op in misread.comparisons):
            return f"which rows {_short(misread.node)} is meant for"
        case "is" | "is not" if isinstance(left, Operand) and left.sort == "collection":
            return f"{_short(left_node)} is a collection: any() asks whether it has members"
    return None


_COMPARING = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip


def _does_something(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Call | ast.Await | ast.NamedExpr | ast.Yield) for part in walk(node))


def _is_part_of_opposite(misread: Misread, every: list[Misread]) -> bool:
    """Whether an outer operator is rewritten with it: `not (A.x is None)`."""
    return any(
        isinstance(other.node, ast.UnaryOp) and other.node.operand is misread.node and other.kind != "not"
        for other in every
    )


def _edit(misread: Misread) -> Verb:
    nodes = [node for node, _ in misread.parts]
    match misread.kind:
        case "and" | "or":
            holes: dict[str, Any] = {f"term{index}": node for index, node in enumerate(nodes)}
            terms = ", ".join(f"{{{name}}}" for name in holes)
            return swap(misread.node, f"{{sqlalchemy.{misread.kind}_}}({terms})", **holes)
        case "not":
            return _negation(misread)
        case "in" | "not in":
            method = "in_" if misread.kind == "in" else "not_in"
            return swap(misread.node, f"{{column}}.{method}({{values}})", column=nodes[0], values=nodes[1])
        case "chain":
            return _chain(misread, nodes)
    return _identity(misread)


def _negation(misread: Misread) -> Verb:
    ((node, part),) = misread.parts
    sort = part.sort if isinstance(part, Operand) else "condition"
    template = {"relationship": "{negated} == None", "collection": "~{negated}.any()"}.get(sort, "~{negated}")
    return swap(misread.node, template, negated=node)


def _identity(misread: Misread) -> Verb:
    """`is` and `is not`: the SQL expression first, whatever stands left of the operator."""
    parts = list(misread.parts)
    if parts[0][1] is None:
        parts.reverse()
    (column, known), (value, _) = parts
    sort = known.sort if isinstance(known, Operand) else "condition"
    equal = misread.kind == "is"
    sign = "==" if equal else "!="
    match value:
        case ast.Constant(value=None) if sort in {"boolean", "column", "expression", "condition"}:
            template = "{column}.is_(None)" if equal else "{column}.is_not(None)"
        case ast.Constant(value=bool(truth)) if sort == "boolean":
            literal = f"{{sqlalchemy.{str(truth).lower()}}}()"
            template = f"{{column}} == {literal}" if equal else f"{{column}}.is_distinct_from({literal})"
        case _:
            template = f"{{column}} {sign} {{value}}"
    return swap(misread.node, template, column=column, value=value)


def _chain(misread: Misread, nodes: list[ast.expr]) -> Verb:
    match nodes, misread.comparisons:
        case [low, column, high], [ast.LtE(), ast.LtE()] if misread.parts[1][1] is not None:
            return swap(misread.node, "{column}.between({low}, {high})", column=column, low=low, high=high)
        case [high, column, low], [ast.GtE(), ast.GtE()] if misread.parts[1][1] is not None:
            return swap(misread.node, "{column}.between({low}, {high})", column=column, low=low, high=high)
    holes: dict[str, Any] = {f"term{index}": node for index, node in enumerate(nodes)}
    pairs = ", ".join(
        f"{{term{index}}} {_SIGNS[type(op)]} {{term{index + 1}}}" for index, op in enumerate(misread.comparisons)
    )
    return swap(misread.node, f"{{sqlalchemy.and_}}({pairs})", **holes)
