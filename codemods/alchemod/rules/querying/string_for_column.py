"""ALC212: a string or a piece of SQL where a column of a mapped class belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.engine.spelled import spelled
from alchemod.inference.sql.fragments import CRITERIA, ORDERS, FoundColumn, Fragment, Fragments
from alchemod.inference.values import Answer, Place, Statement


class StringForColumn(Rule):
    """Writes the column where a statement is given its name, or a piece of SQL that says no more.

    What it does:
        Replaces `order_by("name")`, `order_by(desc("name"))` and `order_by(text("name DESC"))` by the column of the
        only class of the statement. Reports other pieces of SQL, and comparisons of a string in Python, such as
        `filter("name" != None)`, which are the same for every row.

    Why:
        A name in a string is not renamed with the column, type checkers and searches do not see it, and a typing error
        shows only when the statement runs.

    Example:
        ```python
        def users(session):
            return session.query(User).order_by("name").all()
        ```

    Use instead:
        ```python
        def users(session):
            return session.query(User).order_by(User.name).all()
        ```

    Fix safety:
        Always unsafe: in a statement that gets columns or labels later the name could stand for these. A report when a
        second class may have the name, when the text says more than a column and its direction, and, as an error, for
        a comparison that Python makes. Names of labels, texts with parameters, and strings that SQLAlchemy 2.0 refuses
        (MIG210) are left alone.

    References:
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.text
        - https://docs.sqlalchemy.org/en/20/tutorial/data_select.html#ordering-or-grouping-by-a-label
    """

    code = "ALC212"
    names = (*CRITERIA, *ORDERS)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call of a method of a statement."""
        if not isinstance(call.func, ast.Attribute) or not any(map(_may_be_text, call.args)):
            return
        place = ctx.place(call)
        answer = ctx.value(call.func.value)
        if place is None or answer is None or not isinstance(answer.value, Statement):
            return
        fragments = ctx.ask(Fragments)
        look = fragments.in_order if call.func.attr in ORDERS else fragments.in_criterion
        for argument in call.args:
            fragment = look(argument, place)
            if fragment is not None:
                yield from self._judged(fragment, call, answer, fragments, place)

    def _judged(
        self, fragment: Fragment, call: ast.Call, answer: Answer, fragments: Fragments, place: Place
    ) -> Iterator[Finding]:
        shown = ast.unparse(fragment.node)
        if fragment.kind == "constant":
            message = f"{shown} is decided by Python, the same for every row: write the column (getattr() by its name)"
            yield self.report(fragment.node, message, given=[answer], level="error")
            return
        column = fragments.column(fragment, answer, call, place)
        if isinstance(column, FoundColumn):
            message = f"{shown} names a column of {column.entity.model.name} by a string"
            owner, holes = spelled(column.spelling, "cls")
            direction = f".{column.direction}()" if column.direction else ""
            edit = swap(fragment.node, f"{owner}.{column.attribute}{direction}", **holes)
            unsafe = "a label of the statement that is called so would be meant before the column"
            yield self.fix(fragment.node, message, edit, given=[answer], unsafe=unsafe)
        elif fragment.kind == "text" and ":" not in fragment.text:
            message = f"{shown} is a piece of SQL where an expression belongs"
            yield self.report(fragment.node, message, missing=column, given=[answer], level="note")
        elif column is not None:
            message = f"{shown} names a column by a string"
            yield self.report(fragment.node, message, missing=column, given=[answer])


def _may_be_text(argument: ast.expr) -> bool:
    """Whether an argument may hold a string, cheaply."""
    match argument:
        case ast.Constant(value=str()) | ast.Compare(left=ast.Constant() | ast.JoinedStr()):
            return True
        case ast.Compare(comparators=[ast.Constant(value=str()) | ast.JoinedStr()]):
            return True
        case ast.Call(args=[ast.Constant(value=str()) | ast.Name() | ast.Call()]):
            return True
    return False
