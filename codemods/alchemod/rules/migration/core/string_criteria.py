"""MIG210: texts in `filter()`, `where()`, `having()`, `order_by()` and `group_by()`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from alchemod.edits.verbs import Code, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.querying.named_columns import NamedColumns
from alchemod.inference.resolving.kinds import TEXT, KindsOf
from alchemod.inference.values import Answer, Method, Statement

_CRITERIA = frozenset({"filter", "where", "having"})
_ORDERS = frozenset({"order_by", "group_by"})
_ORDER = re.compile(r"(?:(?P<table>\w+)\.)?(?P<name>\w+)(?:\s+(?P<way>asc|desc))?", re.IGNORECASE)


class StringCriteria(Rule):
    """Says of texts in criteria and orders that they are SQL.

    What it does:
        `filter("id = 1")` becomes `filter(text("id = 1"))`. `order_by("name desc")` becomes
        `order_by(User.name.desc())` where the statement speaks of one class or table that has the column, else
        `order_by(text("name desc"))`.

    Why:
        Since SQLAlchemy 1.4 a text is SQL only when the code says so: such a call raises ArgumentError, or
        CompileError when it is executed.

    Example:
        ```python
        def newest(session):
            return session.query(User).filter("active = 1").order_by("id desc").all()
        ```

    Use instead:
        ```python
        def newest(session):
            return session.query(User).filter(text("active = 1")).order_by(User.id.desc()).all()
        ```

    Fix safety:
        Safe for a text that is written out. A name alone in `order_by()` or `group_by()` is left alone: it may be that
        of a label. A report for a text that is put together, or comes from elsewhere.

    References:
        - https://docs.sqlalchemy.org/en/20/errors.html#textual-sql-expression-should-be-explicitly-declared-as-text
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html
    """

    code = "MIG210"
    names = (*sorted(_CRITERIA), *sorted(_ORDERS))
    since = "1.4"
    min_version = "1.3"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a method that takes criteria or an order."""
        texts = [argument for argument in call.args if _may_be_text(argument)]
        if not texts or not isinstance(call.func, ast.Attribute):
            return
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Method(owner=Statement() as statement, name=method)):
                if not ctx.overrides_query_method(method, statement):
                    for argument in texts:
                        yield from self._text(argument, call, method, callee, ctx)

    def _text(self, argument: ast.expr, call: ast.Call, method: str, callee: Answer, ctx: Context) -> Iterator[Finding]:
        message = f"{method}() takes no text as SQL unless the code says text()"
        if not isinstance(argument, ast.Constant):
            if ctx.ask(KindsOf).of(ctx.path, argument) == TEXT and (method in _CRITERIA or _has_blank(argument)):
                yield self.report(argument, message, missing="the text is not written out here", given=[callee])
            return
        words = str(argument.value).strip()
        order = _ORDER.fullmatch(words) if method in _ORDERS else None
        if not words or (order is not None and not order["table"] and not order["way"]):
            return
        column = None
        if order is not None:
            column = ctx.ask(NamedColumns).code(ctx.path, call, order["table"], order["name"])
        if order is None or column is None:
            edit = swap(argument, "{sqlalchemy.text}({_})")
        else:
            way = f".{order['way'].lower()}()" if order["way"] else ""
            edit = swap(argument, f"{{column}}{way}", column=Code(column))
        yield self.fix(argument, message, edit, given=[callee])


def _may_be_text(argument: ast.expr) -> bool:
    """Whether an argument is a text, or may be one: a cheap look."""
    if isinstance(argument, ast.Constant):
        return isinstance(argument.value, str)
    return isinstance(argument, ast.JoinedStr | ast.Name | ast.BinOp | ast.Call | ast.IfExp | ast.Attribute)


def _has_blank(argument: ast.expr) -> bool:
    """Whether some text inside an expression holds more than a name."""
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\W", node.value)
        for node in ast.walk(argument)
    )
