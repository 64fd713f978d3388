"""The kinds of use of a Query: it is gone through, asked for rows, counted, or stands where a statement stands."""

from __future__ import annotations

import ast
from typing import Final, Literal

from alchemod.facts.module import last_name
from alchemod.inference.translation.web import Use

Purpose = Literal[
    "rows", "scalar", "value", "values", "loop", "slice", "count", "exists", "get", "bulk", "statement", "unknown"
]

_BY_METHOD: Final[dict[str, Purpose]] = {
    **dict.fromkeys(("all", "first", "one", "one_or_none"), "rows"),
    **dict.fromkeys(("update", "delete"), "bulk"),
    **dict.fromkeys(("subquery", "cte", "label", "as_scalar", "scalar_subquery", "lateral"), "statement"),
    "scalar": "scalar",
    "value": "value",
    "values": "values",
    "count": "count",
    "exists": "exists",
    "get": "get",
}
_ATTRIBUTES: Final = frozenset({"statement", "selectable", "column_descriptions", "whereclause"})
_ITERATING: Final = frozenset(
    {"list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "any", "all", "dict", "enumerate"}
)
TAKING_STATEMENTS: Final = frozenset({"in_", "notin_", "not_in", "from_select", "execute"})
"""Methods that take a `select()` where they take a Query."""
SET_OPERATIONS: Final = frozenset({"union", "union_all", "intersect", "intersect_all", "except_", "except_all"})
"""Methods of Query, and functions of Core that take a `select()` where they take a Query."""
EXECUTING: Final[frozenset[Purpose]] = frozenset(
    {"rows", "scalar", "value", "values", "loop", "slice", "count", "get", "bulk"}
)
"""Purposes for which the Query is executed with its session."""
GIVING_ROWS: Final[frozenset[Purpose]] = frozenset({"rows", "scalar", "values", "loop", "slice"})


def purpose(use: Use) -> Purpose:
    """What a Query is used for."""
    match use.kind:
        case "call":
            return _BY_METHOD.get(use.name, "unknown")
        case "attribute":
            return "statement" if use.name in _ATTRIBUTES else "unknown"
        case "subscript":
            return "slice"
        case "iterated" | "listed":
            return "loop"
        case "argument" if isinstance(use.node, ast.Call):
            if _goes_through(use.node, use.receiver):
                return "loop"
            return "statement" if last_name(use.node) in TAKING_STATEMENTS | SET_OPERATIONS else "unknown"
        case "compared":
            return "statement"
    return "unknown"


def _goes_through(call: ast.Call, argument: ast.expr) -> bool:
    """Whether a call of a builtin goes through its argument: `list(query)`, `dict(query)`."""
    return isinstance(call.func, ast.Name) and call.func.id in _ITERATING and call.args[:1] == [argument]


def why_unknown(use: Use) -> str:
    """Why a use has no counterpart, as a sentence."""
    match use.kind:
        case "call":
            return f"{use.name}() has no counterpart that is known"
        case "attribute":
            return f"Query.{use.name} has no counterpart that is known"
        case "argument":
            return "what the call does with the Query is not seen"
        case "returned":
            return "the callers that get the Query are not all seen"
        case "stored":
            return "it is not seen who takes the Query from where it is kept"
        case "tested":
            return "a Query is always true, select() refuses to be tested"
    return "what uses the Query is not understood"
