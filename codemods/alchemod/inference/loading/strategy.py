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
from alchemod.inference.loading.keys import is_composite, is_primary
from alchemod.inference.loading.origin import Origin, Step
from alchemod.inference.values import ModelClass

Strategy = Literal["selectinload", "joinedload"]

_JOINABLE: Final = frozenset({"filter", "where", "filter_by", "order_by", "options"})
"""Steps that a LEFT OUTER JOIN to one more row leaves as they are."""
_DIRECTIONS: Final = frozenset({"asc", "desc"})
_RAW: Final = frozenset({"text", "literal_column"})


def strategy(cls: ModelClass, relationship: Attribute, origin: Origin, models: Models) -> Strategy:
    """The strategy for a relationship of the entity of a statement.

    `joinedload` needs a many-to-one and an ORDER BY that decides the order completely: a join may change the order in
    which rows come that do not differ in it. `selectinload` leaves the statement as it is.
    """
    ordered = _is_ordered(cls, origin.steps)
    return "joinedload" if ordered and _can_join(cls.model, relationship, origin, models) else "selectinload"


def compared_by_selectinload(model: Model, relationship: Attribute, models: Models) -> Model:
    """The class whose keys the query of `selectinload` compares: the target of a many-to-one, else the class itself."""
    target = models.target(relationship, model)
    return target if target is not None and _is_many_to_one(model, relationship, models) else model


def _is_many_to_one(model: Model, relationship: Attribute, models: Models) -> bool:
    if relationship.reverse_of is not None or models.is_collection(relationship, model) is not False:
        return False
    return all(relationship.keyword(name) is None for name in ("uselist", "primaryjoin", "secondary"))


def _can_join(model: Model, relationship: Attribute, origin: Origin, models: Models) -> bool:
    target = models.target(relationship, model)
    if target is None or target.facts in model.family or model.facts in target.family:
        return False
    if not _is_many_to_one(model, relationship, models):
        return False
    if models.subclasses(target) or any(_is_eager(attribute, models) for attribute in target.attributes.values()):
        return False
    steps = {name for name, _ in origin.statement.steps}
    return steps <= _JOINABLE and len(origin.statement.terms) == 1 and not any(_is_raw(step) for step in origin.steps)


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
