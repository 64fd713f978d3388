"""How a table can be written at a place: its mapped class, or the variable that holds the `Table`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.facts.module import Assigned, Binding, Import, Module
from alchemod.facts.tables import Table
from alchemod.inference.names.spelling import Spelling, closes_cycle, spelling_of
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.values import Answer, Entity, ModelClass, Place, ProjectModule, TableObject


def table_spelling(table: Table, at: ast.expr, place: Place, resolver: Resolver) -> Spelling | None:
    """How a table is written at the expression `at`; None when no name can stand for it there."""
    if table.model is not None:
        return spelling_of(Entity(ModelClass(table.model)), at, place, resolver)
    for name in _names(place):
        match resolver.named(name, place):
            case Answer(value=TableObject(table=found, alias=None)) if found is table:
                return Spelling(name)
            case Answer(value=ProjectModule(module=module)) if module is table.module:
                variable = _variable(table, module)
                if variable is not None:
                    return Spelling(f"{name}.{variable}")
    variable = _variable(table, table.module)
    if variable is None or place.scope.owner(variable) is not None:
        return None
    cycle = closes_cycle(resolver.project, place.module, table.module)
    return Spelling(variable, f"{table.module.name}.{variable}", cycle)


def _names(place: Place) -> Iterator[str]:
    """The names in scope that may stand for a table or its module."""
    for name, bindings in place.module.bindings.items():
        if place.scope.owner(name) in {None, place.scope.root} and any(map(_may_hold_table, bindings)):
            yield name


def _may_hold_table(binding: Binding) -> bool:
    """Whether a name is imported, or bound to what a call gives."""
    return isinstance(binding, Import) or (isinstance(binding, Assigned) and isinstance(binding.value, ast.Call))


def _variable(table: Table, module: Module) -> str | None:
    """The module-level name that a `Table(...)` is assigned to."""
    for name, bindings in module.bindings.items():
        match bindings:
            case [Assigned(value=value)] if value is table.call:
                return name
    return None
