"""Whether a statement loads a collection by a join, so that its rows repeat their objects.

"Relationship Loading Techniques": `joinedload()`, `contains_eager()` and `lazy="joined"`, the latter also on classes
that are reached through other joined relationships.
"""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.models import Models
from alchemod.facts.module import last_name
from alchemod.inference.names.assigned import spelled_out
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.values import Answer, ModelAttribute, Place

_JOINED: Final = frozenset({"joinedload", "contains_eager", "eagerload", "joinedload_all", "eagerload_all"})
_OF_COLUMNS: Final = frozenset({"load_only", "defer", "undefer", "undefer_group", "with_expression"})
_SEPARATE: Final = frozenset(
    {
        *("selectinload", "subqueryload", "subqueryload_all", "lazyload", "immediateload", "noload", "raiseload"),
        *("selectin_polymorphic", "with_loader_criteria"),
    }
)
"""Options behind which a path goes on in statements of its own."""


def joins_collection(model: Model, models: Models) -> bool:
    """Whether loading a class joins a collection because its models say so, or that cannot be excluded."""
    seen: set[Model] = set()
    pending = [model]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        for one in (current, *models.subclasses(current)):
            for attribute in one.attributes.values():
                if attribute.kind != "relationship" or not models.may_be_joined(attribute):
                    continue
                if models.is_collection(attribute, one) is not False:
                    return True
                target = models.target(attribute, one)
                if target is None:
                    return True
                pending.append(target)
    return False


def options_join_collection(arguments: list[ast.expr], lead: Model | None, place: Place, resolver: Resolver) -> bool:
    """Whether the arguments of `options()` join a collection, or that cannot be excluded."""
    return any(_joins_collection(argument, lead, place, resolver) for argument in arguments)


def _joins_collection(option: ast.expr, lead: Model | None, place: Place, resolver: Resolver) -> bool:
    option = spelled_out(option, place)
    if isinstance(option, ast.Starred):
        option = spelled_out(option.value, place)
    if isinstance(option, ast.List | ast.Tuple):
        return any(_joins_collection(part, lead, place, resolver) for part in option.elts)
    links = _links(option)
    if not links:
        return True
    models = resolver.project.models
    current = lead
    for name, call in links:
        if name in _SEPARATE:
            return False
        if name in _OF_COLUMNS or name == "Load":
            continue
        if name not in _JOINED and name != "defaultload":
            return True
        for argument in call.args:
            found = _relationship(argument, current, place, resolver)
            if found is None:
                return True
            attribute, owner = found
            if name in _JOINED and models.is_collection(attribute, owner) is not False:
                return True
            current = models.target(attribute, owner)
            if current is None or joins_collection(current, models):
                return True
    return False


def _links(option: ast.expr) -> list[tuple[str, ast.Call]]:
    """The calls of a chain such as `joinedload(A.b).load_only(B.c)`, first to last; none when it is something else."""
    links: list[tuple[str, ast.Call]] = []
    node = option
    while isinstance(node, ast.Call):
        links.append((last_name(node.func), node))
        match node.func:
            case ast.Attribute(value=ast.Call() as inner):
                node = inner
            case _:
                return links[::-1]
    return []


def _relationship(
    argument: ast.expr, lead: Model | None, place: Place, resolver: Resolver
) -> tuple[Attribute, Model] | None:
    """The relationship that an option names: `A.b`, `A.b.of_type(C)`, `A.b.and_(...)`, `"b"` of 1.x."""
    while isinstance(argument, ast.Call) and last_name(argument.func) in {"of_type", "and_"}:
        assert isinstance(argument.func, ast.Attribute)
        argument = argument.func.value
    match argument:
        case ast.Constant(value=str() as name) if lead is not None:
            attribute = resolver.project.models.attribute(lead, name)
            return (attribute, lead) if attribute is not None and attribute.kind == "relationship" else None
    match resolver.value(argument, place):
        case Answer(value=ModelAttribute(owner=owner, attribute=attribute)) if attribute.kind == "relationship":
            return attribute, owner.model
    return None
