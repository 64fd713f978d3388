"""INSERT, UPDATE and DELETE as code."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from alchemod.inference.sql.emitter.expressions import Writer, flattened
from alchemod.inference.sql.emitter.refusal import RefusedError, check_parts
from alchemod.inference.sql.emitter.schema import Scope, Source
from alchemod.inference.sql.emitter.select import SelectWriter


def insert(node: exp.Insert, scope: Scope, writing: SelectWriter) -> str:
    """The code of an INSERT with VALUES or a SELECT."""
    check_parts(node, {"this", "expression"}, "INSERT")
    target = node.this
    if not isinstance(target, exp.Schema):
        raise RefusedError("an INSERT without the names of its columns is not written")
    source = writing.table(target.this, scope)
    names = [column.name for column in target.expressions]
    keys = _keys(names, source)
    _check_defaults(source, names, "default")
    given = node.expression
    if isinstance(given, exp.Select):
        selected = writing.select(given, Scope(scope.schema))
        columns = ", ".join(f'"{name}"' for name in names)
        return f"{{sqlalchemy.insert}}({source.code}).from_select([{columns}], {selected}, include_defaults=False)"
    if not isinstance(given, exp.Values) or len(given.expressions) != 1:
        raise RefusedError("an INSERT of several rows is not written")
    check_parts(given, {"expressions"}, "VALUES")
    values = given.expressions[0].expressions
    if len(values) != len(keys):
        raise RefusedError("the INSERT has another number of values than of columns")
    parameters = [str(value.this) if isinstance(value, exp.Placeholder) else "" for value in values]
    if parameters == keys and not any(name in writing.values for name in parameters):
        writing.bound.update(parameters)
        return f"{{sqlalchemy.insert}}({source.code})"
    return f"{{sqlalchemy.insert}}({source.code}).values({_assigned(keys, values, source, scope, writing)})"


def update(node: exp.Update, scope: Scope, writing: SelectWriter) -> str:
    """The code of an UPDATE of one table."""
    check_parts(node, {"this", "expressions", "where"}, "UPDATE")
    source = writing.table(node.this, scope)
    names, values = [], []
    for assignment in node.expressions:
        if not isinstance(assignment, exp.EQ) or not isinstance(assignment.this, exp.Column):
            raise RefusedError("such a SET is not written")
        names.append(assignment.this.name)
        values.append(assignment.expression)
    _check_defaults(source, names, "onupdate")
    assigned = _assigned(_keys(names, source), values, source, scope, writing)
    return f"{{sqlalchemy.update}}({source.code}){_where(node, scope, writing)}.values({assigned})"


def delete(node: exp.Delete, scope: Scope, writing: SelectWriter) -> str:
    """The code of a DELETE from one table."""
    check_parts(node, {"this", "where"}, "DELETE")
    source = writing.table(node.this, scope)
    return f"{{sqlalchemy.delete}}({source.code}){_where(node, scope, writing)}"


def _where(node: exp.Expr, scope: Scope, writing: SelectWriter) -> str:
    where = node.args.get("where")
    if where is None:
        return ""
    writer = _writer(scope, writing)
    terms = flattened(where.this) if isinstance(where.this, exp.And) else [where.this]
    return f".where({', '.join(writer.write(term) for term in terms)})"


def _writer(scope: Scope, writing: SelectWriter) -> Writer:
    return Writer(scope, writing.values, writing.subquery, writing.converting, writing.bound)


def _keys(names: Sequence[str], source: Source) -> list[str]:
    """What Python calls the columns: the names they have in the database, by which every version takes values."""
    for name in names:
        column = source.table.named(name)
        if column is None:
            raise RefusedError(f"no column {name} of its tables is seen")
        if column.key != name or not name.isidentifier():
            raise RefusedError(f"the column {name} is called {column.key} in Python")
    return list(names)


def _check_defaults(source: Source, names: Sequence[str], kind: str) -> None:
    """Refuse a statement that SQLAlchemy would add a value to: a column with a default that Python makes."""
    for column in source.table.columns.values():
        if column.name not in names and column.keyword(kind) is not None:
            raise RefusedError(f"the column {column.name} has {kind}=, which SQLAlchemy would add")


def _assigned(
    keys: Sequence[str], values: Sequence[exp.Expr], source: Source, scope: Scope, writing: SelectWriter
) -> str:
    writer = _writer(scope, writing)
    written: list[str] = []
    for key, value in zip(keys, values, strict=True):
        column = source.table.named(key)
        is_value = isinstance(value, exp.Literal | exp.Placeholder | exp.Boolean | exp.Neg)
        if column is not None and is_value and scope.schema.conversion(column) != "plain":
            raise RefusedError(f"the type of {key} converts the value it is given")
        if isinstance(value, exp.Placeholder) and not writer.is_known(value):
            raise RefusedError("the values of its parameters are not seen")
        written.append(f"{key}={writer.write(value)}")
    return ", ".join(written)
