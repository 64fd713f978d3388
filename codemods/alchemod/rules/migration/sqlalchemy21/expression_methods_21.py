"""MIG505: methods of expressions that SQLAlchemy 2.1 deprecates: text operators on other types, ARRAY `any()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.mapping.column_types import ColumnTypes
from alchemod.inference.mapping.numbers import INTEGERS
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import (
    Answer,
    Exists,
    Expression,
    FromClause,
    ModelAttribute,
    ModelClass,
    Outside,
    Statement,
)

_LIKES: Final = frozenset(
    {
        *("contains", "startswith", "endswith", "like", "ilike", "icontains", "istartswith", "iendswith"),
        *("notlike", "not_like", "notilike", "not_ilike"),
    }
)
_WITHOUT_TEXT: Final = frozenset(
    {
        *INTEGERS, "Numeric", "NUMERIC", "DECIMAL", "Float", "FLOAT", "REAL", "Double", "DOUBLE", "DOUBLE_PRECISION",
        "Date", "DATE", "DateTime", "DATETIME", "TIMESTAMP", "Time", "TIME", "Interval", "INTERVAL", "Boolean",
        "BOOLEAN", "Uuid", "UUID", "JSON", "JSONB", "INET", "CIDR", "MACADDR",
    }
)  # fmt: skip
"""Types without text operators: "operator classes", SQLAlchemy 2.1 (verified by execution, each with each operator)."""
_ARRAYS: Final = {"any": "any_", "all": "all_", "Any": "any_", "All": "all_"}
_COMPARED: Final = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_TURNED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class ExpressionMethods21(Rule):
    """Replaces methods of SQL expressions that SQLAlchemy 2.1 deprecates.

    What it does:
        `array.any(x)`, `array.all(x)` and `Any(x, array)`, `All(x, array)` of PostgreSQL become comparisons with
        `any_(array)` and `all_(array)`. Text operators such as `like()` on columns of numbers, dates, JSON get a column
        that is taken for a text by `type_coerce()`. `params()` of a condition moves to the statement.

    Why:
        SQLAlchemy 2.1 warns of each of them, and means to refuse them.

    Example:
        ```python
        def with_number(session, digits):
            return session.query(User).filter(User.id.like(digits)).all()
        ```

    Use instead:
        ```python
        def with_number(session, digits):
            return session.query(User).filter(type_coerce(User.id, String).like(digits)).all()
        ```

    Fix safety:
        Safe for `any()` and `all()` of a column that is seen to be an ARRAY; the SQL is the same. Where such a
        comparison may be negated, or the value needs the type of the array, the new form needs SQLAlchemy 2.0. Unsafe
        for text operators, because a cast may be meant, and for `params()`. A report when the type of the column, or
        the statement, is not seen. `relationship.any()`, `contains()` of a JSONB column and `params()` of a statement
        are left alone.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/core/sqlelement.html#sqlalchemy.sql.expression.any_
    """

    code = "MIG505"
    names = (*sorted(_LIKES), *_ARRAYS, "params", "unique_params")
    since = "2.1"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of such a method or function."""
        match call.func:
            case ast.Attribute(value=receiver, attr=name) if name in _LIKES:
                yield from self._text(call, receiver, name, ctx)
            case ast.Attribute(value=receiver, attr="any" | "all" as name):
                yield from self._method(call, receiver, name, ctx)
            case ast.Attribute(value=receiver, attr="params" | "unique_params"):
                yield from self._params(call, receiver, ctx)
            case ast.Name() | ast.Attribute(attr="Any" | "All"):
                answer = ctx.value(call.func)
                match answer:
                    case Answer(value=Outside(definition=definition)) if ".postgresql" in definition.name:
                        name = definition.name.rpartition(".")[2]
                        if name in _ARRAYS and len(call.args) > 1:
                            yield from self._array(call, call.args[1], call.args[0], call.args[2:], name, answer, ctx)

    def _text(self, call: ast.Call, receiver: ast.expr, name: str, ctx: Context) -> Iterator[Finding]:
        if not isinstance(receiver, ast.Attribute | ast.Subscript):
            return
        kind = ctx.ask(ColumnTypes).of(ctx.path, receiver)
        if kind is None or kind.name not in _WITHOUT_TEXT or (kind.name == "JSONB" and name == "contains"):
            return
        message = f"{name}() is for texts, and SQLAlchemy 2.1 deprecates it on a column of type {kind.name}"
        edit = swap(receiver, "{sqlalchemy.type_coerce}({_}, {sqlalchemy.String})")
        unsafe = "whether the database is to cast the column, which cast(column, String) says"
        yield self.fix(call, message, edit, given=[kind.answer], unsafe=unsafe)

    def _method(self, call: ast.Call, receiver: ast.expr, name: str, ctx: Context) -> Iterator[Finding]:
        if not isinstance(receiver, ast.Attribute | ast.Subscript) or not call.args:
            return
        kind = ctx.ask(ColumnTypes).of(ctx.path, receiver)
        if kind is not None and kind.name == "ARRAY":
            yield from self._array(call, receiver, call.args[0], call.args[1:], name, kind.answer, ctx)
        elif kind is None and not isinstance(call.args[0], ast.Compare):
            answer = ctx.value(receiver)
            match answer:
                case Answer(value=ModelAttribute(attribute=attribute)) if attribute.kind == "column":
                    message = f"{name}() of an array is deprecated in SQLAlchemy 2.1"
                    code = f"{ast.unparse(call.args[0])} == {_ARRAYS[name]}({ast.unparse(receiver)})"
                    missing = f"the type of the column is not seen; if it is an ARRAY, write {code}"
                    yield self.report(call, message, missing=missing, given=[answer])

    def _array(
        self, call: ast.Call, array: ast.expr, value: ast.expr, rest: list[ast.expr], name: str, answer: Answer,
        ctx: Context,
    ) -> Iterator[Finding]:  # fmt: skip
        message = f"{name}() of an array is deprecated in SQLAlchemy 2.1: compare with {_ARRAYS[name]}()"
        operator, given = _operator(call, rest, ctx)
        types = ctx.ask(ColumnTypes)
        kind = types.of(ctx.path, array)
        item = types.item(kind) if kind is not None else None
        constant = value.value if isinstance(value, ast.Constant) else value
        if operator is None or constant is None or isinstance(constant, bool) or item in {"Boolean", "BOOLEAN"}:
            missing = "None, True and False are no values to compare so" if operator else "its operator is not known"
            yield self.report(call, message, missing=missing, given=[answer])
            return
        is_first = isinstance(value, ast.Constant) or _is_sql(value, ctx)
        shown = f"{{value}} {operator} {{function}}({{array}})"
        turned = f"{{function}}({{array}}) {_TURNED[operator]} {{value}}"
        template = (shown if is_first else turned).replace("{function}", f"{{sqlalchemy.{_ARRAYS[name]}}}")
        edit = swap(call, template, array=array, value=value)
        unsafe = None if item is not None else "a bool is compared in another way, and the type of the array is unseen"
        if name in {"Any", "All"} and _is_mapped(array, ctx):
            unsafe = f"{name}() raises TypeError for the attribute of a mapped class"
        minimum = None if isinstance(constant, str | int) and _is_criterion(call, ctx) else "2.0"
        yield self.fix(call, message, edit, given=[answer, *given], unsafe=unsafe, min_version=minimum)

    def _params(self, call: ast.Call, receiver: ast.expr, ctx: Context) -> Iterator[Finding]:
        answer = ctx.value(receiver)
        if answer is None or not isinstance(answer.value, Expression | Exists | FromClause):
            return
        message = "params() is for statements, and SQLAlchemy 2.1 deprecates it on other expressions"
        statement = _statement(call, ctx)
        if statement is None or any(isinstance(one, ast.Starred) for one in call.args):
            arguments = ast.unparse(call).rpartition(").params")[2] or "(...)"
            missing = f"which statement it becomes part of; call .params{arguments} on that"
            yield self.report(call, message, missing=missing, given=[answer])
            return
        assert isinstance(call.func, ast.Attribute)
        holes: dict[str, Any] = {"statement": statement}
        listed: list[str] = []
        for number, argument in enumerate([*call.args, *call.keywords]):
            value = argument.value if isinstance(argument, ast.keyword) else argument
            holes[f"value{number}"] = value
            prefix = "" if not isinstance(argument, ast.keyword) else f"{argument.arg}=" if argument.arg else "**"
            listed.append(f"{prefix}{{value{number}}}")
        outer = swap(statement, f"{{statement}}.{call.func.attr}({', '.join(listed)})", **holes)
        inner = swap(call, "{condition}", condition=receiver)
        unsafe = "whether another part of the statement has a parameter of that name"
        yield self.fix(call, message, outer, inner, given=[answer], unsafe=unsafe)


def _operator(call: ast.Call, rest: list[ast.expr], ctx: Context) -> tuple[str | None, list[Answer]]:
    """The comparison that a call asks for, and what it rests on; None when it cannot be written with an operator."""
    if not rest and not call.keywords:
        return "==", []
    named = [keyword.value for keyword in call.keywords if keyword.arg == "operator"]
    if len(rest) + len(call.keywords) != 1 or len(rest) + len(named) != 1:
        return None, []
    answer = ctx.value((rest or named)[0])
    match answer:
        case Answer(value=Outside(definition=definition)) if "operator" in definition.name:
            return _COMPARED.get(definition.name.rpartition(".")[2]), [answer]
    return None, []


def _is_mapped(node: ast.expr, ctx: Context) -> bool:
    """Whether an expression reads an attribute of a mapped class: not a column of its table."""
    owner = ctx.value(node.value) if isinstance(node, ast.Attribute) else None
    return owner is not None and isinstance(owner.value, ModelClass)


def _is_sql(node: ast.expr, ctx: Context) -> bool:
    answer = ctx.value(node)
    return answer is not None and isinstance(answer.value, ModelAttribute | Expression)


def _is_criterion(call: ast.Call, ctx: Context) -> bool:
    """Whether a condition is handed to `where()` as it is, so that nothing negates it."""
    place = ctx.place(call)
    parent = ctx.ask(Usage).around(place).get(call) if place is not None else None
    match parent:
        case ast.Call(func=ast.Attribute(attr="where" | "filter" | "having"), args=arguments):
            return call in arguments
    return False


def _statement(call: ast.Call, ctx: Context) -> ast.Call | None:
    """The call of `where()` to which a condition is handed, on its way through `and_()` and the like."""
    place = ctx.place(call)
    around = ctx.ask(Usage).around(place) if place is not None else {}
    node: ast.AST = call
    while isinstance(parent := around.get(node), ast.expr):
        match parent:
            case ast.Call(func=ast.Attribute(value=statement, attr="where" | "filter" | "having"), args=arguments):
                answer = ctx.value(statement)
                is_statement = answer is not None and isinstance(answer.value, Statement)
                return parent if is_statement and node in arguments else None
            case ast.Call(func=ast.Name(id="and_" | "or_" | "not_")) | ast.BinOp() | ast.UnaryOp():
                node = parent
            case _:
                return None
    return None
