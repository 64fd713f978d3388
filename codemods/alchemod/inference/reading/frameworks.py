"""What frameworks do with the rows that functions return to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from alchemod.inference.reading.combined import combined, through
from alchemod.inference.reading.shapes import Shape
from alchemod.inference.resolving.routes import is_route
from alchemod.inference.rows.knowledge import MUTE, Handed, HandedExposure, HandedRead
from alchemod.inference.scoping.scopes import FUNCTIONS, FunctionNode
from alchemod.inference.values import Answer, ModelClass, Object, Outside, Place

if TYPE_CHECKING:
    from alchemod.inference.reading.table import Readings


class Frameworks:
    """Answers for one project."""

    def __init__(self, readings: Readings) -> None:
        self._readings: Final = readings

    def given(self, inside: Place, shape: Shape) -> Handed:
        """What becomes of a value that the function whose inside is `inside` returns: FastAPI validates what a route
        returns against its response model ("Response Model - Return Type")."""
        function = inside.scope.node
        if not isinstance(function, FUNCTIONS):
            return MUTE
        if self._is_resolver(function, inside):
            return _as_asked(shape)
        if not is_route(function):
            return MUTE
        models = list(_response_models(function))
        return combined(self._readings.schemas.annotated(model, inside.module, shape) for model in models[:1])

    def _is_resolver(self, function: FunctionNode, inside: Place) -> bool:
        """Whether GraphQL gets what a function returns: a resolver of graphene, or a field of strawberry."""
        outer = Place(inside.module, inside.scope.parent or inside.scope)
        if any(self._is_of(decorator, "strawberry.", outer) for decorator in function.decorator_list):
            return True
        cls = outer.scope.node
        if not function.name.startswith("resolve_") or not isinstance(cls, ast.ClassDef):
            return False
        return any(self._is_of(base, "graphene", Place(outer.module, outer.scope.root)) for base in cls.bases)

    def _is_of(self, node: ast.expr, library: str, place: Place) -> bool:
        answer = self._readings.resolver.value(node.func if isinstance(node, ast.Call) else node, place)
        match answer:
            case Answer(value=Outside(definition=definition)):
                return definition.name.startswith(library)
        return False


def _as_asked(shape: Shape) -> Handed:
    """What GraphQL may read: the relationships that a request asks for."""
    if (element := shape.element) is not None:
        return through(_as_asked(element), () if shape.listed else ("[]",), repeated=True)
    match shape.value:
        case Object(of=ModelClass(model=model)):
            names = (name for name, found in model.attributes.items() if found.kind == "relationship")
            why = ("GraphQL reads what each request asks for",)
            reads = frozenset(HandedRead((name,), must=False, why=why) for name in names)
            return Handed(reads, frozenset([HandedExposure("runtime", (), why)]))
    return MUTE


def _response_models(function: FunctionNode) -> Iterator[ast.expr]:
    """The type that the answer of a route is made of: what its decorator says, else its annotation."""
    for decorator in function.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "response_model":
                yield keyword.value
    if function.returns is not None:
        yield function.returns
