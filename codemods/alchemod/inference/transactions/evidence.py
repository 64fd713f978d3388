"""Sessions that only their use tells, where nothing else is known of them: `x.query(Model)` with a mapped class, or
`x.add()` of a mapped object next to `x.commit()`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Final

from alchemod.facts.nodes import children
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import Answer, ModelClass, Object, Place, Session, Statement

_ENDING: Final = ("commit", "flush", "rollback")


def told_by_use(node: ast.expr, place: Place, resolver: Resolver) -> Answer | None:
    """That a name, or an attribute of `self`, is a session because of what it is asked for or takes in.

    For a name the function is looked at, for an attribute the class. Never more than inferred.
    """
    match node:
        case ast.Name(id=name):
            owner = place.scope.owner(name)
            around = enclosing_function(place.scope)
            if owner is None or around is None or owner is not around:
                return None
        case ast.Attribute(value=ast.Name(id="self")):
            around = _class_around(place.scope)
        case _:
            return None
    if around is None:
        return None
    text = ast.unparse(node)
    return resolver.recall.ask(("told by use", around.node, text), lambda: _told(text, around, place, resolver))


def _told(text: str, around: Scope, place: Place, resolver: Resolver) -> Answer | None:
    for call in _calls(around.node, text, ("query",)):
        if not call.args:
            continue
        found = resolver.value(call, Place(place.module, around.innermost(call)))
        if found is not None and found.certainty == "proved" and isinstance(found.value, Statement):
            why = f"line {call.lineno} asks {text} for a Query"
            return Answer(Session(), "inferred", (why,), f"what {text} is, is told by its use only")
    if next(_calls(around.node, text, _ENDING), None) is not None:
        for call in _calls(around.node, text, ("add",)):
            added = resolver.value(call.args[0], Place(place.module, around.innermost(call))) if call.args else None
            match added:
                case Answer(value=Object(of=ModelClass())):
                    why = f"line {call.lineno} adds a mapped object to {text}"
                    return Answer(Session(), "inferred", (why,), f"what {text} is, is told by its use only")
    return None


def _calls(scope: ast.AST, text: str, names: Collection[str]) -> Iterator[ast.Call]:
    """The calls of these methods on what is written so."""
    stack: list[ast.AST] = [scope]
    while stack:
        node = stack.pop()
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if name in names:
                if ast.unparse(receiver) == text:
                    yield node
        stack.extend(children(node))


def _class_around(scope: Scope) -> Scope | None:
    current: Scope | None = scope
    while current is not None and not isinstance(current.node, ast.ClassDef):
        current = current.parent
    return current
