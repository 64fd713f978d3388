"""How a mapped class can be written at a place: by a name in scope, through a module in scope, or after an import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from alchemod.facts.lookup import Definition
from alchemod.facts.module import ClassFacts, Import, Module
from alchemod.facts.project import Project
from alchemod.inference.resolver import Resolver
from alchemod.inference.values import Entity, ModelClass, Place, ProjectModule


@dataclass(frozen=True, slots=True)
class Spelling:
    """`code` is what to write. `imported` is the dotted name to import first, None when the name is in scope.

    `cycle` says that the import would close a circle of imports.
    """

    code: str
    imported: str | None = None
    cycle: bool = False


def spelling_of(entity: Entity, place: Place, resolver: Resolver) -> Spelling | None:
    """How `entity` is written at `place`; None when an alias is out of sight there."""
    for code in _candidates(entity, place):
        if _means(code, entity.cls, place, resolver):
            return Spelling(code)
    if entity.cls.alias is not None:
        return None
    facts = entity.model.facts
    if "." in facts.qualname:
        return None
    for code in _through_modules(facts, place, resolver):
        return Spelling(code)
    dotted = f"{facts.module.name}.{facts.name}"
    return Spelling(facts.name, dotted, closes_cycle(resolver.project, place.module, facts.module))


def _candidates(entity: Entity, place: Place) -> Iterator[str]:
    node = entity.node
    if node is not None and _is_dotted(node):
        yield ast.unparse(node)
    if entity.cls.alias is None:
        yield entity.model.name
    # An imported alias of the class, or the variable that holds an `aliased()`.
    yield from (
        name
        for name, bindings in place.module.bindings.items()
        if any(isinstance(b, Import) for b in bindings)
    )
    scope = place.scope
    while scope.parent is not None:
        yield from scope.bindings
        scope = scope.parent


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _means(code: str, cls: ModelClass, place: Place, resolver: Resolver) -> bool:
    """Whether `code`, a dotted name, stands for just this class (or alias) at `place`."""
    first, *rest = code.split(".")
    answer = resolver.named(first, place)
    for part in rest:
        if answer is None:
            return False
        answer = resolver.read(answer, part, place)
    if answer is None or not isinstance(answer.value, ModelClass):
        return False
    return answer.value.model is cls.model and answer.value.alias is cls.alias


def _through_modules(facts: ClassFacts, place: Place, resolver: Resolver) -> Iterator[str]:
    for name, bindings in place.module.bindings.items():
        if not any(isinstance(binding, Import) for binding in bindings):
            continue
        answer = resolver.named(name, place)
        if answer is not None and isinstance(answer.value, ProjectModule):
            if resolver.project.lookup.name(answer.value.module, facts.name) is facts:
                yield f"{name}.{facts.name}"


def closes_cycle(project: Project, importer: Module, imported: Module) -> bool:
    """Whether `imported` already imports `importer` at import time, directly or through other modules of the project."""
    seen: set[str] = set()
    stack = [imported]
    while stack:
        module = stack.pop()
        if module is importer:
            return True
        if module.name in seen:
            continue
        seen.add(module.name)
        for bindings in module.bindings.values():
            for binding in bindings:
                if isinstance(binding, Import):
                    stack.extend(_modules_of(project.lookup.module(binding.module, module)))
                    if binding.name is not None:
                        dotted = f"{binding.module}.{binding.name}"
                        stack.extend(_modules_of(project.lookup.module(dotted, module)))
        stack.extend(
            found for star in module.stars for found in _modules_of(project.lookup.module(star, module))
        )
    return False


def _modules_of(definition: Definition | None) -> Iterator[Module]:
    if isinstance(definition, Module):
        yield definition
