"""Calls of SQL functions that make one value of many rows."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.module import last_name

_AGGREGATES: Final = frozenset(
    {
        *("count", "sum", "min", "max", "avg", "total", "group_concat", "string_agg", "array_agg", "json_agg"),
        *("jsonb_agg", "json_group_array", "bool_and", "bool_or", "every", "stddev", "variance", "aggregate_strings"),
    }
)
_OF_ONE_ARGUMENT: Final = frozenset({"min", "max"})
"""With several arguments, these are functions of one row in SQLite ("Built-In Scalar SQL Functions")."""


def may_aggregate(call: ast.Call) -> bool:
    """Whether a call is that of an aggregate, going by its name and arguments, if it is one of `func`."""
    name = last_name(call)
    if name in _OF_ONE_ARGUMENT:
        return len(call.args) == 1 and not isinstance(call.args[0], ast.Starred)
    return name in _AGGREGATES
