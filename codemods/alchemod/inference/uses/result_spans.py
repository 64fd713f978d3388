"""How far the result of an execution is used, where a variable holds it: the statements one block can hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

from alchemod.inference.uses.parents import Parents

FETCHING: Final = frozenset(
    {
        *("fetchall", "all", "first", "fetchone", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none"),
        *("fetchmany",),
    }
)
"""Methods of a result that fetch rows."""
PASSING: Final = frozenset({"scalars", "mappings", "unique", "columns"})
"""Methods of a result that give another one."""
FACTS: Final = frozenset({"rowcount", "lastrowid", "inserted_primary_key", "returns_rows"})
"""Attributes of a result."""
_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
_LATER: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_TAKING: Final = frozenset({"list", "tuple", "set", "dict", "sorted", "sum", "len", "next"})


def last_use(assignment: ast.Assign, name: str, function: ast.AST, parents: Parents) -> ast.stmt | None:
    """The last statement beside an assignment that needs the connection of what it gives `name`, the assignment itself
    where nothing but facts such as `rowcount` is read; None when the result is used elsewhere too.
    """
    suite = _suite(assignment, parents)
    if suite is None:
        return None
    behind = suite[suite.index(assignment) + 1 :]
    until = next((index for index, one in enumerate(behind) if _binds(one, name)), len(behind))
    mine = behind[:until]
    last: ast.stmt = assignment
    for node in _names(function, name):
        if isinstance(node.ctx, ast.Load):
            around = [node, *parents.around(node)]
            beside = next((one for one in mine if one in around), None)
            if beside is not None:
                if not _is_taken(node, parents) or any(isinstance(one, _LATER) for one in _below(around, beside)):
                    return None
                is_later = mine.index(beside) > (mine.index(last) if last in mine else -1)
                last = beside if is_later and not _is_fact(node, parents) else last
            elif _may_be_reached(node, assignment, behind[until:], parents):
                return None
        elif node not in assignment.targets and any(node in ast.walk(one) for one in mine):
            return None
    return last


def _suite(statement: ast.stmt, parents: Parents) -> list[ast.stmt] | None:
    parent = parents.of(statement)
    suites = (getattr(parent, field, None) for field in ("body", "orelse", "finalbody"))
    return next((suite for suite in suites if isinstance(suite, list) and statement in suite), None)


def _binds(statement: ast.stmt, name: str) -> bool:
    """Whether a statement gives the name another value, whatever happens, after reading it at most once."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=target)], value=value):
            return target == name and not any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(value))
    return False


def _names(function: ast.AST, name: str) -> Iterator[ast.Name]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == name)


def _below(around: Sequence[ast.AST], top: ast.stmt) -> Sequence[ast.AST]:
    return around[: around.index(top) + 1]


def _is_fact(node: ast.expr, parents: Parents) -> bool:
    """Whether a use reads what a result still tells when its connection is closed."""
    outer = parents.of(node)
    return isinstance(outer, ast.Attribute) and outer.attr in FACTS


def _is_taken(node: ast.expr, parents: Parents) -> bool:
    """Whether a use of a result reads it at once, and does not hand it on."""
    outer = parents.of(node)
    match outer:
        case ast.Attribute(attr=name) if name in FACTS:
            return True
        case ast.Attribute(attr=name):
            call = parents.of(outer)
            if not isinstance(call, ast.Call) or call.func is not outer:
                return False
            return name in {*FETCHING, "keys", "close"} or (name in PASSING and _is_taken(call, parents))
        case ast.For(iter=source) | ast.comprehension(iter=source):
            return source is node
        case ast.Call(func=ast.Name(id=taker)):
            return taker in _TAKING
    return False


def _may_be_reached(node: ast.Name, assignment: ast.Assign, later: Sequence[ast.stmt], parents: Parents) -> bool:
    """Whether a read outside of the statements beside an assignment may see its value."""
    around = parents.around(node)
    if any(one in around for one in later):
        return False  # another value by then
    loops = [one for one in parents.around(assignment) if isinstance(one, _LOOPS)]
    return node.lineno > assignment.lineno or any(loop in around for loop in loops)
