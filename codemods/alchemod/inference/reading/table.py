"""The table of readings: one walk for each function, parameter and kind of rows that it is handed."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from alchemod.inference.area import Area
from alchemod.inference.control.components import Components
from alchemod.inference.reading.callees import Callees
from alchemod.inference.reading.frameworks import Frameworks
from alchemod.inference.reading.keepers import Keepers
from alchemod.inference.reading.marshmallow import Marshmallow
from alchemod.inference.reading.schemas import Schemas
from alchemod.inference.reading.shapes import Shape
from alchemod.inference.reading.sources import RowSources
from alchemod.inference.reading.telling import told
from alchemod.inference.reading.templates import Templates
from alchemod.inference.rows.knowledge import OPAQUE, Handed
from alchemod.inference.rows.reads import Returned, Walked, row_reads
from alchemod.inference.rows.record import Exposure
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.summaries.targets import Targets
from alchemod.inference.values import Answer, Place

if TYPE_CHECKING:
    from alchemod.inference import Inference


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk. `sources` knows the values in the function. `is_open`: it is under way, and what it finds is not known;
    `is_unseen`: the function cannot be walked."""

    walked: Walked = field(default_factory=Walked)
    sources: RowSources | None = field(default=None, compare=False)
    is_open: bool = False
    is_unseen: bool = False


class Readings(Area):
    """What the functions of a project do with the rows they are handed, and which rows they give to their callers.

    `walk` goes over one function; `handed` says what it does with one argument. A reading is made for the kind of rows
    that is handed over, so that no call in the callee waits for its class to be known. Functions that call each other
    in circles are walked until nothing changes.
    """

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self.resolver: Final = inference.local
        self.summaries: Final = inference.ask(Summaries)
        self.targets: Final = Targets(inference.local)
        self.callees: Final = Callees(self)
        self.schemas: Final = Schemas(self)
        self.marshmallow: Final = Marshmallow(self)
        self.templates: Final = Templates(self)
        self.frameworks: Final = Frameworks(self)
        self.keepers: Final = Keepers(self)
        self._is_plain = False
        self._walks: Final = Components(Walk(is_open=True), Walk(is_unseen=True), _settled)

    def walk(self, inside: Place, parameter: ast.arg | None = None, shape: Shape | None = None) -> Walk:
        """The walk over a function (or module), with the rows that one parameter is handed, if any."""
        question = (inside.scope.node, parameter, shape, self._is_plain)
        return self._walks.ask(question, lambda: self._walked(inside, parameter, shape))

    def plain_walk(self, inside: Place) -> Walk:
        """The same without the rows that objects keep, neither here nor in what is called: those are what is sought."""
        before, self._is_plain = self._is_plain, True
        try:
            return self.walk(inside)
        finally:
            self._is_plain = before

    def _walked(self, inside: Place, parameter: ast.arg | None, shape: Shape | None) -> Walk:
        values = {parameter: shape.value} if parameter is not None and shape is not None else {}
        given = {parameter: shape.producer} if parameter is not None and shape is not None else {}
        sources = RowSources(inside, self, values, is_plain=self._is_plain)
        walked = row_reads(inside.scope, sources, given)
        return Walk(is_unseen=True) if walked is None else Walk(walked, sources)

    def handed(self, inside: Place, parameter: ast.arg, shape: Shape) -> Handed:
        """What a function does with what one of its parameters is handed."""
        walk = self.walk(inside, parameter, shape)
        if walk.is_open:
            return Handed(everything=True)
        if walk.is_unseen:
            return OPAQUE
        return told(walk.walked, parameter, inside, self._name(inside), lambda node: self.where(inside, node))

    def returned(self, function: Answer) -> tuple[Returned, RowSources] | None:
        """The rows that a function asks for and gives to its callers, and what is known of them there; None when it
        gives none, or those of several queries."""
        targets = self.targets.of(function)
        if targets is None or len(targets) != 1:
            return None
        walk = self.walk(targets[0].inside)
        found = [returned for returned in walk.walked.returned if not isinstance(returned.ref.site, ast.arg)]
        return (found[0], walk.sources) if len(found) == 1 and walk.sources is not None else None

    def _name(self, inside: Place) -> str:
        node = inside.scope.node
        if isinstance(node, ast.FunctionDef) and self.templates.where(inside, node) is not None:
            return "the template" if node.name == "template" else f"the macro {node.name}"
        return f"{node.name}()" if isinstance(node, FUNCTIONS) else "a lambda"

    def where(self, place: Place, node: ast.AST) -> str:
        """The file and line of a node, for people."""
        if (rendered := self.templates.where(place, node)) is not None:
            return rendered
        return f"{self.resolver.project.displayed(place.module.path)}:{getattr(node, 'lineno', 0)}"


def _settled(walk: Walk) -> Walk:
    """A walk that holds whatever is called in circles: nothing is certain, and all may be looked at."""
    reads = tuple(
        replace(
            reads,
            reads=tuple(replace(read, must=False) for read in reads.reads),
            exposures=(*reads.exposures, Exposure("depth", (), reads.site)),
        )
        for reads in walk.walked.reads
    )
    return replace(walk, walked=replace(walk.walked, reads=reads))
