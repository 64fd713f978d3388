"""What functions of the project return or yield."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.facts.module import FunctionFacts, last_name
from alchemod.facts.nodes import children
from alchemod.inference.resolving.annotation import annotated
from alchemod.inference.resolving.statements import built_for
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Coroutine,
    FunctionObject,
    Generator,
    LocalFunction,
    Managed,
    ModelClass,
    Object,
    Place,
    Session,
    Statement,
    resting_on,
)

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

_MANAGERS = frozenset({"contextmanager", "asynccontextmanager", "managed"})
TRANSPARENT = frozenset(
    {
        "staticmethod", "classmethod", "property", "cached_property", "lru_cache", "cache", "contextmanager",
        "asynccontextmanager", "wraps", "abstractmethod", "override", "provide_session", "hybrid_property",
        "hybrid_method",
    }
)  # fmt: skip
"""Decorators that leave the parameters of a function and what it returns as they are, or are understood."""
_FIXTURES = frozenset({"fixture", "yield_fixture"})
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Functions:
    """Summaries of the functions of a project, made on demand."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def returned(self, function: Answer | None, call: ast.Call | None, place: Place) -> Answer | None:
        """What calling a function gives: its annotation, else what all its returns agree on."""
        if function is None:
            return None
        match function.value:
            case FunctionObject() as called:
                return self._of_project(function, called)
            case LocalFunction(node=ast.Lambda(body=body) as node, place=outer):
                scope = outer.scope.find(node)
                return self._resolver.value(body, Place(outer.module, scope)) if scope is not None else None
            case LocalFunction(node=node, place=outer):
                scope = outer.scope.find(node)
                answer = self._summary(Place(outer.module, scope)) if scope is not None else None
                return resting_on(answer.value, (function, answer)) if answer is not None else None
        return None

    def _of_project(self, function: Answer, called: FunctionObject) -> Answer | None:
        overriding = self.overriding(called)
        answer = self._resolver.agreeing(
            self._summary(inside) if (inside := self._resolver.function_place(facts)) is not None else None
            for facts in (called.facts, *(overriding or ()))
        )
        if answer is None:
            return None
        if overriding is None:
            answer = answer.weakened(f"not every class that may have its own {called.facts.name}() is looked at")
        value, receiver = answer.value, called.receiver
        if isinstance(value, Statement) and isinstance(receiver, ModelClass | Object):
            value = built_for(value, receiver.of if isinstance(receiver, Object) else receiver)
        if called.is_manager:
            if not isinstance(value, Generator):
                return None
            value = Managed(value.inner)
        return resting_on(value, (function, answer))

    def overriding(self, called: FunctionObject) -> list[FunctionFacts] | None:
        """The methods of subclasses that may be called instead, as the object may be of any; None when too many."""
        owner = called.facts.owner
        if owner is None or not isinstance(called.receiver, Object | ModelClass | ClassObject):
            return []
        below = self._resolver.project.families.below(owner)
        if below is None:
            return None
        return [facts.methods[called.facts.name] for facts in below if called.facts.name in facts.methods]

    def _summary(self, inside: Place) -> Answer | None:
        return self._resolver.recall.ask(("returned", inside.scope.node), lambda: self._summarised(inside))

    def _summarised(self, inside: Place) -> Answer | None:
        node = inside.scope.node
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        decorators = [last_name(decorator) for decorator in node.decorator_list]
        answer = self._body(node, inside)
        if answer is None and node.returns is not None and inside.scope.parent is not None:
            answer = annotated(node.returns, Place(inside.module, inside.scope.parent), self._resolver)
            if (
                answer is not None
                and isinstance(node, ast.AsyncFunctionDef)
                and not isinstance(answer.value, Generator)
            ):
                answer = answer.then(Coroutine(answer.value))
        if answer is None:
            return None
        if any(name in _MANAGERS for name in decorators) and isinstance(answer.value, Generator):
            answer = answer.then(Managed(answer.value.inner))
        elif any(name in _FIXTURES for name in decorators):
            return None
        unknown = [name for name in decorators if name not in TRANSPARENT]
        if unknown:
            return answer.weakened(f"what the decorator @{unknown[0]} does to {node.name}() is not known")
        return answer

    def _body(self, node: ast.FunctionDef | ast.AsyncFunctionDef, inside: Place) -> Answer | None:
        yields, returns = [], []
        for part in own_nodes(node):
            if isinstance(part, ast.Yield) and part.value is not None:
                yields.append(part.value)
            elif isinstance(part, ast.YieldFrom):
                return None
            elif isinstance(part, ast.Return) and part.value is not None:
                returns.append(part.value)
        if yields:
            answer = self._agreeing(yields, inside)
            return answer.then(Generator(answer.value)) if answer is not None else None
        real = [
            value
            for value in returns
            if not (isinstance(value, ast.Constant) and value.value is None) and not self._is_again(value, node, inside)
        ]
        is_of_session = any(isinstance(value, ast.Call) and "session" in last_name(value).lower() for value in real)
        answer = self._session_among(real, node.name, inside) if is_of_session else self._agreeing(real, inside)
        if answer is not None and isinstance(node, ast.AsyncFunctionDef):
            return answer.then(Coroutine(answer.value))
        return answer

    def _session_among(self, values: list[ast.expr], name: str, inside: Place) -> Answer | None:
        """What all values agree on; a session, too, where a function gives what it was handed on other ways."""
        known: list[Answer] = []
        others = False
        for value in values:
            answer = self._resolver.value(value, inside)
            if answer is not None:
                known.append(answer)
            elif isinstance(value, ast.Name | ast.Attribute):
                others = True
            else:
                return None
        answer = self._resolver.agreeing(known)
        if answer is None or not others:
            return answer
        is_session = isinstance(answer.value, Session)
        return answer.weakened(f"{name}() may give something else on other ways") if is_session else None

    def _is_again(self, value: ast.expr, node: ast.AST, inside: Place) -> bool:
        """Whether a returned value is what the function itself gives, called again."""
        if not isinstance(value, ast.Call) or last_name(value.func) != getattr(node, "name", ""):
            return False
        match self._resolver.value(value.func, inside):
            case Answer(value=FunctionObject(facts=facts)):
                again = self._resolver.function_place(facts)
                return again is not None and again.scope.node is node
            case Answer(value=LocalFunction(node=local)):
                return local is node
        return False

    def _agreeing(self, values: list[ast.expr], place: Place) -> Answer | None:
        return self._resolver.agreeing(self._resolver.value(value, place) for value in values)


def own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module) -> Iterator[ast.AST]:
    """The nodes of the body of a function or module, those of functions and classes inside it excepted."""
    stack: list[ast.AST] = list(function.body) if isinstance(function.body, list) else [function.body]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _SCOPES):
            stack.extend(children(node))


def enclosing_function(scope: Scope) -> Scope | None:
    """The nearest function around a scope, itself included."""
    current: Scope | None = scope
    while current is not None and not current.is_function:
        current = current.parent
    return current
