"""What a Query may be where several ways lead: one statement for each Query of the web that gets there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.facts.recall import Recall
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.translation.changes import UntranslatedError
from alchemod.inference.translation.web import STEPS, Web
from alchemod.inference.values import Answer, Place, Statement

_MAX_WAYS: Final = 24


class Variants:
    """Answers for one web. Where one statement stands for all ways, inference knows it; else they are followed here."""

    def __init__(self, web: Web, resolver: Resolver) -> None:
        self._web: Final = web
        self._resolver: Final = resolver
        self._statements: Final[Recall[tuple[Answer, ...]]] = Recall()
        self._steps: Final[Recall[frozenset[ast.Call]]] = Recall()

    def at(self, node: ast.expr, place: Place) -> tuple[Answer, ...]:
        """The statements that `node` may give. Raises UntranslatedError when that is not known."""
        found = self._at(node, place)
        if not found or len(found) > _MAX_WAYS:
            raise UntranslatedError(f"what {ast.unparse(node)} holds is not known")
        return found

    def certain(self, node: ast.expr, place: Place) -> frozenset[ast.Call]:
        """The steps that every Query which `node` may give has gone through."""
        return self._certain(node, place) or frozenset()

    def _certain(self, node: ast.expr, place: Place) -> frozenset[ast.Call] | None:
        """The same; None where a Query is grown in a circle and the other ways decide."""
        return self._steps.ask(node, lambda: self._find_certain(node, place))

    def _find_certain(self, node: ast.expr, place: Place) -> frozenset[ast.Call] | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in STEPS:
            before = self._certain(node.func.value, place)
            return before | {node} if before is not None else None
        found = [self._certain(inner, where) for inner, where in self._sources(node, place)]
        known = [steps for steps in found if steps is not None]
        if known:
            return frozenset.intersection(*known)
        return None if found else frozenset()

    def _at(self, node: ast.expr, place: Place) -> tuple[Answer, ...]:
        """The statements; none where a Query is grown in a circle: what a loop adds is added on the other way."""
        return self._statements.ask(node, lambda: self._find(node, place)) or ()

    def _find(self, node: ast.expr, place: Place) -> tuple[Answer, ...]:
        answer = self._resolver.value(node, place)
        if answer is not None and isinstance(answer.value, Statement) and answer.value.style == "query":
            return (answer,)
        ways = {_identity(found): found for found in self._ways(node, place)}
        return tuple(ways.values())[: _MAX_WAYS + 1]

    def _ways(self, node: ast.expr, place: Place) -> Iterator[Answer]:
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr=name) as method) if name in STEPS:
                for before in self._at(receiver, place):
                    bound = self._resolver.linked(before, method, place)
                    after = self._resolver.linked(bound, node, place) if bound is not None else None
                    if after is None or not isinstance(after.value, Statement):
                        raise UntranslatedError(f"what {name}() gives is not known")
                    yield after
            case _:
                for source, where in self._sources(node, place):
                    yield from self._at(source, where)

    def _sources(self, node: ast.expr, place: Place) -> Iterator[tuple[ast.expr, Place]]:
        """The expressions whose value an expression may have that is no step: through names, calls, objects."""
        match node:
            case ast.Name() if node in self._web.reads:
                root = place.scope.root.node
                assert isinstance(root, ast.Module)
                for binding in definitions(root, node).sites:
                    yield from self._bound(binding, place)
            case ast.Attribute():
                for kept in self._web.kept:
                    if any(read is node for read, _ in kept.reads):
                        yield from kept.stores
            case ast.IfExp(body=body, orelse=orelse):
                yield from ((body, place), (orelse, place))
            case ast.NamedExpr(value=value):
                yield value, place
            case ast.Call():
                for passage in self._web.passages:
                    if passage.enters is None and any(site.call is node for site in passage.sites):
                        yield from ((value, _inside(passage.inside, value)) for value in passage.returned())

    def _bound(self, binding: Binding, place: Place) -> Iterator[tuple[ast.expr, Place]]:
        """What a name may hold by one of its bindings."""
        if binding.kind != "parameter":
            if binding.value is not None:
                yield binding.value, _inside(place, binding.value)
            return
        for passage in self._web.passages:
            if passage.enters is binding:
                for site in passage.sites:
                    if (actual := passage.actual(site, binding.name)) is not None:
                        yield actual, site.place


def _inside(place: Place, node: ast.expr) -> Place:
    return Place(place.module, place.scope.root.innermost(node))


def _identity(answer: Answer) -> object:
    statement = answer.value
    assert isinstance(statement, Statement)
    terms = tuple(
        (term.kind, term.node, term.entity.cls if term.entity is not None else None) for term in statement.terms
    )
    return terms, tuple(call for _, call in statement.steps), statement.lost
