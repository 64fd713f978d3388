"""The nodes of a tree: what they are made of, what they look like, the statements of a suite."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

_BARE = frozenset(
    {
        *("ctx", "op", "ops", "kind", "type_comment", "type_ignores", "id", "attr", "arg", "asname", "module", "level"),
        *("simple", "is_async", "conversion", "rest", "kwd_attrs"),
    }
)
"""Fields that say how, not of what: they hold no expression, statement or clause."""
_COMPOUND: Final = frozenset(
    {ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match}
)
LEAVES: Final = frozenset({ast.Name, ast.Constant, ast.Global, ast.Nonlocal, ast.alias})
"""Classes of nodes without parts."""
_WITH_GAPS = frozenset({ast.Dict, ast.arguments})
"""Classes of nodes whose lists may hold None: `{**a}`, a keyword-only parameter without a default."""
_FREQUENT: Final[dict[type[ast.AST], Callable[[Any], list[ast.AST]]]] = {
    ast.Attribute: lambda node: [node.value],
    ast.Call: lambda node: [node.func, *node.args, *node.keywords],
    ast.keyword: lambda node: [node.value],
    ast.Expr: lambda node: [node.value],
    ast.Assign: lambda node: [*node.targets, node.value],
}
"""The parts of three quarters of all nodes that have some, without a look at their fields."""
_fields: dict[type[ast.AST], tuple[str, ...]] = {}


def children(node: ast.AST) -> list[ast.AST]:
    """The direct parts of a node in the order of its fields, contexts and operators left out.

    Like `ast.iter_child_nodes`, at a quarter of its cost (measured on CPython 3.11).
    """
    kind = type(node)
    if kind in LEAVES:
        return []
    if (parts := _FREQUENT.get(kind)) is not None:
        return parts(node)
    names = _fields.get(kind)
    if names is None:
        names = _fields[kind] = tuple(name for name in kind._fields if name not in _BARE)
    found: list[ast.AST] = []
    for name in names:
        part = getattr(node, name, None)
        if isinstance(part, ast.AST):
            found.append(part)
        elif part.__class__ is list:
            found += part
    return [part for part in found if part is not None] if kind in _WITH_GAPS else found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all nodes below it, each before its parts; contexts and operators left out."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        if type(node) not in LEAVES:
            stack += reversed(children(node))


def is_dotted(node: ast.expr) -> bool:
    """Whether an expression is a name, or attributes of one, so that writing it twice asks for nothing twice."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def statements(suite: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a suite and of the compound statements in it, in source order; not those of functions."""
    stack = list(reversed(suite))
    while stack:
        statement = stack.pop()
        yield statement
        if type(statement) in _COMPOUND:
            stack += reversed(_within(statement))


def expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The outermost expressions of a statement itself, not of the statements inside it."""
    stack = list(children(statement))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.expr):
            yield node
        elif not isinstance(node, ast.stmt):
            stack.extend(children(node))


def _within(statement: Any) -> list[ast.stmt]:
    """The statements of the suites of a compound statement, in source order."""
    if isinstance(statement, ast.Match):
        return [inner for case in statement.cases for inner in case.body]
    found: list[ast.stmt] = list(statement.body)
    for handler in getattr(statement, "handlers", ()):
        found += handler.body
    for suite in ("orelse", "finalbody"):
        found += getattr(statement, suite, ())
    return found
