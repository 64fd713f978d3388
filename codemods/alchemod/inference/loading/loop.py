"""What is found at a loop over the rows of a statement: the relationships it reads row by row."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.inference.loading.options import LoaderOptions
from alchemod.inference.loading.origin import Origin
from alchemod.inference.loading.strategy import Strategy
from alchemod.inference.rows.reads import PathRead, RowReads
from alchemod.inference.rows.record import Exposure
from alchemod.inference.scopes import Comprehension
from alchemod.inference.spelling import Spelling
from alchemod.inference.values import Answer, Entity

Loop = ast.For | ast.AsyncFor | Comprehension


@dataclass(frozen=True, slots=True)
class Loading:
    """One relationship that is read of each of the rows of a statement.

    `relationship` is None for an attribute that only subclasses of the entity have. `spelling` is how the entity is
    written where the option goes.
    """

    entity: Entity
    name: str
    relationship: Attribute | None
    read: PathRead
    compared: Model
    """The class whose keys `selectinload` looks for."""
    spelling: Spelling | None
    strategy: Strategy

    @property
    def label(self) -> str:
        """The relationship for people: `Book.author`."""
        return f"{self.entity.model.name}.{self.name}"


@dataclass(frozen=True, slots=True)
class RowLoop:
    """A loop over the rows of one statement, and the relationships it reads of them that no option loads."""

    loop: Loop
    answer: Answer
    origin: Origin
    options: LoaderOptions
    reads: RowReads
    loadings: tuple[Loading, ...]
    exposures: tuple[Exposure, ...]
    """Places, not behind the loop, where a row gets to code that may look behind its attributes."""
    loaded_before: frozenset[str]
    """The relationships whose objects an earlier query of the function may have loaded."""
    shows_itself: str
    """A method of the entity that makes text of what is loaded, "" for none."""
    may_hold_changes: bool = True
    """Whether the session may hold changes that are not flushed: it is older than the function, or written to here."""

    @property
    def extended(self) -> ast.Call | None:
        """The `options()` call that takes further options."""
        return next((call for name, call in self.origin.behind_start if name == "options"), None)
