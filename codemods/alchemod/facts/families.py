"""Which classes of a project derive from which."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from alchemod.facts.lookup import Lookup
from alchemod.facts.module import ClassFacts

_MAX_CLASSES = 200


class Families:
    """The classes above and below a class. `classes` gives every class of the project."""

    def __init__(self, lookup: Lookup, classes: Callable[[], Iterable[ClassFacts]]) -> None:
        self._lookup = lookup
        self._classes = classes

    def above(self, facts: ClassFacts) -> list[ClassFacts]:
        """A class and its ancestors of the project, in the order in which attributes are looked up."""
        met: list[ClassFacts] = []
        pending = [facts]
        while pending and len(met) < _MAX_CLASSES:
            current = pending.pop()
            met.append(current)
            pending += reversed(self._bases(current))
        return list(dict.fromkeys(reversed(met)))[::-1]  # Python's order (C3) for every diamond that has one

    def below(self, facts: ClassFacts) -> list[ClassFacts]:
        """The classes of the project that derive from a class, at any depth."""
        found: dict[ClassFacts, None] = {}
        pending = list(self._derived.get(facts, ()))
        while pending:
            current = pending.pop()
            if current not in found and current is not facts:
                found[current] = None
                pending += self._derived.get(current, ())
        return list(found)

    @cached_property
    def _derived(self) -> dict[ClassFacts, list[ClassFacts]]:
        derived: dict[ClassFacts, list[ClassFacts]] = {}
        for facts in self._classes():
            for base in self._bases(facts):
                derived.setdefault(base, []).append(facts)
        return derived

    def _bases(self, facts: ClassFacts) -> list[ClassFacts]:
        definitions = (self._lookup.expression(facts.module, base) for base in facts.bases)
        return [definition for definition in definitions if isinstance(definition, ClassFacts)]
