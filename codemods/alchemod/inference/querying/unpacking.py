"""Rows of one column that are taken apart by hand: `[row[0] for row in rows]`, `query.one()[0]`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final, Literal

from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.querying.as_select import AsSelect, Beginning
from alchemod.inference.querying.executions import Execution, Executions
from alchemod.inference.querying.interference import Interference
from alchemod.inference.querying.iteration import Iteration, Iterations
from alchemod.inference.scoping.scopes import Comprehension
from alchemod.inference.uses.aggregates import may_aggregate
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place, Statement

_TAKEN: Final = frozenset({"first", "one", "fetchone"})
_ONE_ROW: Final = frozenset({"filter", "where", "filter_by", "join", "outerjoin", "select_from"})
"""Steps after which an aggregate gives one row still."""

Way = Literal["scalar", "scalar_one", "with_entities"]


@dataclass(frozen=True, slots=True)
class UnpackedRows:
    """A comprehension that takes the only item of each row. `beginning` is that of a Query which becomes a select."""

    iteration: Iteration
    beginning: Beginning | None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class UnpackedRow:
    """An item that is taken of a single row: `way` is the method that gives it alone.

    `label` is the column, for people. `doubt` says why the way is not the same, `missing` why there is none.
    """

    execution: Execution
    result: ast.expr
    label: str
    way: Way | None
    column: ast.expr | None = None
    doubt: str | None = None
    missing: str = ""


class Unpackings(Area):
    """Which rows are taken apart."""

    def of_rows(self, loop: Comprehension, place: Place) -> UnpackedRows | None:
        """What a comprehension takes of rows of one column; None when it does more, or that is not known."""
        iteration = self.inference.ask(Iterations).of(loop, place)
        if iteration is None or not iteration.reads:
            return None
        execution = iteration.execution
        name = _only_column(execution.statement)
        if name is None or execution.scalars or any(read.key not in {0, name} for read in iteration.reads):
            return None
        if iteration.uses is not None:
            loops = [use for use in iteration.uses.every if use.kind == "iterated"]
            if len(loops) != 1 or not iteration.uses.only("iterated", "truth", "bool", "length"):
                return None
        if execution.session is not None:
            return UnpackedRows(iteration, None, self.inference.ask(Interference).of(execution, loads=False))
        beginning = self.inference.ask(AsSelect).beginning(execution, place)
        return UnpackedRows(iteration, beginning, beginning.doubt) if beginning is not None else None

    def of_variable(self, rows: ast.Call, place: Place) -> UnpackedRows | None:
        """What the only comprehension over the variable that `rows` is assigned to takes of them."""
        around = self.inference.ask(Usage).around(place)
        loops = [
            around.get(use.node) for use in self.inference.ask(Usage).of(rows, place).every if use.kind == "iterated"
        ]
        match loops:
            case [ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp() as loop]:
                found = self.of_rows(loop, place)
                return found if found is not None and found.iteration.uses is not None else None
        return None

    def of_row(self, node: ast.Subscript | ast.Attribute, place: Place) -> UnpackedRow | None:
        """What `node` takes of the row that a call before it gives; None when the row has other columns."""
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.args or call.keywords:
            return None
        execution = self.inference.ask(Executions).of(call, place)
        if execution is None or execution.taken not in _TAKEN or execution.statement.dynamic:
            return None
        key: str | int = node.attr if isinstance(node, ast.Attribute) else 0
        if execution.scalars:
            return self._of_object(execution, call.func.value, key, place)
        name = _only_column(execution.statement)
        if name is None or key not in {0, name}:
            return None
        return self._of_column(execution, call.func.value, name)

    def _of_column(self, execution: Execution, result: ast.expr, name: str) -> UnpackedRow:
        statement, taken = execution.statement, execution.taken
        doubt = self.inference.ask(Interference).of(execution, "scalar", loads=False)
        if _is_aggregate(statement):
            return UnpackedRow(execution, result, name, "scalar", doubt=doubt)
        if taken == "one" and execution.session is not None:
            return UnpackedRow(execution, result, name, "scalar_one", doubt=doubt)
        if taken == "one":
            doubt = "where there is no row, None comes instead of NoResultFound"
            return UnpackedRow(execution, result, name, "scalar", doubt=doubt)
        missing = "where there is no row, scalar() gives None; where there are several, that of a Query raises"
        return UnpackedRow(execution, result, name, None, missing=missing)

    def _of_object(self, execution: Execution, result: ast.expr, key: str | int, place: Place) -> UnpackedRow | None:
        """A column that is read of an object which is fetched for it."""
        (term,) = execution.statement.terms
        if term.entity is None or not isinstance(key, str):
            return None
        attribute = self.inference.project.models.attribute(term.entity.model, key)
        if attribute is None or attribute.kind != "column":
            return None
        label = f"{term.entity.model.name}.{key}"
        if execution.taken == "one" and execution.session is None and term.node is not None:
            doubt = "where there is no row, None comes instead of NoResultFound"
            return UnpackedRow(execution, result, label, "with_entities", term.node, doubt)
        missing = "where there is no row, the column alone is None, and the object raises AttributeError"
        return UnpackedRow(execution, result, label, None, missing=missing)


def _only_column(statement: Statement) -> str | None:
    """The name that the only column of a statement has in its rows, "" where it has none; None with several."""
    match statement.terms:
        case (term,) if term.kind != "unknown" and not statement.has_step("add_columns", "add_column", "add_entity"):
            pass
        case _:
            return None
    match term.node:
        case ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Attribute(attr="label"), args=[ast.Constant(value=str(name))]):
            return name
    return ""


def _is_aggregate(statement: Statement) -> bool:
    """Whether a statement gives one row, whatever there is."""
    if any(name not in _ONE_ROW for name, _ in statement.steps):
        return False
    node = statement.terms[0].node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "label":
        node = node.func.value
    match node:
        case ast.Call(func=ast.Attribute(value=maker)):
            return last_name(maker) == "func" and may_aggregate(node)
    return False
