"""Statements whose result is not determined: any of several rows, every row with every other, repetitions dropped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.facts.nodes import children
from alchemod.facts.uniqueness import unique_sets
from alchemod.inference.area import Area
from alchemod.inference.querying.executions import Execution
from alchemod.inference.querying.existence import Existence
from alchemod.inference.resolving.statements import JOINS, REBUILDING
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Entity, Exists, FromClause, ModelAttribute, ModelClass, Place, Statement

_CONDITIONS: Final = frozenset({"filter", "where"})
_OF_RELATED: Final = frozenset({"any", "has"})


class Underdetermined(Area):
    """Which results depend on what the database happens to do."""

    def any_of_several(self, execution: Execution, call: ast.Call, place: Place) -> str | None:
        """The class of which a call takes any of several objects; None when one is determined, or none is wanted."""
        statement = execution.statement
        if statement.has_step("order_by") or statement.has_step(*REBUILDING) or statement.dynamic:
            return None
        entities = {term.entity.cls for term in statement.terms if term.entity is not None}
        if len(entities) != 1 or any(term.kind not in {"entity", "column"} for term in statement.terms):
            return None
        (cls,) = entities
        fixed, keys = set(self._fixed(statement, cls, place)), unique_sets(cls.model)
        if "" in fixed or not keys or any(key <= fixed for key in keys) or not self._is_here(statement, place):
            return None
        if self.inference.ask(Existence).asked_by(call, place) is not None:
            return None
        return cls.model.name

    def _fixed(self, statement: Statement, cls: ModelClass, place: Place) -> Iterator[str]:
        """The columns of a class that are compared with one value; "" for a condition that is not understood."""
        for name, call in statement.steps:
            if name == "filter_by":
                yield from (keyword.arg or "" for keyword in call.keywords)
            elif name in _CONDITIONS:
                for condition in call.args:
                    yield from self._compared(condition, cls, place)

    def _compared(self, condition: ast.expr, cls: ModelClass, place: Place) -> Iterator[str]:
        match condition:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                for side in (left, right):
                    answer = self._value(side, place)
                    if answer is not None and isinstance(answer.value, ModelAttribute) and answer.value.owner == cls:
                        yield answer.value.attribute.name
            case ast.Call(func=ast.Name(id="and_") | ast.Attribute(attr="and_"), args=parts):
                for part in parts:
                    yield from self._compared(part, cls, place)
            case ast.BinOp(left=left, op=ast.BitAnd(), right=right):
                yield from self._compared(left, cls, place)
                yield from self._compared(right, cls, place)
            case ast.Starred() | ast.Name():
                yield ""

    def product(self, statement: Statement, place: Place) -> tuple[str, str] | None:
        """Two classes whose rows are all combined, as no condition speaks of both; None when none are, or perhaps."""
        if statement.has_step(*JOINS, *REBUILDING, "select_from", "filter_by", "correlate", "with_entities"):
            return None
        if not self._is_here(statement, place):
            return None
        groups: list[set[ModelClass]] = []
        for term in statement.terms:
            if term.entity is None or term.kind not in {"entity", "column"}:
                return None
            groups.append({term.entity.cls})
        for name, call in statement.steps:
            for condition in call.args if name in _CONDITIONS else ():
                if isinstance(condition, ast.Name | ast.Starred):
                    return None
                groups.append(set(self._spoken_of(condition, place)))
        merged = _merged([group for group in groups if group])
        if len(merged) < 2:
            return None
        first, second = (next(iter(group)).model.name for group in merged[:2])
        return first, second

    def _spoken_of(self, condition: ast.expr, place: Place) -> Iterator[ModelClass]:
        """The classes whose columns a condition speaks of, subqueries left aside."""
        stack: list[ast.AST] = [condition]
        while stack:
            part = stack.pop()
            if isinstance(part, ast.Call):
                answer = self._value(part, place)
                if answer is not None and isinstance(answer.value, Statement | Exists | FromClause):
                    continue
                if isinstance(part.func, ast.Attribute) and part.func.attr in _OF_RELATED:
                    stack.append(part.func.value)
                    continue
            if isinstance(part, ast.Attribute):
                answer = self._value(part, place)
                if answer is not None and isinstance(answer.value, ModelAttribute):
                    yield answer.value.owner
                    continue
            stack.extend(children(part))

    def hidden_join(self, statement: Statement, place: Place) -> str | None:
        """The class that is joined only to filter, whose repetitions a `distinct()` drops; None when there is none."""
        distinct = [call for name, call in statement.steps if name == "distinct"]
        if len(distinct) != 1 or distinct[0].args or statement.joined is None or len(statement.terms) != 1:
            return None
        term = statement.terms[0]
        if term.kind != "entity" or term.entity is None or not self._is_here(statement, place):
            return None
        if not self._holds_many(statement, term.entity, place):
            return None
        joined = statement.joined.cls
        for name, call in statement.steps:
            if name == "options" or (name == "order_by" and joined in set(self._all_spoken_of(call, place))):
                return None
        return joined.model.name

    def _holds_many(self, statement: Statement, entity: Entity, place: Place) -> bool:
        """Whether a join goes along a relationship of the entity that holds many."""
        models = self.inference.project.models
        for name, call in statement.steps:
            for argument in call.args if name in JOINS else ():
                answer = self._value(argument, place)
                if answer is not None and isinstance(answer.value, ModelAttribute):
                    attribute, owner = answer.value.attribute, answer.value.owner
                    if attribute.kind == "relationship" and owner == entity.cls:
                        return models.is_collection(attribute, owner.model) is True
        return False

    def _all_spoken_of(self, call: ast.Call, place: Place) -> Iterator[ModelClass]:
        for argument in call.args:
            yield from self._spoken_of(argument, place)

    def _is_here(self, statement: Statement, place: Place) -> bool:
        """Whether every step of a statement stands in the function of `place`."""
        around = self.inference.ask(Usage).around(place)
        return all(call in around for _, call in statement.steps)

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        return self.inference.resolver.value(node, Place(place.module, place.scope.root.innermost(node)))


def _merged(groups: list[set[ModelClass]]) -> list[set[ModelClass]]:
    """The groups, those that have a member in common joined."""
    merged: list[set[ModelClass]] = []
    for group in groups:
        apart = [other for other in merged if not other & group]
        joined = group.union(*(other for other in merged if other & group))
        merged = [*apart, joined]
    return merged
