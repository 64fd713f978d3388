"""Which strategy loads a relationship best: `selectinload`, or `joinedload` where nothing can go wrong with it.

SQLAlchemy 2.0, "Relationship Loading Techniques", "What Kind of Loading to Use ?".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.models import Models
from alchemod.facts.module import last_name
from alchemod.inference.loading.origin import Origin, Step
from alchemod.inference.mapping.keys import is_composite, is_primary
from alchemod.inference.resolving.statements import JOINS
from alchemod.inference.values import ModelClass

Strategy = Literal["selectinload", "joinedload", "contains_eager"]

_JOINABLE: Final = frozenset({"filter", "where", "filter_by", "order_by", "options"})
"""Steps that a LEFT OUTER JOIN to one more row leaves as they are."""
_SLICING: Final = frozenset({"limit", "offset", "slice"})
_DIRECTIONS: Final = frozenset({"asc", "desc"})
_RAW: Final = frozenset({"text", "literal_column"})


def strategy(cls: ModelClass, relationship: Attribute, origin: Origin, models: Models) -> Strategy:
    """The strategy for a relationship of the entity of a statement.

    `joinedload` needs a many-to-one and an ORDER BY that decides the order completely: a join may change the order in
    which rows come that do not differ in it. `contains_eager` takes a many-to-one from a join that is there already.
    `selectinload` leaves the statement as it is.
    """
    if _is_joined(cls, relationship, origin, models):
        return "contains_eager"
    ordered = _is_ordered(cls, origin.steps)
    return "joinedload" if ordered and _can_join(cls.model, relationship, origin, models) else "selectinload"


def compared_by_selectinload(model: Model, relationship: Attribute, models: Models) -> Model:
    """The class whose keys the query of `selectinload` compares: the target of a many-to-one, else the class itself."""
    target = models.target(relationship, model)
    return target if target is not None and is_many_to_one(model, relationship, models) else model


def is_many_to_one(model: Model, relationship: Attribute, models: Models) -> bool:
    """Whether a relationship leads to one object by a foreign key of its own class, joined in no other way."""
    if relationship.reverse_of is not None or models.is_collection(relationship, model) is not False:
        return False
    return all(relationship.keyword(name) is None for name in ("uselist", "primaryjoin", "secondary"))


def _can_join(model: Model, relationship: Attribute, origin: Origin, models: Models) -> bool:
    target = models.target(relationship, model)
    if target is None or target.facts in model.family or model.facts in target.family:
        return False
    if not is_many_to_one(model, relationship, models):
        return False
    if models.subclasses(target) or any(_is_eager(attribute, models) for attribute in target.attributes.values()):
        return False
    steps = {name for name, _ in origin.statement.steps}
    return steps <= _JOINABLE and len(origin.statement.terms) == 1 and not any(_is_raw(step) for step in origin.steps)


def _is_joined(cls: ModelClass, relationship: Attribute, origin: Origin, models: Models) -> bool:
    """Whether the statement joins a many-to-one by its attribute, so that each row has its object beside it."""
    if cls.alias is not None or not is_many_to_one(cls.model, relationship, models):
        return False
    steps = {name for name, _ in origin.statement.steps}
    if not steps <= _JOINABLE | JOINS | _SLICING or len(origin.statement.terms) != 1:
        return False
    return any(name in JOINS and _joins(call, cls.model, relationship.name) for name, call in origin.statement.steps)


def _joins(call: ast.Call, model: Model, name: str) -> bool:
    match call.args:
        case [ast.Attribute(value=owner, attr=attribute)] if attribute == name and last_name(owner) == model.name:
            return all(keyword.arg in {"isouter", "full"} for keyword in call.keywords)
    return False


def _is_eager(attribute: Attribute, models: Models) -> bool:
    return attribute.kind == "relationship" and models.lazy(attribute) in {"eager", "unknown"}


def _is_ordered(cls: ModelClass, steps: Iterable[Step]) -> bool:
    """Whether an `order_by` holds the primary key, so that no two rows are equal in it."""
    if cls.alias is not None or is_composite(cls.model):
        return False
    return any(_is_key_of(cls.model, part) for name, call in steps if name == "order_by" for part in _sorted_by(call))


def _sorted_by(call: ast.Call) -> Iterator[ast.expr]:
    for part in call.args:
        match part:
            case ast.Call(func=ast.Attribute(value=column, attr=name), args=[]) if name in _DIRECTIONS:
                yield column
            case ast.Call(args=[column]) if last_name(part) in _DIRECTIONS:
                yield column
            case _:
                yield part


def _is_key_of(model: Model, column: ast.expr) -> bool:
    if not isinstance(column, ast.Attribute) or last_name(column.value) != model.name:
        return False
    found = model.attributes.get(column.attr)
    return found is not None and found.kind == "column" and is_primary(found)


def _is_raw(step: Step) -> bool:
    """Whether a step speaks SQL text, whose names a join could make ambiguous."""
    name, call = step
    if name == "order_by" and any(isinstance(part, ast.Constant) for part in call.args):
        return True
    if name in {"filter", "where"} and any(isinstance(part, ast.Constant | ast.JoinedStr) for part in call.args):
        return True
    return any(isinstance(node, ast.Call) and last_name(node) in _RAW for node in ast.walk(call))
