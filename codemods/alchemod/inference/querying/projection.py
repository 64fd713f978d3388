"""Objects of which a loop reads nothing but columns, so that the columns would do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.module import last_name
from alchemod.facts.outer_assignments import assigned_from_outside
from alchemod.inference.area import Area
from alchemod.inference.mapping.keys import is_primary
from alchemod.inference.names.spelling import spelling_of
from alchemod.inference.querying.duplicates import Duplicates
from alchemod.inference.querying.executions import Executions
from alchemod.inference.querying.interference import Interference
from alchemod.inference.querying.iteration import Iteration, Iterations, Loop
from alchemod.inference.querying.query_labels import label_in_text
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place, Statement

_STEPS_OF_SELECT: Final = frozenset(
    {"where", "filter", "filter_by", "order_by", "limit", "offset", "join", "outerjoin"}
)
_OF_ROWS: Final = frozenset({"t", "tuple", "keys", "count", "index", "items", "values", "has_key"})
"""Names that rows have themselves."""
_WRITING: Final = frozenset(
    {"add", "add_all", "merge", "delete", "update", "insert", "flush", "bulk_save_objects", "setattr", "refresh"}
)
_HARMLESS: Final = frozenset(
    {"len", "bool", "print", "str", "repr", "int", "list", "set", "dict", "isinstance", "sorted"}
)
_LOGGING: Final = frozenset({"debug", "info", "warning", "error", "exception", "append", "format", "join"})


_FEW: Final = 3
"""So few columns are worth a statement of their own, however few the class has."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A loop over objects of one class that reads the columns named in `columns` only.

    `entity` is code for the class where the statement is sent. `begin` is the call in the same expression that the
    class is the only argument of, None where the statement begins elsewhere. `around` is the node around the loop.
    `doubt` says why the columns may not have the same values.
    """

    iteration: Iteration
    columns: tuple[str, ...]
    entity: str
    begin: ast.Call | None
    around: ast.AST | None
    doubt: str | None = None

    @property
    def statement(self) -> Statement:
        """The statement whose rows the loop goes over."""
        return self.iteration.execution.statement


class Projections(Area):
    """Which loops need columns only."""

    def of(self, loop: Loop, place: Place) -> Projection | None:
        """The columns that a loop reads of objects which nothing else is done with; None when it does more."""
        iteration = self.inference.ask(Iterations).of(loop, place)
        if iteration is None or not iteration.reads or not iteration.execution.scalars or iteration.unpacks:
            return None
        uses = iteration.uses
        if uses is not None:
            loops = [use for use in uses.every if use.kind == "iterated"]
            if len(loops) != 1 or not uses.only("iterated", "truth", "bool", "length"):
                return None
        statement = iteration.execution.statement
        (term,) = statement.terms
        if term.kind != "entity" or term.entity is None or term.node is None or not self._is_plain(iteration):
            return None
        names = tuple(dict.fromkeys(str(read.key) for read in iteration.reads))
        columns = [self._column(term.entity.model, name) for name in names]
        if any(column is None for column in columns) or _are_most(names, term.entity.model):
            return None
        spelling = spelling_of(term.entity, iteration.source, place, self.inference.resolver)
        if spelling is None or spelling.imported is not None:
            return None
        begin = self.inference.ask(Executions).beginning(iteration.execution, place)
        construct = begin if isinstance(begin, ast.Call) and begin.args == [term.node] and not begin.keywords else None
        known = [column for column in columns if column is not None]
        same_calls = construct is not None and statement.style == "query"
        doubt = next(self._doubts(iteration, term.entity.model, known, place, same_calls=same_calls), None)
        outer = self.inference.ask(Usage).around(place).get(loop)
        return Projection(iteration, names, spelling.code, construct, outer, doubt)

    def _is_plain(self, iteration: Iteration) -> bool:
        """Whether the columns come as often as the objects."""
        execution = iteration.execution
        if execution.session is not None:
            return (
                "unique" not in execution.path
                and not execution.has_arguments
                and all(name in _STEPS_OF_SELECT for name, _ in execution.statement.steps)
            )
        return not execution.statement.dynamic and self.inference.ask(Duplicates).of(execution.statement) is None

    def _column(self, model: Model, name: str) -> Attribute | None:
        attribute = self.inference.project.models.attribute(model, name)
        if attribute is None or attribute.kind != "column" or name in _OF_ROWS or name.startswith("_"):
            return None
        value = attribute.value
        if value is not None and (last_name(value) == "deferred" or "as_mutable" in ast.unparse(value)):
            return None
        return None if attribute.keyword("deferred") is not None else attribute

    def _doubts(
        self, iteration: Iteration, model: Model, columns: list[Attribute], place: Place, *, same_calls: bool
    ) -> Iterator[str]:
        if self.inference.project.models.subclasses(model) or any(
            self.inference.project.models.of(facts) is not None for facts in model.ancestors
        ):
            yield f"{model.name} is part of an inheritance, where attributes may be columns of several tables"
        interference = self.inference.ask(Interference)
        if (doubt := interference.of(iteration.execution, "with_entities", same_calls=same_calls)) is not None:
            yield doubt
        if (label := label_in_text(iteration.execution.statement, self.inference.project)) is not None:
            yield f"text speaks of {label}, a name that only a Query of the whole class gives a column"
        if all(is_primary(column) for column in columns):
            yield from filter(None, [self._changed_keys(columns)])
            return
        if (line := self._changed_before(iteration, place)) is not None:
            yield f"line {line} may have changed objects in the session, which the columns do not show"
        if (line := self._changed_between(iteration, place)) is not None:
            yield f"line {line} may change or expire the objects before they are read"
        if (doubt := interference.without_autoflush) is not None:
            yield doubt

    def _changed_keys(self, columns: list[Attribute]) -> str | None:
        """Why an object may have another key than its row: it is assigned one, and no flush comes before the query."""
        project = self.inference.project
        places = (assigned_from_outside(column.name, project) for column in columns)
        place = next((place for place in places if place is not None), None)
        without_autoflush = self.inference.ask(Interference).without_autoflush
        return f"{place}, and {without_autoflush}" if place is not None and without_autoflush is not None else None

    def _changed_before(self, iteration: Iteration, place: Place) -> int | None:
        """The line of code that stands before the statement is sent and may change objects in its session."""
        names = {read.key for read in iteration.reads or ()}
        end = iteration.source.lineno
        for node in self.inference.ask(Usage).around(place):
            line = getattr(node, "lineno", end)
            match node:
                case ast.Attribute(attr=name, ctx=ast.Store()) if name in names and line <= end:
                    return int(line)
                case ast.Call() if last_name(node) in _WRITING and line < end:
                    return int(line)
        return None

    def _changed_between(self, iteration: Iteration, place: Place) -> int | None:
        """The line of a call between the fetching of objects into a variable and the loop over them, that may do so."""
        first, last = iteration.source.end_lineno or iteration.source.lineno, iteration.loop.lineno
        for node in self.inference.ask(Usage).around(place):
            if isinstance(node, ast.Call) and first < node.lineno < last:
                harmless = isinstance(node.func, ast.Name) and node.func.id in _HARMLESS
                if not harmless and last_name(node) not in _LOGGING:
                    return node.lineno
        return None


def _are_most(names: tuple[str, ...], model: Model) -> bool:
    """Whether so many columns of a class are read that its objects hold little else."""
    every = [found for found in model.attributes.values() if found.kind == "column"]
    return len(names) > _FEW and 2 * len(names) > len(every)
