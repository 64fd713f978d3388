"""Which functions of the project a call may run, and which of their parameters gets an argument."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from alchemod.facts.module import FunctionFacts, last_name
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.scopes import FUNCTIONS, FunctionNode
from alchemod.inference.values import (
    Answer,
    ClassObject,
    FunctionObject,
    LocalFunction,
    ModelClass,
    Object,
    Place,
)

Called: TypeAlias = FunctionNode | ast.Lambda


@dataclass(frozen=True, slots=True)
class Target:
    """A function that a call may run.

    `bound`: its first parameter is not among the arguments of the call, for it is what the method was taken from.
    """

    inside: Place
    bound: bool = False

    @property
    def node(self) -> Called:
        """The function."""
        node = self.inside.scope.node
        assert isinstance(node, (*FUNCTIONS, ast.Lambda))
        return node

    @property
    def name(self) -> str:
        """The name of the function."""
        return getattr(self.node, "name", "lambda")

    def parameter_of(self, call: ast.Call, argument: ast.expr) -> str | None:
        """The parameter that gets `argument`; None when it goes into `*args`, `**kwargs` or is not known."""
        arguments = self.node.args
        for keyword in call.keywords:
            if keyword.value is argument:
                names = {parameter.arg for parameter in (*arguments.args, *arguments.kwonlyargs)}
                return keyword.arg if keyword.arg in names else None
        parameters = [*arguments.posonlyargs, *arguments.args]
        for index, given in enumerate(call.args):
            if isinstance(given, ast.Starred):
                return None
            if given is argument:
                position = index + self.bound
                return parameters[position].arg if position < len(parameters) else None
        return None

    @property
    def receiver(self) -> str | None:
        """The parameter that gets what the method was taken from (`self`, `cls`)."""
        parameters = [*self.node.args.posonlyargs, *self.node.args.args]
        return parameters[0].arg if self.bound and parameters else None


class Targets:
    """The functions behind calls, of one project."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver

    def callee(self, call: ast.Call, place: Place) -> Answer | None:
        """What is called."""
        return self.value(call.func, place)

    def value(self, node: ast.expr, place: Place) -> Answer | None:
        """What an expression in `place` is."""
        return self._resolver.value(node, Place(place.module, place.scope.innermost(node)))

    def of(self, callee: Answer | None) -> list[Target] | None:
        """The functions of the project that a call of `callee` may run: for a method also those of subclasses that
        override it. Empty where it runs none, None where they cannot all be looked at."""
        match callee:
            case Answer(value=FunctionObject() as called):
                overriding = self._resolver.functions.overriding(called)
                return None if overriding is None else self._all((called.facts, *overriding), is_bound(called))
            case Answer(value=LocalFunction(node=node, place=outer)):
                scope = outer.scope.find(node)
                return None if scope is None else [Target(Place(outer.module, scope))]
            case Answer(value=ClassObject(facts=facts)):
                families = self._resolver.project.families
                makers = (cls.methods["__init__"] for cls in families.above(facts) if "__init__" in cls.methods)
                return self._all(list(makers)[:1], bound=True)
        return []

    def _all(self, functions: Iterable[FunctionFacts], bound: bool) -> list[Target] | None:
        found: list[Target] = []
        for facts in functions:
            inside = self._resolver.function_place(facts)
            if inside is None or not isinstance(inside.scope.node, FUNCTIONS):
                return None
            found.append(Target(inside, bound))
        return found


def is_bound(called: FunctionObject) -> bool:
    """Whether a method gets its first parameter from what it was taken from."""
    if called.facts.owner is None:
        return False
    decorators = {last_name(decorator) for decorator in called.facts.decorators}
    if "staticmethod" in decorators:
        return False
    return "classmethod" in decorators or isinstance(called.receiver, Object)


def makes_plain_object(callee: Answer | None) -> bool:
    """Whether a call makes a mapped object by the constructor that all mapped classes have."""
    match callee:
        case Answer(value=ModelClass(model=model)):
            return not any("__init__" in one.methods for one in model.family)
    return False
