"""Rows that a function gets from its callers, and whose relationships it reads row by row itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alchemod.inference.area import Area
from alchemod.inference.reading.shapes import shape_of
from alchemod.inference.reading.table import Readings
from alchemod.inference.rows.reads import RowReads
from alchemod.inference.rows.turns import Turns
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.values import Answer, Collection, ModelClass, Object, Place

if TYPE_CHECKING:
    from alchemod.inference import Inference


@dataclass(frozen=True, slots=True)
class GivenRows:
    """A loop over rows that the `parameter` of a function gets; `labels` are the relationships it reads of each."""

    node: ast.expr | ast.stmt
    answer: Answer
    parameter: str
    labels: tuple[str, ...]


class RowsOfCallers(Area):
    """Where rows come from callers that are not all seen. What the callers that are seen hand over is found there."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._resolver: Final = inference.local
        self._readings: Final = inference.ask(Readings)

    def of(self, inside: Place) -> Iterator[GivenRows]:
        """The loops over rows of the parameters that are annotated as collections of mapped objects."""
        if not isinstance(inside.scope.node, FUNCTIONS):
            return
        for parameter in inside.scope.parameters:
            answer = self._resolver.named(parameter.arg, inside) if self._is_collection(parameter) else None
            match answer:
                case Answer(value=Collection(element=Object(of=ModelClass(model=model))) as value):
                    reads = self._reads(inside, parameter, value)
                    if reads is None or not (found := self._labels(reads, model.name, inside)):
                        continue
                    nodes, labels = zip(*found, strict=True)
                    sites = self.inference.resolver.callers.of(inside)
                    if not (sites.calls and sites.complete):
                        yield GivenRows(nodes[0], answer, parameter.arg, tuple(dict.fromkeys(labels)))

    def _is_collection(self, parameter: ast.arg) -> bool:
        """A quick look: whether a parameter is annotated by something of a mapped class, going by its name."""
        match parameter.annotation:
            case ast.Subscript(slice=ast.Name(id=name) | ast.Constant(value=str(name)) | ast.Attribute(attr=name)):
                return bool(self._resolver.project.models.named(name))
        return False

    def _reads(self, inside: Place, parameter: ast.arg, value: Collection) -> RowReads | None:
        shape = shape_of(value)
        return self._readings.walk(inside, parameter, shape).walked.of(parameter) if shape is not None else None

    def _labels(self, reads: RowReads, name: str, inside: Place) -> list[tuple[ast.expr | ast.stmt, str]]:
        """The relationships of the rows themselves that are read in a loop, with the loops."""
        turns, models = Turns(inside.scope), self._resolver.project.models
        found = []
        for read in reads.reads:
            places = turns.repeating(read, reads) if read.direct and len(read.path) == 2 else []
            attributes = [model.attributes.get(read.path[-1]) for model in models.named(name)]
            if places and all(one is not None and models.lazy(one) == "select" for one in attributes):
                found.append((places[0], f"{name}.{read.path[-1]}"))
        return found
