"""Which classes of a project derive from which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from alchemod.facts.lookup import Lookup
from alchemod.facts.module import ClassFacts, Module

_MAX_CLASSES = 200
_MAX_FILES = 20
"""A class that more files derive from, of those that do not speak of SQLAlchemy, is too common to follow."""


class Families:
    """The classes above and below a class.

    `classes` gives every class of the files whose facts are taken, `deriving` the other files that derive from a class
    of some name, and `facts` the facts of such a file.
    """

    def __init__(
        self,
        lookup: Lookup,
        classes: Callable[[], Iterable[ClassFacts]],
        deriving: Callable[[str], Sequence[Path]],
        facts: Callable[[Path], Module | None],
    ) -> None:
        self._lookup = lookup
        self._classes = classes
        self._deriving = deriving
        self._facts = facts
        self._below: dict[ClassFacts, list[ClassFacts] | None] = {}

    def above(self, facts: ClassFacts) -> list[ClassFacts]:
        """A class and its ancestors of the project, in the order in which attributes are looked up."""
        met: list[ClassFacts] = []
        pending = [facts]
        while pending and len(met) < _MAX_CLASSES:
            current = pending.pop()
            met.append(current)
            pending += reversed(self._bases(current))
        return list(dict.fromkeys(reversed(met)))[::-1]  # Python's order (C3) for every diamond that has one

    def defines(self, facts: ClassFacts, method: str) -> bool:
        """Whether a class, or one of its ancestors of the project, has a method of its own."""
        return any(method in owner.methods for owner in self.above(facts))

    def having(self, facts: ClassFacts) -> list[ClassFacts]:
        """The classes of the project that have what a class defines: itself and, if not too many, those below it."""
        return [facts, *(self.below(facts) or ())]

    def below(self, facts: ClassFacts) -> list[ClassFacts] | None:
        """The classes of the project that derive from a class, at any depth; None when they are too many to look at."""
        if facts not in self._below:
            self._below[facts] = self._find_below(facts)
        return self._below[facts]

    def _find_below(self, facts: ClassFacts) -> list[ClassFacts] | None:
        found: dict[ClassFacts, None] = {}
        pending = [facts]
        while pending:
            current = pending.pop()
            elsewhere = self._deriving(current.name)
            if len(elsewhere) > _MAX_FILES or len(found) > _MAX_CLASSES:
                return None
            derived = [*self._derived.get(current, ()), *self._deriving_in(elsewhere, current)]
            pending += [cls for cls in derived if cls not in found and cls is not facts]
            found.update(dict.fromkeys(derived))
        found.pop(facts, None)
        return list(found)

    def _deriving_in(self, paths: Sequence[Path], facts: ClassFacts) -> Iterator[ClassFacts]:
        for path in paths:
            module = self._facts(path)
            for cls in module.classes.values() if module is not None else ():
                if facts in self._bases(cls):
                    yield cls

    @cached_property
    def _derived(self) -> dict[ClassFacts, list[ClassFacts]]:
        derived: dict[ClassFacts, list[ClassFacts]] = {}
        for facts in self._classes():
            for base in self._bases(facts):
                derived.setdefault(base, []).append(facts)
        return derived

    def _bases(self, facts: ClassFacts) -> list[ClassFacts]:
        definitions = (self._lookup.base(facts.module, base) for base in facts.bases)
        return [definition for definition in definitions if isinstance(definition, ClassFacts)]
