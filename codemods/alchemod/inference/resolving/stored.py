"""What a dictionary keeps by key: `self.connections[key] = engine.connect()`, `ENGINES[url] = create_engine(url)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.facts.nodes import walk
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.values import Answer, Place

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver


def stored(kept: ast.expr, place: Place, resolver: Resolver) -> Answer | None:
    """What an element of the dictionary `kept` is when all that the class or module puts into it is the same.

    The dictionary is an attribute of `self`, or a name of the module. Never more than inferred.
    """
    match kept:
        case ast.Attribute(value=ast.Name(id=receiver), attr=name):
            function = enclosing_function(place.scope)
            around = function.parent.node if function is not None and function.parent is not None else None
            if not isinstance(around, ast.ClassDef) or receiver != _first(function.node if function else None):
                return None
        case ast.Name(id=name):
            owner = place.scope.owner(name)
            around = place.scope.root.node
            if name not in place.module.bindings or (owner is not None and owner.parent is not None):
                return None
        case _:
            return None
    code = ast.unparse(kept)
    return resolver.recall.ask(("stored", around, code), lambda: _agreed(code, name, around, place, resolver))


def _first(function: ast.AST | None) -> str:
    arguments = function.args.args if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) else []
    return arguments[0].arg if arguments else ""


def _agreed(code: str, name: str, around: ast.AST, place: Place, resolver: Resolver) -> Answer | None:
    scope = place.scope.root
    values = _values(code, around)
    answer = resolver.agreeing(resolver.value(value, Place(place.module, scope.innermost(value))) for value in values)
    return answer.weakened(f"what else {name} holds is not known") if answer is not None else None


def _values(code: str, around: ast.AST) -> Iterator[ast.expr]:
    """The values that are stored by key in what is written so."""
    for node in walk(around):
        match node:
            case ast.Assign(targets=targets, value=value):
                kept = (target for target in targets if isinstance(target, ast.Subscript))
                if any(ast.unparse(target.value) == code for target in kept):
                    yield value
