"""The relationships on the way from the rows of a statement to what is read of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.models import Models
from alchemod.inference.loading.keyreads import key_reads
from alchemod.inference.loading.loop import Loading, Step
from alchemod.inference.loading.origin import Origin
from alchemod.inference.loading.strategy import Strategy, compared_by_selectinload, strategy
from alchemod.inference.names.spelling import spelling_of
from alchemod.inference.reading.sources import RowSources
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.rows.reads import PathRead, RowReads
from alchemod.inference.rows.refs import Path
from alchemod.inference.values import Entity, ModelClass, Object, Row, Statement, Term

_LAZY: Final = frozenset({"select", "unknown"})


class Loadings:
    """The relationships read of the rows of one statement."""

    def __init__(self, reads: RowReads, origin: Origin, sources: RowSources, resolver: Resolver) -> None:
        self._reads: Final = reads
        self._origin: Final = origin
        self._sources: Final = sources
        self._resolver: Final = resolver
        self._models: Final[Models] = resolver.project.models

    def of(self, read: PathRead) -> Loading | None:
        """What a read loads; None where the path starts at nothing known, or at a column."""
        found = self._entity(read.path)
        if found is None:
            return None
        entity, at = found
        steps: list[Step] = []
        for index in range(at, len(read.path)):
            if read.path[index] != "[]":
                owner = Entity(ModelClass(model)) if (model := self._model_at(read.path[:index])) and steps else entity
                steps.append(self._step(owner, read.path[index], is_first=not steps))
        if not steps or _comes_back(steps, self._models):
            return None
        last = steps[-1]
        compared = compared_by_selectinload(last.model, last.relationship, self._models) if last.relationship else None
        loading = Loading(entity, tuple(steps), read, compared or last.model)
        return replace(loading, key_reads=key_reads(loading, self._sources.place.scope, self._models))

    def _entity(self, path: Path) -> tuple[Entity, int] | None:
        """The entity of the statement that a path starts at, and where the relationships begin in it."""
        statement = self._origin.statement
        at = 1 if path[0] == "[]" else 0
        if not isinstance(self._sources.value_at(self._reads.site, path[:at]), Row):
            term = statement.terms[0] if statement.terms else None
        else:
            term, at = _term(path[at], statement), at + 1
        if term is None or term.kind != "entity" or term.entity is None or at >= len(path):
            return None
        return term.entity, at

    def _step(self, owner: Entity, name: str, *, is_first: bool) -> Step:
        found = self._models.attribute(owner.model, name)
        spelling = spelling_of(owner, self._origin.start, self._origin.place, self._resolver)
        loads_itself = found is not None and self._models.lazy(found) not in _LAZY
        return Step(owner.model, name, found, spelling, self._strategy(owner, found, is_first), loads_itself)

    def _strategy(self, owner: Entity, found: Attribute | None, is_first: bool) -> Strategy:
        return strategy(owner.cls, found, self._origin, self._models) if found and is_first else "selectinload"

    def _model_at(self, path: Path) -> Model | None:
        value = self._sources.value_at(self._reads.site, path)
        return value.of.model if isinstance(value, Object) and isinstance(value.of, ModelClass) else None


def _term(step: str, statement: Statement) -> Term | None:
    """The column of a row by its position (`#1`) or by the name of its class."""
    if step.startswith("#"):
        number = int(step[1:])
        return statement.terms[number] if number < len(statement.terms) else None
    named = [term for term in statement.terms if term.entity is not None and term.entity.model.name == step]
    return named[0] if len(named) == 1 else None


def _comes_back(steps: list[Step], models: Models) -> bool:
    """Whether the last relationship leads back to the object that the one before came from: that is loaded."""
    if len(steps) < 2:
        return False
    before, last = steps[-2], steps[-1]
    if before.relationship is None or last.relationship is None:
        return False
    there, back = before.relationship, last.relationship
    if models.is_collection(back, last.model) is not False or there.keyword("secondary") is not None:
        return False
    if there.reverse_of is back or back.reverse_of is there:
        return True
    return _partner(there) == back.name and _partner(back) in (there.name, "")


def _partner(relationship: Attribute) -> str:
    named = relationship.keyword("back_populates")
    return getattr(named, "value", "") or ""
