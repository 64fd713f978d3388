"""What is found where rows of a statement are gone over: the relationships that are read row by row."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.inference.loading.options import LoaderOptions, Names
from alchemod.inference.loading.origin import Origin
from alchemod.inference.loading.strategy import Strategy
from alchemod.inference.names.spelling import Spelling
from alchemod.inference.rows.reads import PathRead, RowReads
from alchemod.inference.rows.record import Exposure
from alchemod.inference.values import Answer, Entity


@dataclass(frozen=True, slots=True)
class Step:
    """One relationship on the way from the rows to what is read: `name` of the class `model`.

    `relationship` is None for an attribute that only subclasses have. `spelling` is how the class is written where the
    option goes, None where no name stands for it. `strategy` is how to load it; `loads_itself` says that the model
    loads it with its object already.
    """

    model: Model
    name: str
    relationship: Attribute | None
    spelling: Spelling | None
    strategy: Strategy
    loads_itself: bool = False


@dataclass(frozen=True, slots=True)
class KeyRead:
    """`book.author.id`: `node` is all of it, `row` the object whose column `column` has the same value."""

    node: ast.Attribute
    row: ast.expr
    column: str


@dataclass(frozen=True, slots=True)
class Loading:
    """One relationship that is read of each of the rows of a statement, or of what they lead to."""

    entity: Entity
    steps: tuple[Step, ...]
    read: PathRead
    compared: Model
    """The class whose keys `selectinload` looks for."""
    key_reads: tuple[KeyRead, ...] = ()
    """The reads, when they are made for the key alone, which the row has in a column of its own."""

    @property
    def last(self) -> Step:
        """The relationship itself."""
        return self.steps[-1]

    @property
    def names(self) -> Names:
        """The relationships on the way, the last one being that which is read."""
        return tuple(step.name for step in self.steps)

    @property
    def name(self) -> str:
        """The name of the relationship."""
        return self.last.name

    @property
    def label(self) -> str:
        """The relationship for people: `Book.author`."""
        return f"{self.last.model.name}.{self.last.name}"


@dataclass(frozen=True, slots=True)
class RowLoop:
    """Rows of one statement, and the relationships that are read of them in a loop and that no option loads.

    `node` is the loop, or the call or statement that hands the rows to code which goes over them.
    """

    node: ast.expr | ast.stmt
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
    elsewhere: str = ""
    """The function whose statement it is, when it is another one."""

    @property
    def site(self) -> ast.Call | ast.Attribute:
        """What in this function gives the rows: a call, or an attribute that keeps them."""
        assert not isinstance(self.reads.site, ast.arg)
        return self.reads.site

    @property
    def changes_objects(self) -> bool:
        """Whether attributes are set where the rows are gone over, or something is called that may set some."""
        parts = [part for node in (self.node, *(going.node for going in self.reads.loops)) for part in ast.walk(node)]
        sets = any(isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store | ast.Del) for part in parts)
        asking = set(ast.walk(self.site))
        return sets or any(isinstance(part, ast.Call) and part not in asking for part in parts)

    @property
    def extended(self) -> ast.Call | None:
        """The `options()` call that takes further options."""
        return next((call for name, call in self.origin.behind_start if name == "options"), None)


def reached(loop: RowLoop, loadings: Iterable[Loading]) -> Answer:
    """How sure it is that the rows are those of the statement, and the calls that lead to the reads."""
    hops = dict.fromkeys(hop for loading in loadings if not loading.read.direct for hop in loading.read.why)
    return loop.answer.then(loop.answer.value, *hops)
