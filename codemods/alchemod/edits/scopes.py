"""Which names are bound where, so that a new name does not hide another or get hidden."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import Any

from alchemod.edits.ancestry import Ancestry, children

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)


class Scopes:
    """The bindings of one module, scope by scope, each read when first asked for."""

    def __init__(self, ancestry: Ancestry) -> None:
        self._ancestry = ancestry
        self._bindings: dict[int, dict[str, list[ast.AST]]] = {}

    def bindings(self, scope: ast.AST) -> dict[str, list[ast.AST]]:
        """The names that a scope binds, with the nodes that bind them."""
        if id(scope) not in self._bindings:
            found: dict[str, list[ast.AST]] = {}
            for name, node in _bindings(scope):
                found.setdefault(name, []).append(node)
            self._bindings[id(scope)] = found
        return self._bindings[id(scope)]

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """The scopes below the module whose names a node sees, the innermost first."""
        in_function = False
        for ancestor in self._ancestry.ancestors(node):
            if isinstance(ancestor, ast.ClassDef) and not in_function:
                yield ancestor
            elif isinstance(ancestor, (*_FUNCTIONS, *_COMPREHENSIONS)):
                yield ancestor
                in_function = in_function or isinstance(ancestor, _FUNCTIONS)

    def hiding(self, name: str, node: ast.AST) -> tuple[ast.AST, list[ast.AST]] | None:
        """The innermost scope around a node that binds a name, with the bindings; None for the module."""
        for scope in self.around(node):
            found = self.bindings(scope).get(name)
            if found and not any(isinstance(binding, ast.Global) for binding in found):
                return scope, found
        return None

    def runs_at_import(self, node: ast.AST) -> bool:
        """Whether the code of a node runs while the module is imported."""
        return not any(isinstance(scope, _FUNCTIONS) for scope in self.around(node))

    def is_used_globally(self, name: str) -> bool:
        """Whether the module binds a name, or some code takes it from the module or from the builtins."""
        if name in self.bindings(self._ancestry.tree) or hasattr(builtins, name):
            return True
        stack: list[ast.AST] = [self._ancestry.tree]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Global) and name in node.names:
                return True
            if isinstance(node, ast.Name) and node.id == name and self.hiding(name, node) is None:
                return True
            stack.extend(child for _, _, child in children(node))
        return False


def _bindings(scope: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    stack: list[ast.AST] = list(_own_parts(scope))
    while stack:
        node: Any = stack.pop()
        yield from ((name, node) for name in _bound_by(node))
        if isinstance(node, _SCOPES):
            stack.extend(_outer_parts(node))
        else:
            stack.extend(child for _, _, child in children(node))


def _own_parts(scope: Any) -> list[ast.AST]:
    """What is read in the scope itself."""
    match scope:
        case ast.Lambda():
            return [*_parameters(scope.args), scope.body]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*_parameters(scope.args), *scope.body]
        case ast.ClassDef() | ast.Module():
            return list(scope.body)
        case _:
            return [generator.target for generator in scope.generators]


def _outer_parts(scope: Any) -> list[ast.AST]:
    """What belongs to a scope but is read in the one around it; ``:=`` in a comprehension binds there too."""
    if isinstance(scope, _COMPREHENSIONS):
        return [node for node in ast.walk(scope) if isinstance(node, ast.NamedExpr)]
    outer = [*getattr(scope, "decorator_list", ()), *getattr(scope, "bases", ())]
    if isinstance(scope, _FUNCTIONS):
        outer += [*scope.args.defaults, *(default for default in scope.args.kw_defaults if default)]
    return outer


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return found + [argument for argument in (arguments.vararg, arguments.kwarg) if argument]


def _bound_by(node: Any) -> list[str]:
    match node:
        case ast.Name(ctx=ast.Store() | ast.Del()):
            return [node.id]
        case ast.arg():
            return [node.arg]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.alias():
            return [node.asname or node.name.partition(".")[0]]
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return [node.name] if node.name else []
        case ast.MatchMapping():
            return [node.rest] if node.rest else []
        case ast.Global() | ast.Nonlocal():
            return list(node.names)
        case _:
            return []
