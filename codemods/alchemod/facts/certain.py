"""Which names a module has for certain once it has run: bound on every way, and never to a placeholder."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from alchemod.facts.collecting import bound_names

_MEMO = "_alchemod_certain_names"


def certain_names(tree: ast.Module) -> frozenset[str]:
    """The names that the module binds on every way through its code, `None` being no value. Kept with the tree."""
    found: frozenset[str] | None = tree.__dict__.get(_MEMO)
    if found is None:
        found = tree.__dict__[_MEMO] = frozenset(_bound(tree.body)) - frozenset(_withdrawn(tree.body))
    return found


def _bound(suite: Sequence[ast.stmt]) -> set[str]:
    found: set[str] = set()
    for statement in suite:
        match statement:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found.update(alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found.update(name for target in targets for name in bound_names(target))
            case ast.AnnAssign(target=target, value=ast.expr()):
                found.update(bound_names(target))
            case ast.With(body=body) | ast.AsyncWith(body=body):
                found |= _bound(body)
            case ast.If(body=body, orelse=orelse):
                found |= _on_all([body, orelse])
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                ways = [[*body, *orelse], *(handler.body for handler in handlers)]
                found |= _on_all(ways) | _bound(final)
    return found


def _on_all(ways: Sequence[Sequence[ast.stmt]]) -> set[str]:
    """What every way binds; one that ends by raising does not count."""
    going_on = [_bound(way) for way in ways if not (way and isinstance(way[-1], ast.Raise))]
    return set.intersection(*going_on) if going_on else set()


def _withdrawn(suite: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that some statement, at any depth outside functions, deletes or binds to None."""
    stack: list[ast.AST] = list(suite)
    while stack:
        node = stack.pop()
        match node:
            case ast.Assign(targets=targets, value=ast.Constant(value=None)):
                for target in targets:
                    yield from bound_names(target)
            case ast.AnnAssign(target=target, value=ast.Constant(value=None)):
                yield from bound_names(target)
            case ast.Delete(targets=targets):
                for target in targets:
                    yield from bound_names(target)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.expr():
                continue
        stack.extend(ast.iter_child_nodes(node))
