"""How a Query gets from one function to another: as what a function returns, as an argument of a call.

Only functions whose calls are all seen count: every mention of the name in the project is a call of this function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.resolving.callers import Site
from alchemod.inference.resolving.functions import enclosing_function, own_nodes
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.uses.parents import Parents, parents_of
from alchemod.inference.values import Answer, FunctionObject, Place

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_PLAIN_DECORATORS: Final = frozenset({"staticmethod", "classmethod"})


@dataclass(frozen=True, slots=True)
class Passage:
    """The inside of a function that a Query leaves or enters, and all its calls."""

    inside: Place
    sites: tuple[Site, ...]
    enters: Binding | None = None
    """The parameter by which the Query enters; None where it leaves as what the function returns."""

    @property
    def function(self) -> _FunctionNode:
        """The function."""
        assert isinstance(self.inside.scope.node, _FunctionNode)
        return self.inside.scope.node

    def returned(self) -> Iterator[ast.expr]:
        """What the function returns, None left out."""
        for node in own_nodes(self.function):
            match node:
                case ast.Return(value=ast.expr() as value) if not _is_none(value):
                    yield value

    def parameter(self, call: ast.Call, argument: ast.expr) -> Binding | None:
        """The parameter that gets an argument of one of the calls."""
        for name in self.inside.scope.bindings:
            binding = self.inside.scope.bindings[name][0]
            site = next((site for site in self.sites if site.call is call), None)
            if binding.kind == "parameter" and site is not None and self.actual(site, name) is argument:
                return binding
        return None

    def actual(self, site: Site, name: str) -> ast.expr | None:
        """The argument that a call gives for a parameter; None when it gives none that is seen."""
        arguments = self.function.args
        if arguments.vararg is not None and any(isinstance(given, ast.Starred) for given in site.call.args):
            return None
        for keyword in site.call.keywords:
            if keyword.arg == name:
                return keyword.value
        names = [parameter.arg for parameter in (*arguments.posonlyargs, *arguments.args)]
        index = names.index(name) - site.is_bound if name in names else -1
        return site.call.args[index] if 0 <= index < len(site.call.args) else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_gone_through(node: ast.expr, parents: Parents) -> bool:
    match parents.of(node):
        case ast.For(iter=iterable) | ast.comprehension(iter=iterable, is_async=0):
            return iterable is node
        case ast.Call(func=ast.Name(id="list" | "tuple" | "set" | "sorted" | "enumerate"), args=[argument]):
            return argument is node
    return False


class Passages:
    """Finds the passages of a project."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver

    def out_of(self, place: Place) -> Passage | None:
        """The passage by which what is returned at `place` leaves its function."""
        function = enclosing_function(place.scope)
        return self._passage(Place(place.module, function)) if function is not None else None

    def into(self, call: ast.Call, place: Place) -> Passage | None:
        """The passage by which an argument of `call` enters the function that it calls."""
        match self._resolver.value(call.func, place):
            case Answer(value=FunctionObject(facts=facts, is_manager=False)):
                inside = self._resolver.function_place(facts)
                return self._passage(inside) if inside is not None else None
        return None

    def goes_through(self, call: ast.Call, argument: ast.expr, place: Place) -> bool:
        """Whether all that a function does with an argument of `call` is to go through it."""
        match self._resolver.value(call.func, place):
            case Answer(value=FunctionObject(facts=facts, is_manager=False)):
                inside = self._resolver.function_place(facts)
            case _:
                return False
        if inside is None or not isinstance(inside.scope.node, ast.FunctionDef):
            return False
        if not self._is_plain(inside.scope.node, inside):
            return False
        passage = Passage(inside, self._resolver.callers.of(inside).calls)
        binding = passage.parameter(call, argument)
        if binding is None or len(inside.scope.bindings[binding.name]) != 1:
            return False
        root = inside.scope.root.node
        assert isinstance(root, ast.Module)
        parents = parents_of(root)
        reads = [
            one for one in parents.reads(binding.name) if inside.scope.root.innermost(one).owner(one.id) is inside.scope
        ]
        return bool(reads) and all(_is_gone_through(read, parents) for read in reads)

    def _passage(self, inside: Place) -> Passage | None:
        node = inside.scope.node
        if not isinstance(node, ast.FunctionDef) or not self._is_plain(node, inside):
            return None
        sites = self._resolver.callers.of(inside)
        return Passage(inside, sites.calls) if sites.complete and sites.calls else None

    def _is_plain(self, node: ast.FunctionDef, inside: Place) -> bool:
        """Whether a call runs just this function and gives what it returns."""
        if any(last_name(decorator) not in _PLAIN_DECORATORS for decorator in node.decorator_list):
            return False
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own_nodes(node)):
            return False
        owner = self._resolver.enclosing_class(inside)
        if owner is None:
            return True
        families = self._resolver.project.families
        below = families.below(owner)
        related = [facts for facts in (*families.above(owner), *(below or ())) if facts is not owner]
        return below is not None and not any(node.name in facts.methods for facts in related)
