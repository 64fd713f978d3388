"""How a plain string that a 1.x connection hands to its driver is written for 2.0, with its parameters.

A 1.x connection gives a string to the driver as it is; `exec_driver_sql()` does the same in every version. `text()`
reads `:name` as a parameter and doubles `%` for drivers that format with it. (SQLAlchemy 1.4, `Connection.execute`;
`Connection.exec_driver_sql`; verified by execution on 1.4.54 and 2.0.58.)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alchemod.inference.sql.execution import Execution
from alchemod.inference.sql.strings import SqlString
from alchemod.inference.sql.tokens import tokens

Shape = Literal["none", "kept", "tuple", "one", "list", "row", "names", "unseen", "unclear"]
"""What the parameters must become for `exec_driver_sql()`: `kept` as they are; `tuple` and `list`, the one argument as
such; `one`, a tuple of the one value; `list` or `row`, all arguments in a list or in a tuple; `names`, the keywords in
a dict. `unseen` may stay, but what it holds is not known; `unclear` cannot."""

_BINDS = re.compile(r"(?<![:\w\x5c]):(\w+)(?!:)|\\:")
"""What `text()` reads: parameters, by SQLAlchemy's own pattern, and escaped colons."""


@dataclass(frozen=True, slots=True)
class DriverSql:
    """`form` is what replaces the plain string, `doubt` why that is not safe, `missing` why there is no form."""

    form: Literal["text", "driver"]
    shape: Shape = "none"
    doubt: str | None = None
    missing: str = ""


def driver_sql(execution: Execution, strings: Sequence[SqlString]) -> DriverSql:
    """The form for a string executed on a connection; `strings` are those that it may be."""
    text = strings[0].constant if len(strings) == 1 else None
    shape = _shape(execution)
    if shape == "unclear" or (execution.has_options and shape != "none"):
        return DriverSql("driver", missing="how its parameters are given is not seen")
    if text is None:
        return _unseen(shape)
    binds = _BINDS.search(text) is not None
    if shape == "none":
        return DriverSql("driver" if binds or "%" in text else "text")
    placeholders = {token.text[0] for token in tokens(text) if token.kind == "parameter"}
    is_by_name = shape in {"kept", "names", "unseen"} and not _is_positional(execution)
    if ":" in placeholders and not placeholders & {"%", "?"} and is_by_name:
        return DriverSql("text", shape, "text() reads its parameters, which were the driver's so far")
    doubt = "exec_driver_sql() takes a tuple, a dict, or a list of these" if shape == "unseen" else None
    return DriverSql("driver", shape, doubt)


def _unseen(shape: Shape) -> DriverSql:
    """The form for a string that is not seen whole."""
    if shape == "none":
        return DriverSql("text", shape, "the text is not seen whole, and text() reads `:name` and `%` in its own way")
    if shape in {"one", "row", "tuple"}:
        return DriverSql("driver", shape, "the text is not seen whole")
    return DriverSql("driver", missing="whether its parameters are those of the driver is not seen")


def _is_positional(execution: Execution) -> bool:
    return any(isinstance(given, ast.Tuple) for given in execution.parameters)


def _shape(execution: Execution) -> Shape:
    given, named = execution.parameters, execution.named_parameters
    if any(isinstance(argument, ast.Starred) for argument in given) or (given and named):
        return "unclear"
    if named:
        return "unclear" if any(keyword.arg is None for keyword in named) else "names"
    match given:
        case []:
            return "none"
        case [only]:
            return _shape_of_one(only)
    first = given[0]
    if all(isinstance(argument, ast.Tuple | ast.Dict | ast.List) for argument in given):
        return "unclear" if isinstance(first, ast.List) else "list"
    return "row" if all(_is_scalar(argument) for argument in given) else "unclear"


def _shape_of_one(given: ast.expr) -> Shape:
    match given:
        case ast.Dict() | ast.DictComp():
            return "kept"
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            if not parts:
                return "kept"
            is_many = isinstance(parts[0], ast.Tuple | ast.Dict | ast.List)
            if isinstance(given, ast.Tuple):
                return "unclear" if is_many else "kept"
            return "kept" if isinstance(parts[0], ast.Tuple | ast.Dict) else "unclear" if is_many else "tuple"
        case ast.ListComp(elt=ast.Tuple() | ast.Dict()):
            return "kept"
    return "one" if _is_scalar(given) else "unseen"


def _is_scalar(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return value is not None
        case ast.JoinedStr():
            return True
        case ast.Call(func=ast.Name(id="str" | "int" | "float" | "len" | "bool")):
            return True
    return False
