"""What kind of rows a function is handed: it is read for each kind, so that nothing is left open in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final

from alchemod.facts.model import Model
from alchemod.inference.resolving.containers import element_of
from alchemod.inference.rows.knowledge import Producer
from alchemod.inference.rows.refs import Given
from alchemod.inference.values import (
    Answer,
    Collection,
    Coroutine,
    Generator,
    ModelClass,
    Object,
    Row,
    Rows,
    Statement,
    Value,
)

_MAX_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """`value` is what is handed over, or an element of it when it is `listed`. Shapes are equal when all that is read
    of them is the same."""

    value: Value = field(compare=False)
    key: Hashable
    listed: int = 0
    lazy: bool = False

    @property
    def many(self) -> bool:
        """Whether the value is a collection."""
        return isinstance(self.value, Rows | Collection | Statement)

    @property
    def producer(self) -> Producer:
        """The parameter that gets it, as something that gives rows."""
        return Producer(Given((), self.many, self.listed), self.lazy)

    @property
    def element(self) -> Shape | None:
        """An element of the collection or list."""
        if self.listed:
            return Shape(self.value, self.key, self.listed - 1)
        found = element_of(Answer(self.value)) if self.many else None
        return shape_of(found.value) if found is not None else None


def shape_of(value: Value | None, *, listed: int = 0, lazy: bool = False) -> Shape | None:
    """The shape of a value; None when it is nothing with rows in it."""
    key = _key(value, 0)
    return Shape(value, key, listed, lazy) if value is not None and key is not None else None


def _key(value: Value | None, depth: int) -> Hashable | None:
    if depth > _MAX_DEPTH:
        return None
    match value:
        case Object(of=ModelClass(model=model)):
            return model
        case Row(statement=statement):
            entities = (term.entity.model if term.entity is not None else None for term in statement.terms)
            return tuple((term.kind, model) for term, model in zip(statement.terms, entities, strict=True))
        case Rows() | Collection() | Statement(style="query"):
            element = element_of(Answer(value))
            inner = _key(element.value, depth + 1) if element is not None else None
            return ("many", inner) if inner is not None else None
    return None


def models_in(value: Value, depth: int = 0) -> Iterator[Model]:
    """The mapped classes of the objects that a value is or holds, or whose columns a statement asks for."""
    match value:
        case Object(of=ModelClass(model=model)):
            yield model
        case Collection(element=inner) | Generator(inner=inner) | Coroutine(inner=inner) if depth < _MAX_DEPTH:
            yield from models_in(inner, depth + 1)
        case Rows(statement=statement) | Row(statement=statement) | (Statement() as statement):
            yield from (term.entity.model for term in statement.terms if term.entity is not None)
