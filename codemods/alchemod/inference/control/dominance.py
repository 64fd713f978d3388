"""Does a binding lie on every way to a read? Answered from the nesting of statements, without a walk."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import ScopeNode, contains


def dominates(binding: Binding | None, scope: ScopeNode, read: ast.expr) -> bool:
    """Whether `binding`, of the scope `scope`, is made before `read` on every way to it, as far as nesting
    shows.

    True is certain; False means that only a walk can tell.
    """
    if binding is None:
        return False
    if binding.kind in ("parameter", "type"):
        return True
    if isinstance(scope, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return False
    if binding.kind == "annotation" and binding.value is None:
        return False
    node = binding.node
    for suite, index in enclosing_suites(scope.body, read):
        if any(_binds(statement, node) for statement in suite[:index]):
            return True
        if _heads(suite[index], node, read):
            return True
    return False


def enclosing_suites(block: Sequence[ast.stmt], node: ast.expr | ast.stmt) -> Iterator[tuple[Sequence[ast.stmt], int]]:
    """The suites around `node`, outermost first, each with the index of the statement that holds it."""
    suites: list[Sequence[ast.stmt]] = [block]
    while suites:
        for suite in suites:
            index = next((i for i, statement in enumerate(suite) if contains(statement, node)), None)
            if index is not None:
                yield suite, index
                suites = list(suites_of(suite[index]))
                break
        else:
            return


def suites_of(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks directly inside a compound statement; definitions have none, for their code runs
    elsewhere."""
    match statement:
        case ast.If(body=body, orelse=orelse) | ast.For(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.AsyncFor(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.Try() | ast.TryStar():
            yield statement.body
            yield from (handler.body for handler in statement.handlers)
            yield from (statement.orelse, statement.finalbody)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            yield body
        case ast.Match(cases=cases):
            yield from (case.body for case in cases)


def _binds(statement: ast.stmt, node: ast.AST) -> bool:
    if statement is node:
        return isinstance(statement, (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    match statement:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return node in names
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return node is items[0]
    return False


def _heads(statement: ast.stmt, node: ast.AST, read: ast.expr) -> bool:
    """Whether `node` is the head of the compound `statement` whose body holds `read`."""
    match statement:
        case ast.For(body=body) | ast.AsyncFor(body=body):
            return statement is node and _inside(body, read)
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            return node in items and _inside(body, read)
        case ast.Try(handlers=handlers) | ast.TryStar(handlers=handlers):
            return any(handler is node and _inside(handler.body, read) for handler in handlers)
    return False


def _inside(body: Sequence[ast.stmt], node: ast.expr) -> bool:
    return any(contains(statement, node) for statement in body)
