"""Functions that are called by another way than their name: out of a table, `HANDLERS[kind](row)`, or with arguments
bound before, `partial(show, "*")(row)`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from alchemod.facts.lookup import Variable
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.values import Answer, FunctionObject, LocalFunction, Outside, Place

_MAX_FUNCTIONS: Final = 12


@dataclass(frozen=True, slots=True)
class IndirectCall:
    """A function that a call may run, and the call with the arguments that the function gets.

    `is_certain`: no other function may run instead.
    """

    callee: Answer
    call: ast.Call
    is_certain: bool


class Indirect:
    """What is called indirectly in one project."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver

    def of(self, call: ast.Call, place: Place) -> list[IndirectCall]:
        """The functions that a call may run; none where they are not all seen."""
        table = _table(call.func)
        if table is None:
            found = self._bound(self._assigned(call.func, place) or (call.func, place), call, is_certain=True)
            return [found] if found is not None else []
        display = self._assigned(table, place) or (table, place)
        functions = _listed(display[0])
        given = [self._bound((function, display[1]), call, is_certain=False) for function in functions]
        known = [function for function in given if function is not None]
        return known if len(known) == len(functions) <= _MAX_FUNCTIONS else []

    def _bound(self, function: tuple[ast.expr, Place], call: ast.Call, *, is_certain: bool) -> IndirectCall | None:
        node, place = function
        match node:
            case ast.Call(func=maker, args=[inner, *bound], keywords=keywords) if self._is_partial(maker, place):
                full = ast.Call(inner, [*bound, *call.args], [*keywords, *call.keywords])
                return self._bound((inner, place), full, is_certain=is_certain)
        answer = self._resolver.value(node, place)
        match answer:
            case Answer(value=FunctionObject() | LocalFunction()):
                return IndirectCall(answer, call, is_certain)
        return None

    def _is_partial(self, maker: ast.expr, place: Place) -> bool:
        match self._resolver.value(maker, place):
            case Answer(value=Outside(definition=definition)):
                return definition.name == "functools.partial"
        return False

    def _assigned(self, node: ast.expr, place: Place) -> tuple[ast.expr, Place] | None:
        """The only thing that is assigned to a variable, and where; a table that is changed later is not followed."""
        if not isinstance(node, ast.Name):
            return None
        owner, root = place.scope.owner(node.id), place.scope.root.node
        if owner is not None and owner.parent is not None:
            found = definitions(root, node) if isinstance(root, ast.Module) else None
            single = found.single if found is not None else None
            if found is None or found.owner is None or single is None or single.value is None or single.position != ():
                return None
            return single.value, Place(place.module, found.owner)
        match self._resolver.project.lookup.name(place.module, node.id):
            case Variable(module=module, assigned=assigned, others=()) if assigned.value is not None:
                return assigned.value, self._resolver.top_of(module)
        return None


def _table(function: ast.expr) -> ast.expr | None:
    """The table that a function is taken out of."""
    match function:
        case ast.Subscript(value=table):
            return table
        case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_]):
            return table
    return None


def _listed(display: ast.expr) -> list[ast.expr]:
    match display:
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return values
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return elements
    return []
