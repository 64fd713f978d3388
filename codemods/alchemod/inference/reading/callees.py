"""What the code that is called does with the rows it gets: functions, methods and properties of the project, and the
libraries that are understood."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from alchemod.facts.model import Model
from alchemod.facts.module import ClassFacts, FunctionFacts, last_name
from alchemod.inference.reading.combined import combined, perhaps, through
from alchemod.inference.reading.foreign import LEVELS, TEXT, is_harmless, is_logger, keeps
from alchemod.inference.reading.marshmallow import DUMPING
from alchemod.inference.reading.schemas import VALIDATING
from alchemod.inference.reading.shapes import Shape
from alchemod.inference.resolving.functions import TRANSPARENT
from alchemod.inference.resolving.indirect import Indirect
from alchemod.inference.rows.knowledge import MUTE, OPAQUE, Handed
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.summaries.targets import Target
from alchemod.inference.values import (
    Answer,
    ClassObject,
    FunctionObject,
    LocalFunction,
    Method,
    ModelClass,
    Object,
    Outside,
    Place,
)

if TYPE_CHECKING:
    from alchemod.inference.reading.table import Readings

_KEEPING_CLASSES: Final = frozenset({"dataclass", "define", "attrs", "s", "frozen"})
"""Decorators of classes whose constructor keeps what it gets."""


class Callees:
    """Answers for one project."""

    def __init__(self, readings: Readings) -> None:
        self._readings: Final = readings
        self._resolver: Final = readings.resolver
        self._indirect: Final = Indirect(readings.resolver)

    def handed(self, call: ast.Call, argument: ast.expr, shape: Shape | None, place: Place) -> Handed:
        """What the callee of `call`, in `place`, does with an argument; None for a shape that is not known."""
        callee = self._value(call.func, place)
        match callee:
            case Answer(value=Outside(definition=definition)):
                return self._of_library(definition.name, call, shape)
            case Answer(value=FunctionObject() | LocalFunction()):
                return self._of_targets(callee, call, argument, shape)
            case Answer(value=ModelClass() | Method()):
                return MUTE
            case Answer(value=ClassObject(facts=facts)) if self._readings.schemas.is_schema(facts):
                return self._of_field(facts, call, argument, shape)
            case Answer(value=ClassObject(facts=facts)):
                is_plain = any(last_name(part) in _KEEPING_CLASSES for part in facts.decorators)
                return MUTE if is_plain else self._of_targets(callee, call, argument, shape)
            case None if indirect := self._indirect.of(call, place):
                every = [self._of_targets(one.callee, one.call, argument, shape) for one in indirect]
                return combined(every) if all(one.is_certain for one in indirect) else perhaps(combined(every))
            case None:
                return self._of_schema(call, shape, place) or self._of_unknown(call, shape, place)
        return OPAQUE

    def _of_field(self, facts: ClassFacts, call: ast.Call, argument: ast.expr, shape: Shape | None) -> Handed:
        """The constructor of a schema validates its arguments against the types of its fields."""
        name = next((keyword.arg for keyword in call.keywords if keyword.value is argument), None)
        return OPAQUE if name is None or shape is None else self._readings.schemas.field(facts, name, shape)

    def _of_schema(self, call: ast.Call, shape: Shape | None, place: Place) -> Handed | None:
        """What `Schema.model_validate(x)`, or a type adapter, reads; None for other calls."""
        schemas = self._readings.schemas
        match call.func:
            case ast.Attribute(value=owner, attr=name) if name in VALIDATING and shape is not None:
                match self._value(owner, place):
                    case Answer(value=ClassObject(facts=facts)) if schemas.is_schema(facts):
                        return schemas.validated(facts, shape)
            case ast.Attribute(value=owner, attr=name) if name in DUMPING and shape is not None:
                match self._value(owner, place):
                    case Answer(value=Object(of=ClassObject(facts=facts))) if self._readings.marshmallow.is_schema(
                        facts
                    ):
                        return self._readings.marshmallow.dumped(facts, shape)
            case ast.Attribute(value=ast.Call(args=[annotation, *_]) as adapter, attr="validate_python") if (
                last_name(adapter) == "TypeAdapter" and shape is not None
            ):
                return schemas.annotated(annotation, place.module, shape)
        return None

    def method(self, shape: Shape, name: str) -> Handed:
        """What a method or property of a mapped object does with the object: that of its class, or of a subclass."""
        match shape.value:
            case Object(of=ModelClass(model=model)):
                bodies = [self._body(facts, shape) for facts in self._bodies(model, name)]
                found = self._resolver.project.models.attribute(model, name)
                declared = found is not None and found.kind in {"property", "hybrid", "method"}
                return combined(bodies) if bodies else OPAQUE if declared else MUTE
        return MUTE

    def text(self, shape: Shape) -> Handed:
        """What makes text of an object calls its `__str__` or `__repr__`, that of a list those of its elements."""
        if (element := shape.element) is not None:
            inside = self.text(element)
            return through(inside, () if shape.listed else ("[]",), "making text of it")
        match shape.value:
            case Object(of=ModelClass(model=model)):
                name = next((name for name in ("__str__", "__repr__") if list(self._bodies(model, name))), None)
                return self.method(shape, name) if name is not None else MUTE
        return MUTE

    def _of_library(self, dotted: str, call: ast.Call, shape: Shape | None) -> Handed:
        name = dotted.rpartition(".")[2]
        if is_harmless(name) and isinstance(call.func, ast.Name):
            return self._text_of(shape) if name in TEXT else MUTE
        if dotted.startswith("logging.") or name in LEVELS:
            return perhaps(self._text_of(shape))
        return OPAQUE

    def _of_unknown(self, call: ast.Call, shape: Shape | None, place: Place) -> Handed:
        match call.func:
            case ast.Attribute(value=receiver, attr=name):
                if name in LEVELS and is_logger(last_name(receiver)):
                    return perhaps(self._text_of(shape))
                return MUTE if keeps(name, receiver) else OPAQUE
            case ast.Name(id=name) if is_harmless(name) and place.scope.owner(name) is None:
                return self._text_of(shape) if name in TEXT else MUTE
        return OPAQUE

    def _text_of(self, shape: Shape | None) -> Handed:
        return MUTE if shape is None else self.text(shape)

    def _of_targets(self, callee: Answer, call: ast.Call, argument: ast.expr, shape: Shape | None) -> Handed:
        """What the functions that a call may run do with an argument."""
        targets = self._readings.targets.of(callee)
        if not targets or shape is None:
            return OPAQUE
        return combined(self._with_argument(target, call, argument, shape) for target in targets)

    def _with_argument(self, target: Target, call: ast.Call, argument: ast.expr, shape: Shape) -> Handed:
        name = target.parameter_of(call, argument)
        parameter = next((one for one in target.inside.scope.parameters if one.arg == name), None)
        return OPAQUE if parameter is None else self._walked(target.inside, parameter, shape)

    def _body(self, facts: FunctionFacts, shape: Shape) -> Handed:
        """What a method does with its `self`."""
        inside = self._resolver.function_place(facts)
        if inside is None or not inside.scope.parameters:
            return OPAQUE
        handed = self._walked(inside, inside.scope.parameters[0], shape)
        return perhaps(handed) if "cached_property" in map(last_name, facts.decorators) else handed

    def _walked(self, inside: Place, parameter: ast.arg, shape: Shape) -> Handed:
        handed = self._readings.handed(inside, parameter, shape)
        decorators = getattr(inside.scope.node, "decorator_list", [])
        unknown = [part for part in decorators if not _is_transparent(part)]
        if not unknown:
            return handed
        outer = Place(inside.module, inside.scope.parent or inside.scope)
        if all(self._calls_through(part, outer) for part in unknown):
            return perhaps(handed)
        return combined([handed, OPAQUE])

    def _calls_through(self, decorator: ast.expr, place: Place) -> bool:
        """Whether a decorator of the project makes a function that calls the decorated one: it uses `wraps`."""
        callee = self._value(decorator.func if isinstance(decorator, ast.Call) else decorator, place)
        match callee:
            case Answer(value=FunctionObject(facts=facts)):
                inside = self._resolver.function_place(facts)
                walked = ast.walk(inside.scope.node) if inside is not None else ()
                return any(
                    "wraps" in map(last_name, node.decorator_list) for node in walked if isinstance(node, FUNCTIONS)
                )
        return False

    def _bodies(self, model: Model, name: str) -> Iterator[FunctionFacts]:
        """The definitions of a method that an object of the class may have: the nearest one, those of subclasses."""
        nearest = next((facts.methods[name] for facts in model.family if name in facts.methods), None)
        if nearest is not None:
            yield nearest
        for subclass in self._resolver.project.models.subclasses(model):
            if name in subclass.facts.methods:
                yield subclass.facts.methods[name]

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        return self._resolver.value(node, Place(place.module, place.scope.innermost(node)))


def _is_transparent(decorator: ast.expr) -> bool:
    if isinstance(decorator, ast.Attribute) and decorator.attr in {"expression", "comparator", "inplace"}:
        return True
    return last_name(decorator) in TRANSPARENT
