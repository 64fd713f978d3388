"""MIG202: `case([(criterion, value)])` becomes `case((criterion, value))`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from alchemod.edits.verbs import Verb, add_argument, drop, spread, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.inference.resolving.kinds import DICT, LIST, KindsOf
from alchemod.inference.values import Answer, Outside

_MESSAGE = "case() takes its conditions one by one in SQLAlchemy 2.0"
_FORMER = ("value", "else_")
"""The parameters that SQLAlchemy 1.3 took by position after the conditions."""


class CaseList(Rule):
    """Gives `case()` its conditions one by one.

    What it does:
        `case([(criterion, value), ...])` becomes `case((criterion, value), ...)`; a list in a variable becomes
        `*whens`. `case(whens=...)` becomes positional; a dictionary stays one.

    Why:
        SQLAlchemy 2.0 raises ArgumentError for the list and TypeError for `whens=`.

    Example:
        ```python
        import sqlalchemy as sa


        def greeting():
            return select(User.id, sa.case([(User.active == true(), "hello"), (User.name == "root", "sir")]))
        ```

    Use instead:
        ```python
        import sqlalchemy as sa


        def greeting():
            return select(User.id, sa.case((User.active == true(), "hello"), (User.name == "root", "sir")))
        ```

    Fix safety:
        Safe when `case` is SQLAlchemy's and its argument is a list or dictionary, or a variable that surely holds
        one. A report for an empty list, which SQLAlchemy 2.0 refuses, and for what may be a list or a dictionary.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-20-5284
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.case
    """

    code = "MIG202"
    names = ("case",)
    since = "1.4"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `case`."""
        whens, position = _conditions(call)
        if whens is None or isinstance(whens, ast.Starred) or (_is_pair(whens) and position == 0):
            return
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Outside(definition=External(name=dotted, canonical="case"))) if ".future" not in dotted:
                yield from self._judged(call, whens, position, callee, ctx)

    def _judged(
        self, call: ast.Call, whens: ast.expr, position: int | None, callee: Answer, ctx: Context
    ) -> Iterator[Finding]:
        kinds = ctx.ask(KindsOf).of(ctx.path, whens)
        if isinstance(whens, ast.List | ast.Tuple) and not whens.elts:
            yield self.report(call, "case() without conditions is an error in SQLAlchemy 2.0", given=[callee])
        elif kinds == LIST:
            yield self.fix(call, _MESSAGE, *_opened(call, whens, position), *_named(call), given=[callee])
        elif kinds == DICT:
            if position is None:
                edits = _moved(call, whens)
                yield self.fix(
                    call, "case() takes its conditions by position in SQLAlchemy 2.0", *edits, given=[callee]
                )
        elif len(call.args) < 2 and (kinds is None or {"list", "dict"} & kinds):
            missing = f"it is not known whether {ast.unparse(whens)} is a list"
            yield self.report(call, _MESSAGE, missing=missing, given=[callee])


def _conditions(call: ast.Call) -> tuple[ast.expr | None, int | None]:
    """The first argument of `case`, and its position: None when it is given as `whens=`."""
    if call.args:
        return call.args[0], 0
    return next((keyword.value for keyword in call.keywords if keyword.arg == "whens"), None), None


def _is_pair(node: ast.expr) -> bool:
    """Whether an argument is one condition, not a tuple of conditions."""
    return isinstance(node, ast.Tuple) and not all(isinstance(one, ast.Tuple) for one in node.elts)


def _opened(call: ast.Call, whens: ast.expr, position: int | None) -> Iterator[Verb]:
    """The edits that give the conditions of a list one by one."""
    if position == 0:
        yield spread(whens)
        return
    keyword = next(keyword for keyword in call.keywords if keyword.arg == "whens")
    if keyword is call.keywords[0]:
        yield spread(keyword)
    elif isinstance(whens, ast.List | ast.Tuple):
        yield drop(keyword)
        holes: dict[str, Any] = {f"when{index}": when for index, when in enumerate(whens.elts)}
        yield add_argument(call, ", ".join(f"{{{name}}}" for name in holes), **holes)
    else:
        yield drop(keyword)
        yield add_argument(call, "*{whens}", whens=whens)


def _moved(call: ast.Call, whens: ast.expr) -> Iterator[Verb]:
    """The edits that make `whens=` positional."""
    keyword = next(keyword for keyword in call.keywords if keyword.arg == "whens")
    if keyword is call.keywords[0]:
        yield swap(keyword, "{whens}", whens=whens)
    else:
        yield drop(keyword)
        yield add_argument(call, "{whens}", whens=whens)


def _named(call: ast.Call) -> Iterator[Verb]:
    """The edits that name what SQLAlchemy 1.3 took by position after a list."""
    for name, argument in zip(_FORMER, call.args[1:], strict=False):
        yield drop(argument)
        yield add_argument(call, f"{name}={{value}}", value=argument)
