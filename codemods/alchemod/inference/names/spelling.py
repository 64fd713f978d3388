"""How a mapped class can be written at a place: by a name in scope, through a module in scope, or after an import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from alchemod.facts.certain import certain_names
from alchemod.facts.lookup import Definition, External, Variable
from alchemod.facts.module import ClassFacts, Import, Module
from alchemod.facts.nodes import is_dotted
from alchemod.facts.project import Project
from alchemod.inference.control.dominance import dominates
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.scopes import Scope, contains
from alchemod.inference.values import Answer, Entity, ModelClass, Place, ProjectModule


@dataclass(frozen=True, slots=True)
class Spelling:
    """`code` is what to write. `imported` is the dotted name to import first, None when the name is in scope.

    `cycle` says that the import would close a circle of imports.
    """

    code: str
    imported: str | None = None
    cycle: bool = False


def spelling_of(entity: Entity, at: ast.expr, place: Place, resolver: Resolver) -> Spelling | None:
    """How `entity` is written at the expression `at`, which stands in `place`; None when no name can stand for it."""
    if entity.node is not None and contains(at, entity.node) and _is_again(entity, place):
        return Spelling(ast.unparse(entity.node))
    for code in _candidates(entity, place, resolver):
        if _means(code, entity.cls, place, resolver) and _is_bound(code, at, place):
            return Spelling(code)
    if entity.cls.alias is not None or _is_open(entity.cls, resolver):
        return None
    facts = entity.model.facts
    if "." in facts.qualname:
        return None
    for code in _through_modules(facts, place, resolver):
        if _is_bound(code, at, place):
            return Spelling(code)
    if _is_taken(facts.name, place):
        return None
    source = _source_of(facts, place, resolver)
    return Spelling(facts.name, f"{source.name}.{facts.name}", closes_cycle(resolver.project, place.module, source))


def spelling_of_name(module: Module, name: str, place: Place, project: Project) -> Spelling | None:
    """How the name `name` of the top level of `module` is written in `place`; None when it means something else
    there."""
    owner = place.scope.owner(name)
    if owner is not None and owner.parent is not None:
        return None
    if _is_same(project.lookup.name(place.module, name), project.lookup.name(module, name)):
        return Spelling(name)
    if _is_taken(name, place) or module is place.module:
        return None
    return Spelling(name, f"{module.name}.{name}", closes_cycle(project, place.module, module))


def _is_same(one: Definition | None, other: Definition | None) -> bool:
    match one, other:
        case Variable(module=module, name=name), Variable(module=others, name=other_name):
            return module is others and name == other_name
        case External(name=name), External(name=other_name):
            return name == other_name
    return one is not None and one is other


def why_not_spelled(entity: Entity, place: Place, resolver: Resolver) -> str:
    """Why `spelling_of` found nothing, for people."""
    name = entity.model.name
    if entity.cls.alias is not None:
        return f"no name in scope stands for this alias of {name}"
    if _is_open(entity.cls, resolver):
        return f"a subclass may stand for {name}, and no name in scope stands for it"
    if not _is_taken(name, place):
        return f"no name in scope stands for {name}"
    owner = place.scope.owner(name)
    if owner is not None and owner.parent is None and name not in certain_names(_module_of(place)):
        return f"{name} is not bound on every way through this module"
    return f"{name} stands for something else here"


def _is_again(entity: Entity, place: Place) -> bool:
    """Whether the code of an entity, part of the expression at hand, means the same when it is written once more."""
    node, where = entity.node, entity.place
    if node is None or where is None or where.scope is not place.scope:
        return False
    return is_dotted(node) or (entity.cls.is_open and ast.unparse(node) == "type(self)")


def _is_open(cls: ModelClass, resolver: Resolver) -> bool:
    """Whether a subclass may stand for the class, and there are some."""
    return cls.is_open and bool(resolver.project.models.subclasses(cls.model))


def _candidates(entity: Entity, place: Place, resolver: Resolver) -> Iterator[str]:
    node = entity.node
    if node is not None and is_dotted(node):
        yield ast.unparse(node)
    if entity.cls.alias is None and not _is_open(entity.cls, resolver):
        yield entity.model.name
    # An imported alias of the class, or the variable that holds an `aliased()`.
    yield from (
        name for name, bindings in place.module.bindings.items() if any(isinstance(b, Import) for b in bindings)
    )
    scope = place.scope
    while scope.parent is not None:
        yield from scope.bindings
        scope = scope.parent


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
    found = answer.value
    same_openness = found.is_open == cls.is_open or not (_is_open(found, resolver) or _is_open(cls, resolver))
    return found.model is cls.model and found.alias is cls.alias and same_openness


def _is_bound(code: str, at: ast.expr, place: Place) -> bool:
    """Whether the first name of `code` has its value wherever `at` runs."""
    name = code.partition(".")[0]
    owner = place.scope.owner(name)
    if owner is None:
        return True
    if owner.parent is None:
        bindings = [b for b in place.module.bindings.get(name, ()) if not (isinstance(b, Import) and b.is_typing)]
        if name not in certain_names(_module_of(place)):
            return False
        return bool(bindings) and (_runs_later(place.scope, owner) or any(b.line < at.lineno for b in bindings))
    if owner.is_comprehension or _runs_later(place.scope, owner):
        return True
    return any(dominates(binding, owner.node, at) for binding in owner.bindings[name])


def _module_of(place: Place) -> ast.Module:
    root = place.scope.root.node
    assert isinstance(root, ast.Module)
    return root


def _runs_later(reading: Scope, owner: Scope) -> bool:
    """Whether the code of a scope runs on its own, after that of `owner`: a function lies between."""
    scope: Scope | None = reading
    while scope is not None and scope is not owner:
        if scope.is_function:
            return True
        scope = scope.parent
    return False


def _is_taken(name: str, place: Place) -> bool:
    """Whether the name of a class that is not in scope belongs to something else, here or in the whole module."""
    owner = place.scope.owner(name)
    if owner is None:
        return False
    bindings = place.module.bindings.get(name, ()) if owner.parent is None else ()
    return not bindings or not all(isinstance(binding, Import) and binding.is_typing for binding in bindings)


def _through_modules(facts: ClassFacts, place: Place, resolver: Resolver) -> Iterator[str]:
    path = facts.module.name
    tops = place.module.bindings.get(path.partition(".")[0], ())
    is_imported = any(isinstance(binding, Import) and binding.name is None for binding in tops)
    if is_imported and _names(f"{path}.{facts.name}", facts, place, resolver):
        yield f"{path}.{facts.name}"
    for name, bindings in place.module.bindings.items():
        if not any(isinstance(binding, Import) for binding in bindings):
            continue
        match resolver.named(name, place):
            case Answer(value=ProjectModule(module=module)):
                if resolver.project.lookup.name(module, facts.name) is facts:
                    yield f"{name}.{facts.name}"


def _names(code: str, facts: ClassFacts, place: Place, resolver: Resolver) -> bool:
    """Whether a dotted name stands for a class of the project at `place`."""
    owner = place.scope.owner(code.partition(".")[0])
    if owner is not None and owner.parent is not None:
        return False
    return resolver.project.lookup.expression(place.module, ast.parse(code, mode="eval").body) is facts


def _source_of(facts: ClassFacts, place: Place, resolver: Resolver) -> Module:
    """The module to import a class from: one that names are imported from already, if it has it, else its own."""
    lookup = resolver.project.lookup
    for bindings in place.module.bindings.values():
        for binding in bindings:
            if isinstance(binding, Import) and binding.name is not None and not binding.is_typing:
                module = lookup.module(binding.module, place.module)
                if isinstance(module, Module) and lookup.name(module, facts.name) is facts:
                    return module
    return facts.module


def closes_cycle(project: Project, importer: Module, imported: Module) -> bool:
    """Whether `imported` already imports `importer` when it runs, directly or through other modules of the project.

    A package runs before the modules in it, so it counts with them, but not the packages that `importer` is in.
    """
    around = _packages_of(importer.name)
    seen: set[str] = set()
    stack = [imported.name]
    while stack:
        dotted = stack.pop()
        if dotted in seen:
            continue
        seen.add(dotted)
        stack += _packages_of(dotted) - around
        module = imported if dotted == imported.name else project.lookup.module(dotted, importer)
        if module is importer:
            return True
        if isinstance(module, Module):
            stack += _imports_of(module)
    return False


def _packages_of(dotted: str) -> set[str]:
    parts = dotted.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}


def _imports_of(module: Module) -> Iterator[str]:
    """The dotted names that a module imports when it runs; some name what is in a module, and are none themselves."""
    yield from module.stars
    for bindings in module.bindings.values():
        for binding in bindings:
            if isinstance(binding, Import) and not binding.is_typing:
                yield binding.module
                if binding.name is not None:
                    yield f"{binding.module}.{binding.name}"
