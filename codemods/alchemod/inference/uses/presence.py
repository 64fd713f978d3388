"""Rows that are there although nothing tests the result of their query: aggregates, rows that were counted or made
just before, reads whose failure is caught.

SQL: a SELECT of aggregates without GROUP BY gives one row. SQLAlchemy 2.0, "ORM Querying Guide".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.control.dominance import enclosing_suites
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.uses.aggregates import may_aggregate
from alchemod.inference.values import Answer, ModelClass, Place, Statement

_ASKING: Final = frozenset({"exists", "count", "first", "one_or_none", "scalar_one_or_none", "get", "all"})
_LEAVING: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_READ_FAILURES: Final = frozenset({"AttributeError", "TypeError"})


class Presence(Area):
    """Answers about queries whose row surely is there."""

    def has_row(self, statement: Statement) -> bool:
        """Whether a statement gives a row whatever the tables hold."""
        if not statement.terms or statement.has_step("group_by", "having"):
            return False
        return any(term.node is not None and _aggregates(term.node) for term in statement.terms)

    def is_expected(self, call: ast.Call, statement: Statement, place: Place) -> bool:
        """Whether the code around a query tells that its row is there: it asked for it before, or made it, or catches
        what a missing one raises when it is read."""
        function = enclosing_function(place.scope)
        if function is None or not isinstance(function.node, FUNCTIONS):
            return False
        suites = list(enclosing_suites(function.node.body, call))
        before = [earlier for suite, index in suites for earlier in _surely_run(suite[:index])]
        if any(self._makes(earlier, statement, place) for earlier in before):
            return True
        if any(
            _leaves(earlier) and self._asks(earlier.test, call, statement, place, before) for earlier in _ifs(before)
        ):
            return True
        for (outer, index), (inner, _) in pairwise(suites):
            around = outer[index]
            match around:
                case ast.If(test=test, body=body) if body is inner:
                    if self._asks(test, call, statement, place, before):
                        return True
                case ast.Try(body=body, handlers=handlers) if body is inner:
                    if any(_catches_read(handler) for handler in handlers):
                        return True
        return False

    def _asks(
        self, test: ast.expr, call: ast.Call, statement: Statement, place: Place, before: Sequence[ast.stmt]
    ) -> bool:
        """Whether a test asks for rows of the same class, or through the same variable."""
        told = {one.id for one in ast.walk(test) if isinstance(one, ast.Name)}
        bound = (one.value for one in before if isinstance(one, ast.Assign) and _names(one.targets) & told)
        asked = [part for one in (test, *bound) for part in ast.walk(one) if _is_asking(part)]
        variables = {one.id for one in ast.walk(call) if isinstance(one, ast.Name)}
        for part in asked:
            assert isinstance(part, ast.Call)
            inside = [one for one in ast.walk(part) if isinstance(one, ast.Name)]
            if any(self._entity(one, place) in _entities(statement) for one in inside):
                return True
            if any(one.id in variables and self._is_query(one, place) for one in inside):
                return True
        return False

    def _makes(self, earlier: ast.stmt, statement: Statement, place: Place) -> bool:
        """Whether a statement makes an object of the class that is asked for."""
        if not isinstance(earlier, ast.Assign | ast.AnnAssign | ast.Expr):
            return False
        calls = (part for part in ast.walk(earlier) if isinstance(part, ast.Call))
        return any(self._entity(made.func, place) in _entities(statement) for made in calls)

    def _entity(self, node: ast.expr, place: Place) -> object:
        match self.inference.local.value(node, place):
            case Answer(value=ModelClass(model=model)):
                return model
        return None

    def _is_query(self, node: ast.expr, place: Place) -> bool:
        answer = self.inference.local.value(node, place)
        return answer is not None and isinstance(answer.value, Statement)


def _entities(statement: Statement) -> list[object]:
    return [term.entity.model for term in statement.terms if term.entity is not None]


def _aggregates(node: ast.expr) -> bool:
    """Whether an expression is made of an aggregate over all rows."""
    match node:
        case ast.Call(func=ast.Attribute(attr="over" | "select" | "scalar_subquery" | "as_scalar" | "subquery")):
            return False
        case ast.Call(func=ast.Name(id="select")):
            return False
        case ast.Call(func=ast.Attribute(value=value)) if last_name(value) == "func" and may_aggregate(node):
            return True
    return any(_aggregates(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def _is_asking(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ASKING


def _surely_run(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that have run once those given have, as far as nothing left the suite: also those of `with`
    blocks, and of `try` blocks whose handlers all leave."""
    for one in statements:
        yield one
        match one:
            case ast.With(body=body) | ast.AsyncWith(body=body):
                yield from _surely_run(body)
            case ast.Try(body=body, handlers=handlers):
                if all(isinstance(handler.body[-1], _LEAVING) for handler in handlers):
                    yield from _surely_run(body)


def _ifs(statements: Iterable[ast.stmt]) -> Iterator[ast.If]:
    return (one for one in statements if isinstance(one, ast.If))


def _leaves(branch: ast.If) -> bool:
    return isinstance(branch.body[-1], _LEAVING) and not branch.orelse


def _names(targets: Iterable[ast.expr]) -> set[str]:
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _catches_read(handler: ast.ExceptHandler) -> bool:
    """Whether a handler is written for what reading None raises."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is not None and last_name(one) in _READ_FAILURES for one in caught)
