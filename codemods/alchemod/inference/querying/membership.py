"""`x in query.all()`: all rows are fetched to see whether one is among them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Final

from alchemod.facts.model import Model
from alchemod.facts.nodes import is_dotted
from alchemod.inference.area import Area
from alchemod.inference.mapping.keys import is_composite, is_primary
from alchemod.inference.names.spelling import spelling_of
from alchemod.inference.querying.executions import Execution, Executions
from alchemod.inference.querying.reach import Reach
from alchemod.inference.resolving.statements import JOINS
from alchemod.inference.scoping.scopes import contains
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Object, Place

_FILTERED: Final = JOINS | {"filter", "where", "filter_by", "order_by", "options", "distinct"}
"""Steps after which a further filter means the same rows."""


@dataclass(frozen=True, slots=True)
class Member:
    """A test whether a value is among fetched rows. `template` with `holes` is the EXISTS, None where `missing` is."""

    execution: Execution
    node: ast.Compare
    template: str | None
    holes: dict[str, Any]
    missing: str = ""


class Membership(Area):
    """Which results are only searched for one value."""

    def asked_by(self, call: ast.Call, place: Place) -> Member | None:
        """The test for which `call`, `query.all()` or that of a result, fetches all rows; None when there is none."""
        node = self.inference.ask(Usage).around(place).get(call)
        match node:
            case ast.Compare(left=value, ops=[ast.In() | ast.NotIn() as op], comparators=[rows]) if rows is call:
                pass
            case _:
                return None
        execution = self.inference.ask(Executions).of(call, place)
        if execution is None or execution.taken != "all" or not execution.scalars or execution.is_async:
            return None
        condition, holes = self._condition(execution, value, place)
        missing = self._missing(execution, condition)
        if missing or condition is None:
            return Member(execution, node, None, {}, missing)
        negation = "not " if isinstance(op, ast.NotIn) else ""
        if execution.session is not None:
            template = f"{negation}{{session}}.scalar({{sqlalchemy.select}}({{query}}.where({condition}).exists()))"
            session: Any = execution.session
        else:
            template = f"{negation}{{session}}.query({{query}}.filter({condition}).exists()).scalar()"
            session = self.inference.ask(Reach).session_of(execution.query, place)
        if session is None:
            return Member(execution, node, None, {}, "no name stands for the session")
        return Member(execution, node, template, {**holes, "session": session, "query": execution.query})

    def _condition(self, execution: Execution, value: ast.expr, place: Place) -> tuple[str | None, dict[str, Any]]:
        """The condition that the row of `value` fulfils."""
        term, resolver = execution.statement.terms[0], self.inference.resolver
        if term.kind == "column" and term.node is not None and contains(execution.call, term.node):
            return "{column} == {value}", {"column": term.node, "value": value}
        found = resolver.value(value, place)
        if term.kind != "entity" or term.entity is None or not is_dotted(value):
            return None, {}
        match found:
            case Answer(value=Object(of=cls)) if cls == term.entity.cls:
                pass
            case _:
                return None, {}
        key, spelling = _key(term.entity.model), spelling_of(term.entity, execution.call, place, resolver)
        if key is None or spelling is None or spelling.imported is not None:
            return None, {}
        return "{entity}.{key} == {value}.{key}", {"entity": spelling.code, "key": key, "value": value}

    def _missing(self, execution: Execution, condition: str | None) -> str:
        if condition is None:
            return "which column tells the rows apart is not known"
        if execution.has_arguments:
            return "the statement is sent with more than itself"
        other = next((name for name, _ in execution.statement.steps if name not in _FILTERED), None)
        return f"a further filter after {other}() is not the same" if other is not None else ""


def _key(model: Model) -> str | None:
    """The only column of the primary key."""
    keys = [name for name, found in model.attributes.items() if found.kind == "column" and is_primary(found)]
    return keys[0] if len(keys) == 1 and not is_composite(model) else None
