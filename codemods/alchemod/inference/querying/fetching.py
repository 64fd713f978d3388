"""Lists that are fetched for their length or their first element only."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Final, Literal

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.querying.duplicates import Duplicates
from alchemod.inference.querying.executions import Execution, Executions
from alchemod.inference.querying.interference import Interference
from alchemod.inference.resolving.statements import REBUILDING
from alchemod.inference.scoping.scopes import contains
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Place, Statement

Wanted = Literal["length", "first"]

_LISTING: Final = frozenset({"all", "fetchall"})
_COUNTABLE: Final = frozenset({"where", "filter", "filter_by", "join", "outerjoin"})
"""Steps of a select after which its column list may be a count instead."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A list of rows of which only the length, or the first element, is wanted.

    `node` is the expression that wants it, `template` with `holes` what gives it alone. `begin` is the construct that
    begins a select whose columns become a count, `doubt` why this is not safe.
    """

    execution: Execution
    wanted: Wanted
    node: ast.expr
    template: str
    holes: dict[str, Any]
    begin: ast.Call | None = None
    doubt: str | None = None


class Fetching(Area):
    """Which lists are fetched for less."""

    def of(self, node: ast.Call | ast.Subscript, place: Place) -> Fetch | None:
        """What `node`, `len(rows)` or `rows[0]`, wants of fetched rows; None when `rows` are those of no statement."""
        rows = node.args[0] if isinstance(node, ast.Call) else node.value
        execution = self._execution(rows, place)
        if execution is None or execution.statement.has_step(*REBUILDING):
            return None
        if isinstance(node, ast.Call):
            return self._length(execution, node, place)
        return self._first(execution, node, place)

    def _execution(self, rows: ast.expr, place: Place) -> Execution | None:
        """What `rows`, `query.all()` or `list(query)`, executes."""
        executions = self.inference.ask(Executions)
        match rows:
            case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]) if name in _LISTING:
                return executions.of(rows, place)
            case ast.Call(func=ast.Name(id="list"), args=[inner], keywords=[]):
                answer = self.inference.resolver.value(inner, place)
                if answer is not None and isinstance(answer.value, Statement) and answer.value.style == "query":
                    entities = len(answer.value.terms) == 1 and answer.value.terms[0].kind == "entity"
                    return Execution(rows, "all", answer, answer.value, inner, entities)
                if isinstance(inner, ast.Call | ast.Await):
                    return executions.of_result(inner, rows, "all", place)
        return None

    def _length(self, execution: Execution, node: ast.Call, place: Place) -> Fetch:
        interference = self.inference.ask(Interference)
        statement = execution.statement
        if execution.session is None:
            doubt = self._repeated(statement) or interference.of(execution, "count")
            return Fetch(execution, "length", node, "{query}.count()", {"query": execution.query}, doubt=doubt)
        doubt = "rows are counted that unique() leaves out" if "unique" in execution.path else None
        doubt = doubt or interference.of(execution)
        awaits = "await " if execution.is_async else ""
        holes = {"session": execution.session, "statement": execution.query}
        begin = self._beginning(execution, place)
        if begin is not None:
            template = f"{awaits}{{session}}.scalar({{statement}})"
        else:
            counted = "{sqlalchemy.select}({sqlalchemy.func}.count()).select_from({statement}.subquery())"
            template = f"{awaits}{{session}}.scalar({counted})"
        return Fetch(execution, "length", node, template, holes, begin, doubt)

    def _repeated(self, statement: Statement) -> str | None:
        """Why a Query may give fewer objects than it counts rows; None when both are the same number."""
        if statement.dynamic:
            return "the query starts at a dynamic relationship"
        if all(term.kind in {"column", "expression"} for term in statement.terms):
            return None
        return self.inference.ask(Duplicates).of(statement)

    def _beginning(self, execution: Execution, place: Place) -> ast.Call | None:
        """The `select(Entity)` in the same expression, where filters and joins are all that follows."""
        statement = execution.statement
        if any(name not in _COUNTABLE for name, _ in statement.steps) or len(statement.terms) != 1:
            return None
        node = self.inference.ask(Executions).beginning(execution, place)
        match node:
            case ast.Call(args=[_], keywords=[]) if statement.terms[0].kind == "entity" and contains(
                execution.call, node
            ):
                return node
        return None

    def _first(self, execution: Execution, node: ast.Subscript, place: Place) -> Fetch | None:
        if self._is_caught(node, place):
            return None
        doubt = "where there is no row, None comes instead of an IndexError"
        if execution.session is None:
            holes: dict[str, Any] = {"query": execution.query}
            return Fetch(execution, "first", node, "{query}.first()", holes, doubt=doubt)
        match node.value:
            case ast.Call(func=ast.Attribute(value=result)) | ast.Call(args=[result]):
                return Fetch(execution, "first", node, "{result}.first()", {"result": result}, doubt=doubt)
        return None

    def _is_caught(self, node: ast.expr, place: Place) -> bool:
        """Whether a handler around `node` catches an IndexError."""
        around = self.inference.ask(Usage).around(place)
        inner: ast.AST = node
        while (outer := around.get(inner)) is not None:
            if isinstance(outer, ast.Try) and inner in outer.body and any(map(_catches, outer.handlers)):
                return True
            inner = outer
        return False


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in walk(handler.type) if isinstance(node, ast.Name)}
    return not names.isdisjoint({"IndexError", "LookupError", "Exception", "BaseException"})
