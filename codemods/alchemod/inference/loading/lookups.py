"""Queries by key: an expression that asks for the rows of one class whose column equals a value, and nothing else."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from alchemod.facts.module import last_name
from alchemod.inference.mapping.keys import primary_key
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.resolving.sessions import as_session
from alchemod.inference.resolving.statements import EXECUTING
from alchemod.inference.values import Answer, Entity, ModelAttribute, ModelClass, Place, Session, Statement, Term

Gives: TypeAlias = Literal["one", "one_or_raises", "many", "count"]
"""What is given: one object, or None where there is none; one object, or an exception; all; their number."""

ENDINGS: Final[dict[str, Gives]] = {
    "get": "one",
    "first": "one",
    "one_or_none": "one",
    "scalar": "one",
    "scalar_one_or_none": "one",
    "get_one": "one_or_raises",
    "one": "one_or_raises",
    "scalar_one": "one_or_raises",
    "all": "many",
    "count": "count",
}
_CRITERIA: Final = frozenset({"filter", "where", "filter_by"})
_RESULTS: Final = frozenset({"scalars", "unique"})


@dataclass(frozen=True, slots=True)
class Lookup:
    """A query by key. `entity` is the class asked for, `column` its attribute that is compared with `key`.

    `session` is what executes the statement: a session, or the class of `Model.query`. `is_query` says that it is a
    Query, not a select().
    """

    node: ast.Call
    answer: Answer
    entity: Entity
    column: str
    key: ast.expr
    gives: Gives
    session: ast.expr
    is_query: bool
    is_async: bool = False
    of_class: bool = False
    """Whether the Query is that of a class: `Model.query`."""
    beside: tuple[tuple[str, ast.expr], ...] = ()
    """Further columns that are compared, each with its value."""


def lookup(call: ast.Call, place: Place, resolver: Resolver) -> Lookup | None:
    """The query by key that `call` ends; None when it is another call, or asks for more."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ENDINGS:
        return None
    return _Reading(call, call.func, place, resolver).found()


class _Reading:
    def __init__(self, call: ast.Call, method: ast.Attribute, place: Place, resolver: Resolver) -> None:
        self._call: Final = call
        self._method: Final = method
        self._place: Final = place
        self._resolver: Final = resolver

    def found(self) -> Lookup | None:
        owner = as_session(self._value(self._method.value))
        match owner:
            case Answer(value=Session() as session):
                if self._method.attr in {"get", "get_one"}:
                    return self._got(owner, session)
                return self._executed(self._call, owner, session) if self._method.attr == "scalar" else None
            case Answer(value=Statement(style="query", dynamic=True, steps=()) as statement):
                return self._counted(owner, statement)
            case Answer(value=Statement(style="query") as statement) if not self._call.keywords:
                if self._method.attr == "get":
                    return self._by_primary_key(owner, statement)
                if not self._call.args:
                    return self._by_criterion(owner, statement, _root(self._method.value), is_query=True)
            case Answer() if not self._call.args:
                return self._of_result(self._method.value)
        return None

    def _counted(self, owner: Answer, statement: Statement) -> Lookup | None:
        """`row.children.count()` of a dynamic relationship"""
        entity = _only_entity(statement)
        match self._method:
            case ast.Attribute(value=ast.Attribute(value=row, attr=name), attr="count") if entity is not None:
                return Lookup(self._call, owner, entity, name, row, "count", row, is_query=True)
        return None

    def _got(self, owner: Answer, session: Session) -> Lookup | None:
        """`session.get(Model, key)`"""
        if len(self._call.args) != 2 or self._call.keywords:
            return None
        cls, key = self._call.args
        target = self._value(cls)
        if target is None or not isinstance(target.value, ModelClass):
            return None
        entity = Entity(target.value, cls, self._place)
        return self._of(owner, entity, primary_key(entity.model), key, self._method.value, session, is_query=False)

    def _by_primary_key(self, owner: Answer, statement: Statement) -> Lookup | None:
        """`session.query(Model).get(key)`"""
        entity = _only_entity(statement)
        if entity is None or statement.steps or len(self._call.args) != 1:
            return None
        column, key = primary_key(entity.model), self._call.args[0]
        return self._of(owner, entity, column, key, _root(self._method.value), statement.session, is_query=True)

    def _of_result(self, node: ast.expr) -> Lookup | None:
        """`session.execute(statement).scalar_one()`, `session.scalars(statement).first()`"""
        while isinstance(node, ast.Await):
            node = node.value
        while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in EXECUTING and node.args:
                owner = as_session(self._value(node.func.value))
                if owner is not None and isinstance(owner.value, Session):
                    return self._executed(node, owner, owner.value)
            if node.func.attr not in _RESULTS:
                return None
            node = node.func.value
            while isinstance(node, ast.Await):
                node = node.value
        return None

    def _executed(self, call: ast.Call, owner: Answer, session: Session) -> Lookup | None:
        """A statement that a session executes."""
        statement = self._value(call.args[0]) if len(call.args) == 1 and not call.keywords else None
        if statement is None or not isinstance(statement.value, Statement) or statement.value.style != "select":
            return None
        assert isinstance(call.func, ast.Attribute)
        return self._by_criterion(owner, statement.value, call.func.value, is_query=False)

    def _by_criterion(
        self, owner: Answer, statement: Statement, session: ast.expr | None, *, is_query: bool
    ) -> Lookup | None:
        """A statement whose only criteria are `Model.column == key`."""
        entity = _only_entity(statement)
        if entity is None or session is None:
            return None
        pairs: list[tuple[str, ast.expr]] = []
        for name, step in statement.steps:
            criteria = self._criteria(step, entity) if name in _CRITERIA else None
            if criteria is None:
                return None
            pairs += criteria
        if not pairs:
            return None
        value = as_session(self._value(session))
        executing = value.value if value is not None and isinstance(value.value, Session) else statement.session
        found = self._of(owner, entity, *pairs[0], session, executing, is_query=is_query)
        return replace(found, beside=tuple(pairs[1:])) if found is not None else None

    def _criteria(self, step: ast.Call, entity: Entity) -> list[tuple[str, ast.expr]] | None:
        """The columns that a filter compares with values; None when it asks for more than equality."""
        found: list[tuple[str, ast.expr] | None] = [
            (keyword.arg, keyword.value) if keyword.arg is not None else None for keyword in step.keywords
        ]
        for argument in step.args:
            terms = argument.args if isinstance(argument, ast.Call) and last_name(argument) == "and_" else [argument]
            found += [self._compared(term, entity) for term in terms]
        pairs = [pair for pair in found if pair is not None]
        return pairs if len(pairs) == len(found) else None

    def _compared(self, term: ast.expr, entity: Entity) -> tuple[str, ast.expr] | None:
        match term:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                for column, key in ((left, right), (right, left)):
                    match self._value(column):
                        case Answer(value=ModelAttribute(owner=ModelClass(model=model, alias=None), attribute=found)):
                            if model is entity.model:
                                return found.name, key
        return None

    def _of(
        self,
        answer: Answer,
        entity: Entity,
        column: str | None,
        key: ast.expr,
        session: ast.expr | None,
        executing: Session | None,
        *,
        is_query: bool,
    ) -> Lookup | None:
        found = entity.model.attributes.get(column) if column is not None else None
        if column is None or session is None or found is None or found.kind != "column":
            return None
        gives = ENDINGS[self._method.attr]
        is_async = executing is not None and executing.is_async
        asked = self._value(session)
        of_class = asked is not None and isinstance(asked.value, ModelClass)
        return Lookup(self._call, answer, entity, column, key, gives, session, is_query, is_async, of_class)

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, Place(self._place.module, self._place.scope.root.innermost(node)))


def _only_entity(statement: Statement) -> Entity | None:
    match statement.terms:
        case (Term(kind="entity", entity=Entity() as entity),) if entity.cls.alias is None and not statement.lost:
            return entity
    return None


def _root(query: ast.expr) -> ast.expr | None:
    """What a Query is asked of: the session of `session.query(...)`, the class of `Model.query`."""
    node = query
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Attribute) and node.attr == "query":
            return node.value
        node = node.func if isinstance(node, ast.Call) else node.value
    return None
