"""Which entity the keywords of one `filter_by()` call speak of, and how it is written there."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from alchemod.facts.models import Attribute
from alchemod.inference.resolver import Resolver
from alchemod.inference.spelling import Spelling, spelling_of
from alchemod.inference.statements import JOINS, filter_by_target, from_entities
from alchemod.inference.values import Answer, Entity, Outside, Place, Statement

KeyKind = Literal["column", "relationship", "other", "property", "absent", "unknown"]


@dataclass(frozen=True, slots=True)
class FilteredEntity:
    """The receiver of a `filter_by()` call, and the entity its keywords speak of.

    `answer` is about the receiver, `statement` its value. `entity` is None when it is not known; `runtime` is then the
    code of a class that is only known at run time (`self.model`), if there is one. `missing` says what is not known.
    """

    answer: Answer
    statement: Statement
    entity: Entity | None = None
    spelling: Spelling | None = None
    runtime: str | None = None
    missing: str = ""

    @property
    def joins(self) -> int:
        """How many joins come before the call."""
        return sum(name in JOINS for name, _ in self.statement.steps)

    @property
    def several_from(self) -> bool:
        """Whether more than one entity stands in the FROM list."""
        return from_entities(self.statement) > 1


def filtered_entity(call: ast.Call, place: Place, resolver: Resolver) -> FilteredEntity | None:
    """The entity of `receiver.filter_by(...)`; None when the receiver is no statement of SQLAlchemy's."""
    if not isinstance(call.func, ast.Attribute):
        return None
    answer = resolver.value(call.func.value, place)
    if answer is None or not isinstance(answer.value, Statement):
        return None
    statement = answer.value
    entity = filter_by_target(statement)
    if entity is not None:
        spelling = spelling_of(entity, place, resolver)
        missing = "" if spelling is not None else f"no name in scope stands for {entity.model.name}"
        return FilteredEntity(answer, statement, entity, spelling, missing=missing)
    if statement.lost:
        return FilteredEntity(answer, statement, missing=f"the entity after {statement.lost}() is not known")
    return _at_run_time(answer, statement, place, resolver)


def _at_run_time(answer: Answer, statement: Statement, place: Place, resolver: Resolver) -> FilteredEntity:
    """A first column that is a variable or an attribute: whatever class it holds, the keywords speak of that class."""
    first = statement.terms[0] if statement.terms else None
    node = first.node if first is not None else None
    if first is None or first.kind != "unknown" or node is None or not _is_name(node):
        shown = ast.unparse(node) if node is not None else "the statement"
        return FilteredEntity(answer, statement, missing=f"the entity of {shown} is not known")
    code = ast.unparse(node)
    value = resolver.value(node, place)
    if value is not None and not isinstance(value.value, Outside):
        return FilteredEntity(answer, statement, missing=f"{code} is no mapped class")
    here = statement.place
    if here is None or (here.scope is not place.scope and not _is_module_name(node, place, resolver)):
        return FilteredEntity(answer, statement, missing=f"{code} is not in scope here")
    return FilteredEntity(answer, statement, runtime=code, missing=f"the class that {code} stands for is not seen")


def _is_name(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _is_module_name(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    assert isinstance(node, ast.Name)
    owner = place.scope.owner(node.id)
    return owner is None or owner.parent is None


def key_kind(entity: Entity, key: str, resolver: Resolver) -> KeyKind:
    """What the attribute `key` of an entity is; `unknown` when a base class of the model is not seen."""
    attribute = resolver.project.models.attribute(entity.model, key)
    if attribute is None:
        return "unknown" if entity.model.has_unseen_base else "absent"
    return _kind(attribute)


def _kind(attribute: Attribute) -> KeyKind:
    match attribute.kind:
        case "column" | "relationship":
            return attribute.kind
        case "property" | "method":
            return "property"
    return "other"
