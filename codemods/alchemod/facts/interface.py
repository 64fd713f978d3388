"""What other files can see of a file: its names, classes and signatures, not the bodies of its functions."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from typing import Any, TypeAlias

from alchemod.facts.module import Assigned, Binding, ClassFacts, FunctionFacts, Import, Module

Interface: TypeAlias = frozenset[tuple[str, Hashable]]
"""Dotted names with what they are, `*` for star imports; equal for two contents that look the same from outside."""


def interface(module: Module | None) -> Interface:
    """The facts of a file without positions; nothing for a file that has none."""
    return frozenset(_parts(module)) if module is not None else frozenset()


def changed_names(before: Interface, after: Interface) -> frozenset[str]:
    """The names whose definitions differ between two interfaces, without module and class; `*` for star imports."""
    return frozenset(name.rpartition(".")[2] for name, _ in before ^ after)


def _parts(module: Module) -> Iterator[tuple[str, Hashable]]:
    for name, bindings in module.bindings.items():
        for binding in bindings:
            yield name, _binding(binding)
    yield "*", tuple(module.stars)
    for facts in module.classes.values():
        yield facts.qualname, _shape([facts.bases, facts.keywords, facts.decorators])
        for name, assigned in facts.attributes.items():
            yield f"{facts.qualname}.{name}", _binding(assigned)
        for name, body in facts.bodies.items():
            yield f"{facts.qualname}.{name}", _shape(body)
    for name, calls in module.handed.items():
        yield name, frozenset(calls)
    for function in module.functions.values():
        yield function.qualname, _binding(function)


def _binding(binding: Binding) -> Hashable:
    match binding:
        case Import(module=module, name=name):
            return "import", module, name
        case Assigned(value=value, annotation=annotation):
            return _shape([value, annotation])
        case FunctionFacts():
            return _shape([binding.arguments, binding.returns, binding.decorators])
        case ClassFacts(qualname=qualname):
            return "class", qualname
    return "opaque"


def _shape(part: Any) -> Hashable:
    """A node, a list of nodes or what a field holds, without positions: equal for equal code.

    Flat, so that a chain of any length has one: types and lengths of lists tell where each part ends.
    """
    found: list[Any] = []
    stack: list[Any] = [part]
    while stack:
        current = stack.pop()
        if isinstance(current, ast.AST):
            found.append(type(current))
            stack += [getattr(current, name, None) for name in reversed(current._fields)]
        elif isinstance(current, list):
            found.append((list, len(current)))
            stack += reversed(current)
        else:
            found.append((type(current), current))
    return tuple(found)
