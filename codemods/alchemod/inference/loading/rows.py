"""What the resolver knows of rows, for the analysis of who reads them: producers, members, effects, callees."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.model import Model
from alchemod.inference.containers import element_of, part_of
from alchemod.inference.loading.opacity import Opacity
from alchemod.inference.loading.origin import EXECUTING, NEW_COLUMNS
from alchemod.inference.resolver import Resolver
from alchemod.inference.rows.knowledge import ArgumentReads, MemberKind, Path, Producer
from alchemod.inference.statements import JOINS, KEEPING, REBUILDING, ROW_ENDINGS
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.summaries.vocabulary import Effect, effects_of
from alchemod.inference.values import (
    Answer,
    Coroutine,
    Engine,
    FunctionObject,
    Managed,
    Method,
    ModelClass,
    Object,
    Place,
    Row,
    Rows,
    Session,
    SessionFactory,
    Statement,
    Value,
)

_ADDED_COLUMNS: Final = ("add_columns", "add_column", "add_entity")
_MUTE: Final = ArgumentReads(opaque=False)
_GIVING_ROWS: Final = (
    KEEPING
    | JOINS
    | REBUILDING
    | ROW_ENDINGS
    | EXECUTING
    | NEW_COLUMNS
    | frozenset({"query", "select_from", "reset_joinpoint", "unique", "partitions", "columns", "get_one", "merge"})
    | frozenset({"scalar_one", "scalar_one_or_none", "one_or_404", "select_entity_from", "from_self"})
)
"""Methods of sessions, statements and results that may give mapped objects."""
_OWNERS: Final = (Session, SessionFactory, Statement, Rows)


class RowSources:
    """Answers the questions of `RowKnowledge` about the function whose inside is `place`."""

    def __init__(self, place: Place, resolver: Resolver, summaries: Summaries, opacity: Opacity) -> None:
        self._root: Final = place
        self._resolver: Final = resolver
        self._summaries: Final = summaries
        self._opacity: Final = opacity
        self._producers: Final[dict[ast.Call, Producer | None]] = {}
        self._done: Final[dict[ast.AST, frozenset[Effect]]] = {}
        self._at: Final[dict[tuple[ast.Call, Path], Value | None]] = {}

    def producer(self, call: ast.Call) -> Producer | None:
        """How `call` gives mapped objects: a Query, or a method of a session, a statement or a result."""
        if call not in self._producers:
            self._producers[call] = self._producer(call)
        return self._producers[call]

    def member(self, producer: ast.Call, path: Path) -> MemberKind:
        """What the last step of `path` leads to. Names of which nothing is known count as plain."""
        owner, name = self.value_at(producer, path[:-1]), path[-1]
        if isinstance(owner, Row):
            return "entity" if _model(self.value_at(producer, path)) is not None else "plain"
        cls = _model(owner)
        if cls is None or name.startswith("#"):
            return "plain"
        models = self._resolver.project.models
        found = models.attribute(cls.model, name)
        if found is None:
            below = (models.attribute(subclass, name) for subclass in models.subclasses(cls.model))
            return (
                "relationship" if any(part is not None and part.kind == "relationship" for part in below) else "plain"
            )
        match found.kind:
            case "relationship":
                if models.lazy(found) in {"dynamic", "write_only"}:
                    return "plain"
                return "collection" if models.is_collection(found, cls.model) else "relationship"
            case "property" | "hybrid" | "method":
                unknown = self._opacity.of_member(cls.model, name)
                return "member" if unknown or (found.kind == "property" and self._acts(cls, name)) else "plain"
        return "plain"

    def _acts(self, cls: ModelClass, name: str) -> bool:
        """Whether reading a property does something to a session."""
        found = self._resolver.read(Answer(cls), name, self._root)
        return (
            found is not None
            and isinstance(found.value, FunctionObject)
            and bool(self._summaries.deeds_of_function(found.value))
        )

    def effects(self, node: ast.Call | ast.Attribute) -> frozenset[Effect]:
        """What a call, or the assignment to an attribute, may do to a session."""
        if node not in self._done:
            here = self._place(node)
            summaries = self._summaries
            self._done[node] = effects_of(
                summaries.deeds_of_call(node, here)
                if isinstance(node, ast.Call)
                else summaries.deeds_of_assignment(node, here)
            )
        return self._done[node]

    def effects_of_leaving(self, manager: ast.expr) -> frozenset[Effect]:
        """What leaving `with manager:` may do to a session."""
        return effects_of(self._summaries.deeds_of_leaving(manager, self._place(manager)))

    def swallows(self, manager: ast.expr) -> bool:
        """Whether `with manager:` may swallow an exception: a session, a transaction and a file do not."""
        answer = self._value(manager)
        match answer:
            case Answer(value=Session() | Engine()):
                return False
            case Answer(value=Managed(inner=Session() | Engine())):
                return not _is_method(self._value(manager.func) if isinstance(manager, ast.Call) else None)
        name = manager.func if isinstance(manager, ast.Call) else manager
        match name:
            case ast.Attribute(attr="begin" | "begin_nested" | "no_autoflush"):
                return False
            case ast.Name(id="open"):
                return False
        return True

    def reads(self, call: ast.Call, argument: ast.expr) -> ArgumentReads:
        """Whether the callee looks behind attributes. Which relationships it reads is not followed."""
        return ArgumentReads() if self._opacity.of_callee(call, argument, self._place(call)) else _MUTE

    def looks_inside(self, model: Model, method: str) -> bool:
        """Whether a method of a mapped class looks behind the attributes of its object."""
        return self._opacity.of_member(model, method)

    def value_at(self, producer: ast.Call, path: Path) -> Value | None:
        """What `path` leads to from what the producer gives."""
        key = (producer, path)
        if key not in self._at:
            self._at[key] = self._step(producer, path)
        return self._at[key]

    def _step(self, producer: ast.Call, path: Path) -> Value | None:
        if not path:
            answer = self._value(producer)
            value = _awaited(answer.value) if answer is not None else None
            return None if value is None or _has_added_columns(value) else value
        before, step = self.value_at(producer, path[:-1]), path[-1]
        if before is None:
            return None
        found: Answer | None
        if step == "[]":
            found = element_of(Answer(before))
        elif step.startswith("#"):
            found = part_of(Answer(before), ast.Constant(int(step[1:])))
        else:
            found = self._resolver.read(Answer(before), step, self._root)
        return found.value if found is not None else None

    def _producer(self, call: ast.Call) -> Producer | None:
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in _GIVING_ROWS:
            return None
        if (answer := self._value(call)) is None:
            return None
        value = _awaited(answer.value)
        if not isinstance(value, Rows | Row | Object | Statement) or not self._is_executing(call.func):
            return None
        match value:
            case Rows(lazy=lazy, mappings=False):
                return Producer(lazy=lazy)
            case Statement(style="query"):
                return Producer(lazy=True)
            case Row() | Object(of=ModelClass()):
                return Producer(many=False)
        return None

    def _is_executing(self, method: ast.Attribute) -> bool:
        """Whether a method is one of a session, statement or result, not of a class of the project."""
        found = self._value(method)
        if found is not None:
            return isinstance(found.value, Method) and isinstance(_awaited(found.value.owner), _OWNERS)
        return method.attr == "query"

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, self._place(node))

    def _place(self, node: ast.expr) -> Place:
        return Place(self._root.module, self._root.scope.innermost(node))


def _awaited(value: Value) -> Value:
    return value.inner if isinstance(value, Coroutine) else value


def _is_method(callee: Answer | None) -> bool:
    """Whether a context manager comes from `maker.begin()` or `engine.begin()`, not from a function of the project."""
    return callee is not None and isinstance(callee.value, Method)


def _model(value: Value | None) -> ModelClass | None:
    return value.of if isinstance(value, Object) and isinstance(value.of, ModelClass) else None


def _has_added_columns(value: Value) -> bool:
    """Whether rows have more columns than the statement's column list says."""
    statement = value.statement if isinstance(value, Rows | Row) else value
    return isinstance(statement, Statement) and statement.has_step(*_ADDED_COLUMNS)
