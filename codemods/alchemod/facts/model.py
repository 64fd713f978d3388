"""One mapped class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from alchemod.facts.ancestry import Registry
from alchemod.facts.attributes import Attribute
from alchemod.facts.module import ClassFacts, Module


@dataclass(slots=True, eq=False)
class Model:
    """A mapped class. `attributes` holds its own and inherited ones by name, backrefs included."""

    facts: ClassFacts
    ancestors: tuple[ClassFacts, ...]
    """The project's classes it derives from, nearest first, without itself."""
    has_unseen_base: bool
    """Whether it may have attributes that are not seen: from a base class of a library, or from a reflected table."""
    is_flask: bool = False
    is_sqlmodel: bool = False
    registries: frozenset[Registry] = frozenset()
    """The declarative bases it derives from."""
    attributes: dict[str, Attribute] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.facts.name

    @property
    def module(self) -> Module:
        """The module that defines the class."""
        return self.facts.module

    @property
    def family(self) -> Iterator[ClassFacts]:
        """The class and the project's classes it derives from."""
        yield self.facts
        yield from self.ancestors

    def __repr__(self) -> str:
        return f"Model({self.module.name}.{self.facts.qualname})"
