"""Objects that are fetched and then sorted or added up in Python."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from alchemod.inference.area import Area
from alchemod.inference.names.spelling import spelling_of
from alchemod.inference.querying.duplicates import Duplicates
from alchemod.inference.querying.executions import Execution
from alchemod.inference.querying.iteration import Iteration, Iterations
from alchemod.inference.querying.predicates import ObjectColumns
from alchemod.inference.values import Entity, Place

Work = Literal["filter", "sort", "sum", "max", "min"]

_FILTERED: Final = frozenset({"filter", "where", "filter_by"})
SORTABLE: Final = _FILTERED | {"join", "outerjoin", "options", "distinct"}
_ADDING: Final[dict[str, Work]] = {"sum": "sum", "max": "max", "min": "min"}


@dataclass(frozen=True, slots=True)
class LocalWork:
    """Work on fetched objects that the database could do.

    `node` is the expression or loop that does it; `template` with `holes` is what gives the same ("": the loop stays),
    once `step` with `filling` is added to the statement (`{_}`). `missing` says why it is not offered.
    """

    work: Work
    node: ast.expr | ast.stmt
    execution: Execution
    template: str = ""
    holes: dict[str, Any] = field(default_factory=dict)
    step: str = ""
    filling: dict[str, Any] = field(default_factory=dict)
    missing: str = ""
    statement: ast.If | None = None
    """The test in a loop that goes with its condition: what it guards stays, if it is no mere `continue`."""


class Postprocessing(Area):
    """Which work is done in Python."""

    def sorted_rows(self, call: ast.Call, place: Place) -> LocalWork | None:
        """The key by which `sorted(rows, key=...)` sorts objects; None when it is no column."""
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if len(call.args) != 1 or not keywords.keys() <= {"key", "reverse"} or "key" not in keywords:
            return None
        execution = self.inference.ask(Iterations).execution(call.args[0], place)
        entity = entity_of(execution)
        if execution is None or entity is None:
            return None
        names = self._sorted_by(keywords["key"], entity)
        reverse = keywords.get("reverse")
        if names is None:
            return None
        if not names or not (reverse is None or isinstance(reverse, ast.Constant)):
            return LocalWork("sort", call, execution, missing="the key is no column")
        if (other := other_step(execution, SORTABLE)) is not None:
            return LocalWork("sort", call, execution, missing=f"an order after {other}() is not the same")
        spelling = spelling_of(entity, call, place, self.inference.resolver)
        if spelling is None or spelling.imported is not None:
            return LocalWork("sort", call, execution, missing=f"{entity.model.name} cannot be written here")
        descending = ".desc()" if isinstance(reverse, ast.Constant) and reverse.value else ""
        step = f"{{_}}.order_by({', '.join(f'{{entity}}.{name}{descending}' for name in names)})"
        holes = {"source": call.args[0]}
        return LocalWork("sort", call, execution, listed(execution), holes, step, {"entity": spelling.code})

    def _sorted_by(self, key: ast.expr, entity: Entity) -> list[str] | None:
        """The columns of a key; none where it is more than that, None where it is no matter of columns."""
        match key:
            case ast.Lambda(args=ast.arguments(args=[parameter]), body=body):
                columns = ObjectColumns(parameter.arg, entity.model, self.inference.resolver)
                if columns.touches_more(body):
                    return None
                parts = body.elts if isinstance(body, ast.Tuple) else [body]
                found = [columns.column(part) for part in parts]
                return [name for name in found if name is not None] if None not in found else []
            case ast.Call(func=ast.Attribute(attr="attrgetter") | ast.Name(id="attrgetter"), args=args):
                columns = ObjectColumns("", entity.model, self.inference.resolver)
                named = [part.value for part in args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                plain = all(columns.kind(name) in {"column", "boolean"} for name in named)
                return named if plain and len(named) == len(args) else None
        return None

    def added_up(self, call: ast.Call, place: Place) -> LocalWork | None:
        """The column whose values `sum()`, `max()` or `min()` takes of objects; None when it takes something else."""
        assert isinstance(call.func, ast.Name)
        match call:
            case ast.Call(args=[ast.GeneratorExp() | ast.ListComp() as loop], keywords=[]):
                pass
            case _:
                return None
        iteration = self.inference.ask(Iterations).of(loop, place)
        columns = self._columns(iteration)
        if iteration is None or columns is None or not iteration.is_bare or iteration.uses is not None:
            return None
        name, work, execution = columns.column(loop.elt), _ADDING.get(call.func.id), iteration.execution
        if name is None or work is None:
            return None
        if (other := other_step(execution, _FILTERED)) is not None:
            return LocalWork(work, call, execution, missing=f"after {other}() the database would take other rows")
        if execution.session is None and (repeated := self.inference.ask(Duplicates).of(execution.statement)):
            return LocalWork(work, call, execution, missing=repeated)
        spelled = self._spelled(iteration, place)
        if spelled is None or execution.has_arguments:
            return LocalWork(work, call, execution, missing="what would be written is not known")
        value = f"{{sqlalchemy.func}}.{work}({{entity}}.{name})"
        if work == "sum":
            value = f"{{sqlalchemy.func}}.coalesce({value}, 0)"
        template = f"{{query}}.with_entities({value}).scalar()"
        if execution.session is not None:
            awaits = "await " if execution.is_async else ""
            template = f"{awaits}{{session}}.scalar({{query}}.with_only_columns({value}))"
        holes = {"query": execution.query, "entity": spelled, "session": execution.session}
        return LocalWork(work, call, execution, template, holes)

    def _columns(self, iteration: Iteration | None) -> ObjectColumns | None:
        entity = entity_of(iteration.execution) if iteration is not None else None
        if iteration is None or entity is None or iteration.target is None or iteration.unpacks:
            return None
        return ObjectColumns(iteration.target.id, entity.model, self.inference.resolver)

    def _spelled(self, iteration: Iteration, place: Place) -> str | None:
        entity = entity_of(iteration.execution)
        assert entity is not None
        spelling = spelling_of(entity, iteration.source, place, self.inference.resolver)
        return spelling.code if spelling is not None and spelling.imported is None else None


def entity_of(execution: Execution | None) -> Entity | None:
    """The class whose objects are fetched, where nothing else is."""
    if execution is None or not execution.scalars or len(execution.statement.terms) != 1:
        return None
    (term,) = execution.statement.terms
    return term.entity if term.kind == "entity" and not execution.statement.dynamic else None


def other_step(execution: Execution, known: frozenset[str]) -> str | None:
    """The first method of the chain that is none of the `known` ones."""
    return next((name for name, _ in execution.statement.steps if name not in known), None)


def listed(execution: Execution) -> str:
    """A template for a list of the rows of `source`."""
    return "{source}" if execution.taken else "{source}.all()"
