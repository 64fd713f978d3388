"""What the type of a column does to its values, told from its declaration.

A raw statement gives values as the driver has them; a column gives them as its type makes them ("Custom Types",
"SQL Datatype Objects", SQLAlchemy 1.4 to 2.1; SQLite keeps dates as text, booleans and decimals as numbers).
"""

from __future__ import annotations

import ast
from typing import Literal

from alchemod.facts.lookup import External, Variable
from alchemod.facts.module import Module, last_name
from alchemod.facts.project import Project
from alchemod.facts.tables import TableColumn

Conversion = Literal["plain", "text", "value", "unseen"]
"""`plain`: none. `text`: one where the database has no such type, as SQLite for dates. `value`: one everywhere, as for
JSON. `unseen`: the type is not seen."""

_PLAIN = frozenset(
    {
        "Integer", "INTEGER", "INT", "BigInteger", "BIGINT", "SmallInteger", "SMALLINT", "String", "VARCHAR", "CHAR",
        "TEXT", "Text", "Unicode", "UnicodeText", "NVARCHAR", "NCHAR", "CLOB", "Float", "FLOAT", "REAL", "Double",
        "DOUBLE", "MEDIUMTEXT", "LONGTEXT", "TINYTEXT", "CITEXT", "TINYINT", "MEDIUMINT",
    }
)  # fmt: skip
_TEXT = frozenset(
    {"Boolean", "BOOLEAN", "DateTime", "DATETIME", "TIMESTAMP", "Date", "DATE", "Time", "TIME", "Numeric", "NUMERIC"}
    | {"DECIMAL"}
)
_ANNOTATED: dict[str, Conversion] = {
    "int": "plain", "str": "plain", "float": "plain", "bool": "text", "datetime": "text", "date": "text",
    "time": "text", "Decimal": "text",
}  # fmt: skip
_NO_TYPES = frozenset({"ForeignKey", "Sequence", "Identity", "Computed", "CheckConstraint"})
_HOPS = 5


def conversion(column: TableColumn, project: Project) -> Conversion:
    """What the type of a column does."""
    call = column.call
    if call is not None and last_name(call) != "Field":
        given = _type_argument(call)
        if given is not None:
            return _of_type(given, column.module, project, _HOPS)
    annotation = column.attribute.annotation if column.attribute is not None else None
    if annotation is not None:
        return _of_annotation(annotation)
    has_key = call is not None and any(
        isinstance(one, ast.Call) and last_name(one) == "ForeignKey" for one in call.args
    )
    return "plain" if has_key else "unseen"


def _type_argument(call: ast.Call) -> ast.expr | None:
    named = next((keyword.value for keyword in call.keywords if keyword.arg in {"type_", "sa_type"}), None)
    given = [one for one in call.args if not (isinstance(one, ast.Constant) and isinstance(one.value, str))]
    if named is not None or not given or (isinstance(given[0], ast.Call) and last_name(given[0]) in _NO_TYPES):
        return named
    return given[0]


def _of_type(given: ast.expr, module: Module, project: Project, hops: int) -> Conversion:
    if isinstance(given, ast.Call):
        if isinstance(given.func, ast.Attribute) and given.func.attr == "with_variant":
            return _of_type(given.func.value, module, project, hops) if hops else "unseen"
        given = given.func
    match project.lookup.expression(module, given):
        case External(canonical=str(name)):
            return "plain" if name in _PLAIN else "text" if name in _TEXT else "value"
        case Variable(module=other, assigned=assigned, others=()) if assigned.value is not None and hops:
            return _of_type(assigned.value, other, project, hops - 1)
        case None:
            return "unseen"
    return "value"


def _of_annotation(annotation: ast.expr) -> Conversion:
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return _of_annotation(ast.parse(text, mode="eval").body)
            except (SyntaxError, ValueError):
                return "unseen"
        case ast.Subscript(value=wrapper, slice=inner) if last_name(wrapper) in {"Mapped", "Optional"}:
            return _of_annotation(inner)
        case ast.BinOp(left=inner, right=ast.Constant(value=None)):
            return _of_annotation(inner)
    name = last_name(annotation)
    return _ANNOTATED.get(name, "value" if name else "unseen")
