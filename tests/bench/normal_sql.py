"""Two statements of SQL compared: what is left when spelling, qualification and parentheses are taken away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify


def normal_form(sql: str, dialect: str, columns: Mapping[str, Sequence[str]]) -> str:
    """A statement in normal form, as the text of its tree: every column with its table, stars opened, no parentheses,
    and no aliases of tables, or of columns where they only repeat a name or SQLAlchemy made them up.

    `columns` are those of the tables it speaks of, in order.
    """
    tree = sqlglot.parse_one(sql, read=dialect)
    for table in tree.find_all(exp.Table):
        table.set("db", None)
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("quoted", False)
    for placeholder in tree.find_all(exp.Placeholder):
        placeholder.replace(exp.Literal.string(f"parameter {placeholder.this}"))
    for listed in tree.find_all(exp.In):
        if (field := listed.args.get("field")) is not None:
            listed.set("field", None)
            listed.set("expressions", [field])
    for select in tree.find_all(exp.Select):
        for column in select.expressions:
            if _is_unnamed(column) or (isinstance(column, exp.Alias) and _is_made_up(column)):
                column.replace(exp.alias_(column.unalias(), "unnamed"))
    for negated in [node for node in tree.find_all(exp.Is, exp.Like) if node.args.get("negate")]:
        negated.set("negate", None)
        negated.replace(exp.Not(this=negated.copy()))
    if not isinstance(tree, exp.Select):
        return repr(_unqualified(tree).transform(_simplified))
    schema = {name: dict.fromkeys(names, "INT") for name, names in columns.items()}
    tree = qualify(
        tree, dialect=dialect, schema=schema, expand_alias_refs=False, validate_qualify_columns=False,
        quote_identifiers=False, identify=False,
    )  # fmt: skip
    for select in list(tree.find_all(exp.Select)):
        _drop_table_aliases(select)
        _qualify_order(select)
    for parenthesis in list(tree.find_all(exp.Paren)):
        parenthesis.replace(parenthesis.this)
    for connector in list(tree.find_all(exp.And, exp.Or)):
        if type(connector.parent) is not type(connector):
            connector.replace(_chain(connector))
    return repr(tree.transform(_simplified))


def _unqualified(tree: exp.Expr) -> exp.Expr:
    """An INSERT, UPDATE or DELETE without the tables of its columns, what it sets in the order of the names."""
    for table in tree.find_all(exp.Table):
        table.set("alias", None)
    for column in tree.find_all(exp.Column):
        column.set("table", None)
    for parenthesis in list(tree.find_all(exp.Paren)):
        parenthesis.replace(parenthesis.this)
    if isinstance(tree, exp.Update):
        tree.set("expressions", sorted(tree.expressions, key=lambda assignment: assignment.this.name))
    return tree


def _is_unnamed(column: exp.Expr) -> bool:
    return not isinstance(column, exp.Alias | exp.Column | exp.Star)


def _is_made_up(column: exp.Alias) -> bool:
    """Whether SQLAlchemy named a column that has no name: `count_1`, `anon_2`, `param_1`."""
    name, _, number = column.alias.rpartition("_")
    return bool(name) and number.isdigit() and not isinstance(column.this, exp.Column)


def _drop_table_aliases(select: exp.Select) -> None:
    """Call each table by its own name, in one SELECT and what refers to it."""
    for table in [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]:
        if not isinstance(table, exp.Table):
            continue
        alias, name = table.alias, table.name
        table.set("alias", None)
        for column in select.find_all(exp.Column):
            if column.table == alias:
                column.set("table", exp.to_identifier(name))


def _qualify_order(select: exp.Select) -> None:
    """Write out a column of the result that ORDER BY calls by its bare name."""
    order = select.args.get("order")
    for column in list(order.find_all(exp.Column)) if order is not None else ():
        for shown in select.expressions if not column.table else ():
            if isinstance(shown.unalias(), exp.Column) and shown.alias_or_name == column.name == shown.unalias().name:
                column.replace(shown.unalias().copy())
                break


def _simplified(node: exp.Expr) -> exp.Expr | None:
    match node:
        case exp.Join() if node.kind in {"INNER", "OUTER"}:
            node.set("kind", None)
        case exp.Offset() if node.expression.sql() == "0":
            return None
        case exp.Alias() if isinstance(node.this, exp.Column) and node.this.name == node.alias:
            return node.this
        case exp.Boolean():
            return exp.Literal.number(int(node.this))
    return node


def _chain(node: exp.Expr) -> exp.Expr:
    """The terms of one connector, leaning to the left."""
    kind = type(node)
    terms: list[exp.Expr] = []
    pending = [node]
    while pending:
        current = pending.pop()
        if type(current) is kind:
            pending += [current.expression, current.this]
        else:
            terms.append(current.copy())
    chain = terms[0]
    for term in terms[1:]:
        chain = kind(this=chain, expression=term)
    return chain
