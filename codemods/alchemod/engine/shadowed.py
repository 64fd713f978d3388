"""Names of builtins that the code around a fix binds itself.

Rules read `len(rows)` or `sorted(rows)` as the builtins do. Where the name is a parameter, a variable or an import, the
code may do anything with the rows, so that a fix which rests on it is not safe.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from alchemod.edits.verbs import Swap, Verb
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.places import enclosing

_READ: Final = frozenset(
    {
        *("all", "any", "bool", "dict", "enumerate", "filter", "float", "frozenset", "getattr", "hasattr", "int"),
        *("isinstance", "iter", "len", "list", "map", "max", "min", "next", "repr", "reversed", "set", "sorted"),
        *("str", "sum", "tuple", "zip"),
    }
)
_CALLED: Final = re.compile(r"(?<![\w.])(\w+)\(")


def held_back(finding: Finding, ctx: Context) -> Finding:
    """The finding, unsafe if a statement that its fix edits, or the code that it puts there, calls one of these names
    and it is not the builtin."""
    if finding.safety != "safe" or finding.proposal is None:
        return finding
    for verb in finding.proposal.edits:
        for name, node in (*_called(ctx.tree, verb.node), *_newly_called(verb)):
            if _is_bound(name, node, ctx):
                missing = f"`{name}` is not the builtin here"
                return replace(finding, safety="unsafe", message=f"{finding.message}: {missing}", missing=missing)
    return finding


def _newly_called(verb: Verb) -> Iterator[tuple[str, ast.AST]]:
    """The names that the template of an edit calls, and the node that it replaces."""
    if isinstance(verb, Swap):
        yield from ((name, verb.node) for name in _CALLED.findall(verb.template) if name in _READ)


def _called(tree: ast.Module, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names called in the statement of a node, those of the suites of a compound statement excepted, and where."""
    statement = enclosing(tree, node).statement
    for child in ast.iter_child_nodes(statement) if statement is not None else ():
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            continue
        for part in ast.walk(child):
            match part:
                case ast.Call(func=ast.Name(id=name) as called) if name in _READ:
                    yield name, called


def _is_bound(name: str, node: ast.AST, ctx: Context) -> bool:
    """Whether a name is bound where `node` stands."""
    place = ctx.place(node) if isinstance(node, ast.expr | ast.stmt) else None
    if place is None:
        return False
    return place.scope.owner(name) is not None or ctx.project.lookup.name(place.module, name) is not None
