"""The work of one function with its sessions: which they are, what happens to them, in which order.

`Transactions` is the area of knowledge to ask. It gives a `Work` for the function (or module body) around a node.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from alchemod.facts.models import Models
from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.control.dominance import dominates
from alchemod.inference.control.exceptions import Exceptions
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import FUNCTIONS, contains
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.summaries.vocabulary import Deeds
from alchemod.inference.transactions.catching import Caught, caught_by
from alchemod.inference.transactions.events import Event, EventKind, Events
from alchemod.inference.transactions.flow import FlowOfCalls
from alchemod.inference.transactions.frames import Position, position_of
from alchemod.inference.transactions.hooks import CommitHooks
from alchemod.inference.transactions.order import GOING_ON, Mark, Order, order_of
from alchemod.inference.transactions.outside import Reach, Reaches
from alchemod.inference.transactions.sessions import Key, SessionOrigins, WorkingSession
from alchemod.inference.values import Answer, ModelClass, Place

if TYPE_CHECKING:
    from alchemod.inference import Inference
    from alchemod.inference.resolving.callers import Site
    from alchemod.inference.resolving.resolver import Resolver


class Transactions(Area):
    """What the functions of a project do with sessions and their transactions."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._resolver: Final = inference.local
        self._origins: Final = SessionOrigins(self._resolver)
        self._summaries: Final = inference.ask(Summaries)
        self._works: Final[dict[ast.AST, Work | None]] = {}
        self.hooks: Final = CommitHooks(inference.project)
        self.reaches: Final = Reaches(self._resolver)
        self.exceptions: Final = inference.ask(Exceptions)

    def may_open(self, call: ast.Call, place: Place) -> bool:
        """Whether the name that a chain of calls starts with may hold a session opened where it is bound; cheap."""
        node: ast.expr = call
        while isinstance(node, (ast.Call, ast.Attribute)):
            node = node.func if isinstance(node, ast.Call) else node.value
        owner = place.scope.owner(node.id) if isinstance(node, ast.Name) else None
        if owner is None or not isinstance(node, ast.Name):
            return False
        values = (binding.value for binding in owner.bindings[node.id])
        return any(
            isinstance(value, ast.Call) and last_name(value) in self._resolver.project.session_makers
            for value in values
        )

    def is_test(self, place: Place) -> bool:
        """Whether a place lies in the tests of the project."""
        return self.inference.project.is_test(place.module.path)

    def calls_of(self, inside: Place) -> Sequence[Site]:
        """The calls of a function that are seen."""
        return self.inference.resolver.callers.of(inside).calls

    def around(self, place: Place) -> Work | None:
        """The work of the function, or else of the module body, that `place` lies in; None where it is too complex."""
        scope = enclosing_function(place.scope) or place.scope.root
        node = scope.node
        if not isinstance(node, (*FUNCTIONS, ast.Module)):
            return None
        if node not in self._works:
            inside = Place(place.module, scope)
            events = Events(inside, self._origins, self._resolver, self._summaries)
            flow = FlowOfCalls(inside, self._resolver)
            order = order_of(node.body, node, flow.may_swallow, flow.only_raises)
            self._works[node] = Work(inside, order, events, self._resolver, self) if order is not None else None
        return self._works[node]


class Work:
    """What one function does with its sessions."""

    def __init__(self, place: Place, order: Order, events: Events, resolver: Resolver, known: Transactions) -> None:
        self.place: Final = place
        self.order: Final = order
        self._reader: Final = events
        self._resolver: Final = resolver
        self._flow: Final = FlowOfCalls(place, resolver)
        self._hooks: Final = known.hooks
        self._reaches: Final = known.reaches
        self._exceptions: Final = known.exceptions
        self._at: Final[dict[Mark, list[Event]]] = {}
        self._within: Final[dict[ast.ExceptHandler, Order]] = {}

    @property
    def models(self) -> Models:
        """The mapped classes of the project."""
        return self._resolver.project.models

    @property
    def block(self) -> Sequence[ast.stmt]:
        """The body."""
        node = self.place.scope.node
        assert isinstance(node, (*FUNCTIONS, ast.Module))
        return node.body

    @cached_property
    def events(self) -> list[Event]:
        """Everything that happens to a session, as far as it can be reached."""
        return [event for mark in self.order.marks for event in self.at(mark)]

    @cached_property
    def sessions(self) -> dict[Key, WorkingSession]:
        """The sessions, by where they come from."""
        return {event.session.origin.key: event.session for event in reversed(self.events)}

    def order_within(self, handler: ast.ExceptHandler) -> Order:
        """The order of what happens in a handler, which is its start."""
        if handler not in self._within:
            order = order_of(handler.body, handler, self._flow.may_swallow, self._flow.only_raises)
            assert order is not None  # a part of what could be followed
            self._within[handler] = order
        return self._within[handler]

    def always_raises(self, handler: ast.ExceptHandler) -> bool:
        """Whether a handler always ends in an exception."""
        return self.order_within(handler).after(handler).isdisjoint(GOING_ON)

    def begun_by(self, node: ast.AST) -> ast.Call | None:
        """The `begin()` or `begin_nested()` whose transaction a call such as `savepoint.commit()` ends."""
        match node:
            case ast.Call(func=ast.Attribute(value=receiver)):
                begun = self._reader.transaction(receiver)
                return begun[1] if begun is not None else None
        return None

    def at(self, mark: Mark) -> list[Event]:
        """What happens to sessions at a mark."""
        if mark not in self._at:
            self._at[mark] = self._reader.at(mark)
        return self._at[mark]

    def of(self, session: WorkingSession, kinds: Iterable[EventKind] | None = None) -> list[Event]:
        """What happens to one session, of these kinds."""
        key = session.origin.key
        found = [event for event in self.events if event.session.origin.key == key]
        return found if kinds is None else [event for event in found if event.kind in frozenset(kinds)]

    def method_events(self, name: str) -> list[Event]:
        """What happens at the calls of methods of this name; the other calls are not looked at."""
        calls = (mark for mark in self.order.marks if isinstance(mark, ast.Call) and last_name(mark) == name)
        return [event for call in calls for event in self.at(call)]

    def event(self, call: ast.Call) -> Event | None:
        """What a method call does to its session; None when it is no method of one."""
        return next((event for event in self.at(call) if event.kind != "lent"), None)

    def reach(self, call: ast.Call) -> Reach:
        """Whether a call has, or may have, an effect outside the database."""
        return self._reaches.of(call, self.place)

    def deeds(self, call: ast.Call) -> Deeds:
        """What a call may do to sessions that it does not get: those of objects, modules and registries."""
        return self._reader.deeds(call)

    def session(self, node: ast.expr) -> WorkingSession | None:
        """The session an expression stands for."""
        return self._reader.session(node)

    def position(self, node: ast.expr | ast.stmt) -> Position | None:
        """Where a node stands among the statements."""
        return position_of(self.block, node)

    def is_made_here(self, node: ast.expr) -> bool:
        """Whether an object was made in this function by calling its class, as far as its name tells."""
        followed = self._reader.followed(node)
        if not isinstance(followed, ast.Call):
            return False
        answer = self.value(followed.func)
        return answer is not None and isinstance(answer.value, ModelClass)

    def followed(self, node: ast.expr) -> ast.expr:
        """The expression that a name stands for, where it is bound once; other expressions as they are."""
        return self._reader.followed(node)

    def names_of(self, session: WorkingSession) -> set[str]:
        """The variables of the function that hold a session."""
        found: set[str] = set()
        for name, bindings in self.place.scope.bindings.items():
            for binding in bindings:
                if binding.kind in {"assignment", "annotation", "walrus", "with"} and self._holds(binding, session):
                    found.add(name)
        return found

    def is_alias(self, node: ast.Assign | ast.AnnAssign, session: WorkingSession) -> bool:
        """Whether an assignment only gives a session another name."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(isinstance(target, ast.Name) and target.id in self.names_of(session) for target in targets)

    def _holds(self, binding: Binding, session: WorkingSession) -> bool:
        if isinstance(binding.node, ast.withitem):
            held = self._reader.entered(binding.node)
        else:
            held = self.session(binding.value) if binding.value is not None and binding.position == () else None
        return held is not None and held.origin.key == session.origin.key

    def is_bound_before(self, name: ast.Name, statement: ast.stmt) -> bool:
        """Whether a name that is read in `statement` has its value from code before it, whatever way led there."""
        scope = self.place.scope
        root = scope.root.node
        assert isinstance(root, ast.Module)
        binding = definitions(root, name).single
        if binding is None or not dominates(binding, scope.node, name):
            return False
        return not (isinstance(binding.node, (ast.stmt, ast.expr)) and contains(statement, binding.node))

    @property
    def registry_is_removed(self) -> bool:
        """Whether something in the project, or Flask-SQLAlchemy, removes the session of a registry."""
        return self._hooks.removes_registry

    @property
    def may_not_autoflush(self) -> bool:
        """Whether some sessions of the project do not flush before they ask."""
        return self._hooks.may_not_autoflush

    def statement_of(self, call: ast.expr) -> ast.Expr | None:
        """The statement that is nothing but `call`, awaited or not; None when its value is used."""
        position = self.position(call)
        match position.statement if position is not None else None:
            case ast.Expr(value=ast.Await(value=inner) | inner) as statement if inner is call:
                return statement
        return None

    def caught(self, handler: ast.ExceptHandler) -> Caught:
        """What a handler catches."""
        return caught_by(handler, self.place, self._exceptions)

    def value(self, node: ast.expr) -> Answer | None:
        """What an expression of the function is."""
        return self._resolver.value(node, Place(self.place.module, self.place.scope.innermost(node)))
