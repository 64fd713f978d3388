"""Dotted names that may give another object each time they are read: properties, descriptors, attributes that are set
again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import ClassFacts, FunctionFacts, last_name
from alchemod.inference.values import Answer, ClassObject, Object, Place

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

_METHODS: Final = frozenset({"staticmethod", "classmethod", "abstractmethod", "override", "overload"})
_KEEPING: Final = ("cached", "memoized", "reify", "lazy")
"""How decorators are called that compute an attribute once."""
_BEGINNING: Final = frozenset({"__init__", "__enter__", "__aenter__", "__new__", "__post_init__", "setUp", "setup"})


def computed(name: ast.expr, place: Place, resolver: Resolver) -> str | None:
    """What reads a link of a dotted name anew each time, as far as the project defines it; None where nothing does."""
    for attribute in _links(name):
        for facts in _classes(attribute.value, place, resolver):
            method = facts.methods.get(attribute.attr)
            if method is not None:
                return f"{facts.name}.{attribute.attr}" if _is_property(method) else None
            if _is_descriptor(facts, attribute.attr, resolver):
                return f"{facts.name}.{attribute.attr}"
    return None


def set_again(name: ast.expr, place: Place, resolver: Resolver) -> str | None:
    """The method that sets a link of a dotted name, besides those that begin the life of an object; None for none."""
    for attribute in _links(name):
        for facts in _classes(attribute.value, place, resolver):
            for method in facts.methods.values():
                if method.name not in _BEGINNING and attribute.attr in resolver.instances.set_by(method):
                    return f"{facts.name}.{method.name}()"
    return None


def _links(name: ast.expr) -> Iterator[ast.Attribute]:
    while isinstance(name, ast.Attribute):
        yield name
        name = name.value


def _classes(owner: ast.expr, place: Place, resolver: Resolver) -> list[ClassFacts]:
    """The classes of the project that an object may have its attributes from."""
    match resolver.value(owner, place):
        case Answer(value=Object(of=ClassObject(facts=facts))):
            families = resolver.project.families
            return [*families.above(facts), *(families.below(facts) or ())]
    return []


def _is_property(method: FunctionFacts) -> bool:
    names = [last_name(decorator) for decorator in method.decorators]
    return any(name not in _METHODS and not any(word in name.lower() for word in _KEEPING) for name in names)


def _is_descriptor(facts: ClassFacts, name: str, resolver: Resolver) -> bool:
    assigned = facts.attributes.get(name)
    call = assigned.value if assigned is not None else None
    if not isinstance(call, ast.Call):
        return False
    made = resolver.project.lookup.expression(facts.module, call.func)
    return last_name(call) == "property" or (
        isinstance(made, ClassFacts) and resolver.project.families.defines(made, "__get__")
    )
