"""Whether a session factory is only called where it is made, so that one made for all calls does the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.resolving.sessions import SCOPED_MAKERS
from alchemod.inference.scoping.scopes import FunctionNode
from alchemod.inference.uses.parents import parents_in

_OF_THE_FACTORY: Final = frozenset({"configure", "session_factory", "registry"})
"""What a `scoped_session` lets through to the factory it was given
(https://docs.sqlalchemy.org/en/20/orm/contextual.html#sqlalchemy.orm.scoped_session)."""


def is_only_called(made: ast.Call, function: FunctionNode) -> bool:
    """Whether all that a function does with the factory of a call is to open sessions by it.

    Whoever gets the factory itself may configure it or listen to it, and means his own one.
    """
    return all(_opens(use, function) for use in _uses(made, function))


def _opens(use: ast.expr, function: FunctionNode) -> bool:
    parents = parents_in(function)
    match parents[use]:
        case ast.Call(func=called) if called is use:
            return True
        case ast.Attribute(attr="begin") as method:
            above = parents[method]
            return isinstance(above, ast.Call) and above.func is method
        case ast.Call(func=maker, args=[first, *_]) as registry if first is use and last_name(maker) in SCOPED_MAKERS:
            return all(_asks(one, function) for one in _uses(registry, function))
    return False


def _asks(use: ast.expr, function: FunctionNode) -> bool:
    """Whether a registry is asked for its session there, by a call or an attribute."""
    match parents_in(function)[use]:
        case ast.Call(func=called):
            return called is use
        case ast.Attribute(attr=name, ctx=ast.Load()):
            return name not in _OF_THE_FACTORY
    return False


def _uses(made: ast.Call, function: FunctionNode) -> Iterator[ast.expr]:
    """The call itself, or the reads of the local variable it is assigned to."""
    match parents_in(function)[made]:
        case ast.Assign(targets=[ast.Name(id=name)]):
            yield from reads_of(function, name)
        case _:
            yield made


def reads_of(function: FunctionNode, name: str) -> Iterator[ast.Name]:
    """Where a function, with what is defined in it, reads a name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield node
