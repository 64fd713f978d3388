"""Expressions of SQL as code: columns, literals, operators, functions, CASE, subqueries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlglot import exp

from alchemod.inference.sql.emitter.refusal import RefusedError, check_parts
from alchemod.inference.sql.emitter.schema import Scope

Write: TypeAlias = Callable[["Writer", Any], str]


@dataclass(slots=True)
class Writer:
    """Writes the expressions of one scope as a template.

    `values` gives the template code for a parameter whose value is known; one that is not stays a `bindparam()`.
    `select` writes a subquery. `converting` collects the columns in results whose types convert values, `parameters`
    the names of those that are written.
    """

    scope: Scope
    values: Mapping[str, str]
    select: Callable[[exp.Select, Scope], str]
    converting: list[str] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)

    def write(self, node: exp.Expr) -> str:
        """The code of an expression. Raises RefusedError, naming the node, when it is not in the table."""
        writer = WRITERS.get(type(node))
        if writer is None:
            name = f"{node.name}()" if isinstance(node, exp.Anonymous) else type(node).__name__
            raise RefusedError(f"{name} is not written")
        check_parts(node, PARTS.get(type(node), _OPERANDS))
        return writer(self, node)

    def operand(self, node: exp.Expr) -> str:
        """The code of an operand of a Python operator, in parentheses where it is an operation itself."""
        return f"({self.write(node)})" if isinstance(_bare(node), _OPERATIONS) else self.write(node)

    def left(self, node: exp.Expr) -> str:
        """The code of a left operand: a value becomes an expression, so that the operator is SQLAlchemy's."""
        inner = _bare(node)
        if isinstance(inner, exp.Literal | exp.Neg) or (isinstance(inner, exp.Placeholder) and self.is_known(inner)):
            return f"{{sqlalchemy.literal}}({self.write(inner)})"
        return self.operand(node)

    def is_known(self, node: exp.Placeholder) -> bool:
        """Whether the value of a parameter is seen where the statement is executed."""
        return str(node.this) in self.values


def _bare(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def literal(value: object) -> str:
    """A Python value in a template; texts in double quotes, as formatters want them."""
    code = repr(value)
    if code.startswith("'") and '"' not in code:
        code = '"' + code[1:-1] + '"'
    return code.replace("{", "{{").replace("}", "}}")


def _literal(_: Writer, node: exp.Literal) -> str:
    if node.is_string:
        return literal(node.this)
    text = str(node.this)
    return text if text.isdigit() else literal(float(text))


def _column(writer: Writer, node: exp.Column) -> str:
    if isinstance(node.this, exp.Star):
        raise RefusedError("a star stands inside an expression")
    source, column = writer.scope.column(node.name, node.table)
    return source.column(column)


def _placeholder(writer: Writer, node: exp.Placeholder) -> str:
    name = str(node.this or "")
    if not name.isidentifier():
        raise RefusedError("a parameter without a name is not written")
    writer.bound.add(name)
    return writer.values.get(name) or f'{{sqlalchemy.bindparam}}("{name}")'


def _comparison(sign: str) -> Write:
    def write(writer: Writer, node: exp.Binary) -> str:
        left, right = _bare(node.this), _bare(node.expression)
        if isinstance(left, exp.Null) or isinstance(right, exp.Null):
            raise RefusedError("a comparison with NULL by an operator is never true")
        _check_values(writer, left, right)
        return f"{writer.left(node.this)} {sign} {writer.operand(node.expression)}"

    return write


def _check_values(writer: Writer, *operands: exp.Expr) -> None:
    """Refuse a column that is compared with a value where its type would convert the value."""
    columns = [operand for operand in operands if isinstance(operand, exp.Column)]
    values = [one for one in operands if isinstance(one, exp.Literal | exp.Placeholder | exp.Boolean | exp.Neg)]
    if values and not columns and len(values) == len(operands):
        raise RefusedError("a condition on values alone is not written")
    for node in columns if values else ():
        _, column = writer.scope.column(node.name, node.table)
        conversion = writer.scope.schema.conversion(column)
        is_flag = all(isinstance(value, exp.Boolean) for value in values)
        if conversion != "plain" and not (conversion == "text" and is_flag):
            raise RefusedError(f"the type of {node.name} converts the value it is compared with")


def _arithmetic(sign: str) -> Write:
    def write(writer: Writer, node: exp.Binary) -> str:
        return f"{writer.left(node.this)} {sign} {writer.operand(node.expression)}"

    return write


def _like(writer: Writer, node: exp.Like, *, negated: bool = False) -> str:
    negated = negated != bool(node.args.get("negate"))
    return _method("not_like" if negated else "like")(writer, node)


def _method(name: str) -> Write:
    def write(writer: Writer, node: exp.Binary) -> str:
        _check_values(writer, _bare(node.this), _bare(node.expression))
        return f"{writer.left(node.this)}.{name}({writer.write(node.expression)})"

    return write


def _connector(function: str) -> Write:
    def write(writer: Writer, node: exp.Connector) -> str:
        parts = ", ".join(writer.write(part) for part in flattened(node))
        return f"{{sqlalchemy.{function}}}({parts})"

    return write


def flattened(node: exp.Expr) -> list[exp.Expr]:
    """The terms of a chain of one connector."""
    kind = type(node)
    terms: list[exp.Expr] = []
    pending = [node]
    while pending:
        current = pending.pop()
        inner = _bare(current)
        if type(inner) is kind:
            pending.extend((inner.expression, inner.this))
        else:
            terms.append(current)
    return terms


def _is(writer: Writer, node: exp.Is, *, negated: bool = False) -> str:
    if not isinstance(node.expression, exp.Null):
        raise RefusedError("IS with something else than NULL is not written")
    negated = negated != bool(node.args.get("negate"))
    return f"{writer.left(node.this)}.{'is_not' if negated else 'is_'}(None)"


def _in(writer: Writer, node: exp.In, *, negated: bool = False) -> str:
    method = "not_in" if negated else "in_"
    if isinstance(listed := node.args.get("field"), exp.Placeholder):
        return f"{writer.left(node.this)}.{method}({_listed(writer, listed)})"
    if listed is not None:
        raise RefusedError("IN with something else than a list or a query is not written")
    query = node.args.get("query")
    if query is not None:
        return f"{writer.left(node.this)}.{method}({_query(writer, query)})"
    values = [_bare(value) for value in node.expressions]
    if not values:
        raise RefusedError("an empty IN is not written")
    _check_values(writer, _bare(node.this), *values)
    return f"{writer.left(node.this)}.{method}([{', '.join(map(writer.write, values))}])"


def _listed(writer: Writer, node: exp.Placeholder) -> str:
    """A parameter that stands for a list of values."""
    code = _placeholder(writer, node)
    return code if writer.is_known(node) else f"{code[:-1]}, expanding=True)"


def _between(writer: Writer, node: exp.Between) -> str:
    low, high = node.args["low"], node.args["high"]
    _check_values(writer, _bare(node.this), _bare(low), _bare(high))
    return f"{writer.left(node.this)}.between({writer.write(low)}, {writer.write(high)})"


def _not(writer: Writer, node: exp.Not) -> str:
    match _bare(node.this):
        case exp.In() as inner:
            return _in(writer, inner, negated=True)
        case exp.Is() as inner:
            return _is(writer, inner, negated=True)
        case exp.Like() as inner:
            return _like(writer, inner, negated=True)
        case exp.Exists() | exp.Between() as other:
            return f"~{writer.write(other)}"
    return f"{{sqlalchemy.not_}}({writer.write(_bare(node.this))})"


def _query(writer: Writer, node: exp.Expr) -> str:
    if isinstance(node, exp.Subquery):
        check_parts(node, {"this"}, "a subquery")
    inner = node.this if isinstance(node, exp.Subquery) else node
    if not isinstance(inner, exp.Select):
        raise RefusedError(f"{type(inner).__name__} is not written")
    return writer.select(inner, writer.scope)


def _scalar(writer: Writer, node: exp.Subquery) -> str:
    return f"{_query(writer, node)}.scalar_subquery()"


def _exists(writer: Writer, node: exp.Exists) -> str:
    return f"{{sqlalchemy.exists}}({_query(writer, node.this)})"


def _count(writer: Writer, node: exp.Count) -> str:
    inner = node.this
    if isinstance(inner, exp.Star):
        return "{sqlalchemy.func}.count()"
    if node.expressions:
        raise RefusedError("count() of several columns is not written")
    if isinstance(inner, exp.Distinct):
        if len(inner.expressions) != 1:
            raise RefusedError("count() of several columns is not written")
        return f"{{sqlalchemy.func}}.count({{sqlalchemy.distinct}}({writer.write(inner.expressions[0])}))"
    return f"{{sqlalchemy.func}}.count({writer.write(inner)})"


def _function(name: str) -> Write:
    def write(writer: Writer, node: exp.Func) -> str:
        if isinstance(node.this, exp.Distinct):
            raise RefusedError(f"{name}() of distinct values is not written")
        given = [node.this, *node.expressions, *filter(None, [node.args.get("decimals")])]
        return f"{{sqlalchemy.func}}.{name}({', '.join(map(writer.write, given))})"

    return write


def _case(writer: Writer, node: exp.Case) -> str:
    if node.this is not None:
        raise RefusedError("CASE with a value to compare is not written")
    for when in node.args["ifs"]:
        check_parts(when, {"this", "true"})
    whens = [f"({writer.write(when.this)}, {writer.write(when.args['true'])})" for when in node.args["ifs"]]
    default = node.args.get("default")
    if default is not None:
        whens.append(f"else_={writer.write(default)}")
    return f"{{sqlalchemy.case}}({', '.join(whens)})"


def _neg(writer: Writer, node: exp.Neg) -> str:
    return f"-{writer.write(node.this)}" if isinstance(node.this, exp.Literal) else f"-{writer.operand(node.this)}"


def _boolean(_: Writer, node: exp.Boolean) -> str:
    return f"{{sqlalchemy.{'true' if node.this else 'false'}}}()"


_OPERATIONS = (exp.Binary, exp.Not, exp.Neg)

WRITERS: dict[type[exp.Expr], Write] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: lambda _, node: "None",
    exp.Neg: _neg,
    exp.Placeholder: _placeholder,
    exp.Paren: lambda writer, node: writer.operand(node.this),
    exp.EQ: _comparison("=="),
    exp.NEQ: _comparison("!="),
    exp.GT: _comparison(">"),
    exp.GTE: _comparison(">="),
    exp.LT: _comparison("<"),
    exp.LTE: _comparison("<="),
    exp.Add: _arithmetic("+"),
    exp.Sub: _arithmetic("-"),
    exp.Mul: _arithmetic("*"),
    exp.Like: _like,
    exp.DPipe: _method("concat"),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.And: _connector("and_"),
    exp.Or: _connector("or_"),
    exp.Not: _not,
    exp.Exists: _exists,
    exp.Subquery: _scalar,
    exp.Case: _case,
    exp.Count: _count,
    exp.Sum: _function("sum"),
    exp.Min: _function("min"),
    exp.Max: _function("max"),
    exp.Avg: _function("avg"),
    exp.Lower: _function("lower"),
    exp.Upper: _function("upper"),
    exp.Length: _function("length"),
    exp.Abs: _function("abs"),
    exp.Round: _function("round"),
    exp.Coalesce: _function("coalesce"),
    exp.CurrentTimestamp: lambda _, node: "{sqlalchemy.func}.current_timestamp()",
    exp.CurrentDate: lambda _, node: "{sqlalchemy.func}.current_date()",
}
"""The nodes that can be written."""
_OPERANDS = frozenset({"this", "expression"})
PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Column: frozenset({"this", "table"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Is: _OPERANDS | {"negate"},
    exp.Like: _OPERANDS | {"negate"},
    exp.In: frozenset({"this", "expressions", "query", "field"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.Count: frozenset({"this", "expressions", "big_int"}),
    exp.Coalesce: frozenset({"this", "expressions", "is_nvl", "is_null"}),
    exp.Round: frozenset({"this", "decimals"}),
    exp.DPipe: _OPERANDS | {"safe"},
}
"""The parts of each node that are written, where they are not just its operands."""
