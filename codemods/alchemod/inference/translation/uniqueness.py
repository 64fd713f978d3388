"""Whether the result of a `select()` needs `.unique()` to be what a Query gives.

A Query removes repeated rows when there is a mapped class among its columns, a result of `select()` does not
("Joined eager loading and Query de-duplication" in the 1.4 to 2.0 migration guide; each condition verified by
execution). It is needed unless nothing can repeat a row.
"""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.uniqueness import names_own_key
from alchemod.inference.querying.criteria import spoken_of
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.resolving.statements import JOINS
from alchemod.inference.translation.columns import Column, ColumnList, PlaceOf
from alchemod.inference.translation.eager import joins_collection, options_join_collection
from alchemod.inference.values import Answer, ModelAttribute, ModelClass, Place, Statement

_REPEATING: Final = frozenset({"from_statement", "with_entities", "union_all", "intersect_all", "except_all"})


def needs_unique(statement: Statement, columns: ColumnList, place_of: PlaceOf, resolver: Resolver) -> bool:
    """Whether the rows of a statement may repeat, which a Query would hide. `place_of` says where a step stands."""
    if columns.kind == "columns" or statement.has_step("yield_per"):
        return False
    if columns.runtime is not None or statement.has_step(*_REPEATING):
        return True
    entities = set(columns.entities)
    if any(is_of_selectable(cls) or names_own_key(cls.model) for cls in entities):
        return True
    if any(_adds_from(column, entities) for column in columns.columns):
        return True
    if loads_collection(statement, columns, place_of, resolver):
        return True
    present = set(entities)
    for name, call in statement.steps:
        place = place_of(call)
        if name in JOINS:
            target = _single_target(call, present, place, resolver)
            if target is None:
                return True
            present.add(target)
        elif name == "select_from":
            if any(not _is_one_of(argument, entities, place, resolver) for argument in call.args):
                return True
        elif name in {"filter", "where", "filter_by"}:
            found = spoken_of(name, call, present, place, resolver)
            if not found.all_seen or not found.classes <= present:
                return True
    return False


def is_of_selectable(cls: ModelClass) -> bool:
    """Whether an alias stands for the rows of a subquery, which may hold an object more than once."""
    match cls.alias:
        case ast.Call(args=[_, _, *_]):
            return True
        case ast.Call(keywords=keywords):
            return any(keyword.arg in {"alias", None} for keyword in keywords)
    return False


def _adds_from(column: Column, entities: set[ModelClass]) -> bool:
    """Whether an element of the column list brings something else than the classes among them into FROM."""
    is_of_subquery = column.kind in {"column", "bundle"} and not column.owners
    return column.kind == "unknown" or is_of_subquery or not entities.issuperset(column.owners)


def loads_collection(statement: Statement, columns: ColumnList, place_of: PlaceOf, resolver: Resolver) -> bool:
    """Whether a collection is loaded by a join, or that cannot be excluded."""
    if any(joins_collection(cls.model, resolver.project.models) for cls in columns.entities):
        return True
    lead = columns.entities[0].model if columns.entities else None
    return any(
        options_join_collection(call.args, lead, place_of(call), resolver)
        for name, call in statement.steps
        if name == "options"
    )


def _single_target(call: ast.Call, present: set[ModelClass], place: Place, resolver: Resolver) -> ModelClass | None:
    """The class that a join goes to along a many-to-one of a class that is there; None for any other join."""
    match call.args:
        case [on]:
            target = None
        case [target, on]:
            pass
        case _:
            return None
    match on:
        case ast.Call(func=ast.Attribute(value=on, attr="of_type"), args=[typed]) if target is None:
            target = typed
    models = resolver.project.models
    match resolver.value(on, place):
        case Answer(value=ModelAttribute(owner=owner, attribute=attribute)) if (
            attribute.kind == "relationship" and owner in present and models.is_many_to_one(attribute, owner.model)
        ):
            pass
        case _:
            return None
    if target is None:
        found = models.target(attribute, owner.model)
        return ModelClass(found) if found is not None else None
    match resolver.value(target, place):
        case Answer(value=ModelClass() as cls) if not is_of_selectable(cls):
            return cls
    return None


def _is_one_of(node: ast.expr, entities: set[ModelClass], place: Place, resolver: Resolver) -> bool:
    match resolver.value(node, place):
        case Answer(value=ModelClass() as cls):
            return cls in entities
    return False
