"""What a binding gives its name: an assignment, a loop, a `with`, a parameter, an import."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from alchemod.facts.module import imported
from alchemod.inference.resolving import calls, members
from alchemod.inference.resolving.annotation import annotated
from alchemod.inference.resolving.containers import element_of, entered, part_of
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.values import Answer, Collection, LocalFunction, Place

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver


def bound(binding: Binding, place: Place, resolver: Resolver) -> Answer | None:
    """What a binding gives its name."""
    match binding.kind:
        case "assignment" | "walrus":
            if binding.value is None:
                return None
            answer = resolver.value(binding.value, place)
            return _at(answer, binding.position)
        case "annotation":
            assert isinstance(binding.node, ast.AnnAssign)
            answer = resolver.value(binding.value, place) if binding.value is not None else None
            return answer or annotated(binding.node.annotation, place, resolver)
        case "with":
            answer = resolver.value(binding.value, place) if binding.value is not None else None
            return _at(entered(answer), binding.position)
        case "loop" | "comprehension":
            answer = _iterable(binding, place, resolver)
            return _at(element_of(answer), binding.position)
        case "parameter":
            return _parameter(binding, place, resolver)
        case "import":
            return _local_import(binding, place, resolver)
        case "function":
            assert isinstance(binding.node, ast.FunctionDef | ast.AsyncFunctionDef)
            return Answer(LocalFunction(binding.node, place))
    return None


def _iterable(binding: Binding, place: Place, resolver: Resolver) -> Answer | None:
    if binding.value is None:
        return None
    scope = place.scope
    if binding.kind == "comprehension" and scope.parent is not None and scope.is_comprehension:
        clauses = scope.node.generators  # type: ignore[union-attr]
        if clauses[0].iter is binding.value:
            return resolver.value(binding.value, Place(place.module, scope.parent))
    return resolver.value(binding.value, place)


def _at(answer: Answer | None, position: tuple[int, ...] | None) -> Answer | None:
    if answer is None or position is None:
        return None
    for index in position:
        if answer is None:
            return None
        answer = part_of(answer, ast.Constant(index))
    return answer


def _parameter(binding: Binding, place: Place, resolver: Resolver) -> Answer | None:
    assert isinstance(binding.node, ast.arg)
    function = place.scope.node
    if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        owner = resolver.enclosing_class(place)
        first = next(iter((*function.args.posonlyargs, *function.args.args)), None)
        if owner is not None and binding.node is first and not members.is_static(function):
            return members.first_parameter(function, resolver.class_of(owner))
        if binding.node is function.args.kwarg:
            return None
    annotation = binding.node.annotation
    if annotation is not None:
        outer = Place(place.module, place.scope.parent or place.scope)
        answer = annotated(annotation, outer, resolver)
        if answer is not None:
            is_several = binding.node is getattr(getattr(function, "args", None), "vararg", None)
            return answer.then(Collection(answer.value)) if is_several else answer
    if binding.value is not None and place.scope.parent is not None:
        answer = calls.default(binding.value, Place(place.module, place.scope.parent), resolver)
        if answer is not None:
            return answer
    return resolver.callers.argument(binding, place) if resolver.follow_callers else None


def _local_import(binding: Binding, place: Place, resolver: Resolver) -> Answer | None:
    if binding.statement is None:
        return None
    for name, found in imported(place.module, binding.statement):
        if name == binding.name:
            return resolver.defined(resolver.project.lookup.binding(place.module, name, found))
    return None
