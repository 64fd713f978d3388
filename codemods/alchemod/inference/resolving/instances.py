"""What objects of the project's classes keep: attributes set on `self`, in class bodies, by properties."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from alchemod.facts.module import Assigned, ClassFacts, FunctionFacts
from alchemod.facts.nodes import walk
from alchemod.inference.control.dominance import suites_of
from alchemod.inference.resolving.annotation import annotated
from alchemod.inference.resolving.containers import entered
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import Answer, FunctionObject, Place, resting_on

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Instances:
    """The attributes of objects, found on demand."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._stores: dict[ClassFacts, dict[str, list[tuple[ast.AST, Place]]]] = {}

    def forget(self) -> None:
        """Drop what was found: the content of a file changed."""
        self._stores.clear()

    def attribute(self, answer: Answer, facts: ClassFacts, name: str) -> Answer | None:
        """What `name` of an object of the class `facts`, or of a subclass, is.

        All assignments in the class, its ancestors and its subclasses must agree. A value of the class body is no more
        than inferred: an object may have another one.
        """
        families = self._resolver.project.families
        family = families.above(facts)
        for owner in family:
            if name in owner.methods:
                return self._method(answer, owner, name)
        below = families.below(facts)
        classes = [*family, *(below or ())]
        found = self._resolver.recall.ask(("on self", facts, name), lambda: self._assigned(classes, name))
        if found is not None and below is None:
            found = found.weakened(f"not every class that may set {name} is looked at")
        return resting_on(found.value, (answer, found)) if found is not None else None

    def _method(self, answer: Answer, owner: ClassFacts, name: str) -> Answer | None:
        method = answer.then(FunctionObject(owner.methods[name], answer.value))
        if name not in owner.bodies:
            return method
        return self._resolver.functions.returned(method, None, self._resolver.top_of(owner.module))

    def _assigned(self, classes: list[ClassFacts], name: str) -> Answer | None:
        """What the classes set an attribute to; what they declare it to be where they set it to nothing but None."""
        answers: list[Answer | None] = []
        declared: list[Answer | None] = []
        for facts in classes:
            if name in facts.methods or name in facts.opaque:
                return None
            assigned = facts.attributes.get(name)
            if assigned is not None and (assigned.annotation is not None or not is_unset(assigned)):
                answer = class_attribute(facts, assigned, self._resolver)
                if assigned.annotation is None and answer is not None:
                    answer = answer.weakened(f"an object may have another {name} than {facts.name}")
                (declared if is_unset(assigned) else answers).append(answer)
            for node, inside in self._stores_of(facts).get(name, ()):
                only_declares = isinstance(node, ast.AnnAssign) and _is_none(node.value)
                (declared if only_declares else answers).extend(_set_by(node, name, inside, self._resolver))
        return self._resolver.agreeing(answers or declared)

    def set_by(self, method: FunctionFacts) -> frozenset[str]:
        """The attributes of its own object that a method assigns."""
        inside = self._resolver.function_place(method)
        if inside is None or not isinstance(inside.scope.node, _FunctionNode):
            return frozenset()
        return frozenset(name for name, _ in _stores_in(inside.scope.node))

    def _stores_of(self, facts: ClassFacts) -> dict[str, list[tuple[ast.AST, Place]]]:
        """What in the methods of one class assigns to attributes of `self`, by attribute."""
        if facts not in self._stores:
            stores = self._stores[facts] = {}
            for method in facts.methods.values():
                inside = self._resolver.function_place(method)
                if inside is not None and isinstance(inside.scope.node, _FunctionNode):
                    for name, node in _stores_in(inside.scope.node):
                        stores.setdefault(name, []).append((node, inside))
        return self._stores[facts]


def is_unset(declared: Assigned) -> bool:
    """Whether a class body says that a name is None, until something sets it."""
    return _is_none(declared.value)


def class_attribute(owner: ClassFacts, assigned: Assigned, resolver: Resolver) -> Answer | None:
    """What a name of a class body is."""
    place = class_place(owner, resolver)
    if place is None:
        return None
    answer = resolver.value(assigned.value, place) if assigned.value is not None else None
    if answer is None and assigned.annotation is not None:
        return annotated(assigned.annotation, place, resolver)
    return answer


def class_place(owner: ClassFacts, resolver: Resolver) -> Place | None:
    """The inside of a class body; None when its file cannot be parsed."""
    top = resolver.module_place(owner.module)
    if top is None:
        return None
    scope: Scope = top.scope
    for part in owner.qualname.split("."):
        scope = next((child for child in scope.children if getattr(child.node, "name", None) == part), scope)
    return Place(owner.module, scope)


def _stores_in(method: _FunctionNode) -> Iterator[tuple[str, ast.AST]]:
    """The attributes of `self` that a method assigns, each with the statement or clause that does it."""
    arguments = [*method.args.posonlyargs, *method.args.args]
    if not arguments:
        return
    for node in _storing(method):
        for target in _targets(node):
            for part in walk(target):
                match part:
                    case ast.Attribute(value=ast.Name(id=receiver), attr=name, ctx=ast.Store()):
                        if receiver == arguments[0].arg:
                            yield name, node


def _storing(method: _FunctionNode) -> Iterator[ast.AST]:
    """The statements of a method, those of functions inside it included, and the items of its `with` statements."""
    stack: list[ast.stmt] = list(method.body)
    while stack:
        statement = stack.pop()
        yield statement
        if isinstance(statement, ast.With | ast.AsyncWith):
            yield from statement.items
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            stack.extend(statement.body)
        for suite in suites_of(statement):
            stack.extend(suite)


def _targets(node: ast.AST) -> Sequence[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            return targets
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return [target]
        case ast.For(target=target) | ast.AsyncFor(target=target) | ast.withitem(optional_vars=ast.expr() as target):
            return [target]
    return ()


def _set_by(node: ast.AST, name: str, inside: Place, resolver: Resolver) -> Iterator[Answer | None]:
    """What a statement that assigns to an attribute `name` gives it; None when that is not followed."""
    match node:
        case ast.Assign(targets=targets, value=value) if any(_is_named(target, name) for target in targets):
            if not _is_none(value):
                yield _value(value, node, inside, resolver)
        case ast.AnnAssign(annotation=note, value=value):
            answer = _value(value, node, inside, resolver) if value is not None and not _is_none(value) else None
            yield answer or annotated(note, inside, resolver)
        case ast.withitem(context_expr=manager, optional_vars=ast.Attribute()):
            yield entered(resolver.value(manager, inside))
        case _:
            yield None


def _value(value: ast.expr, statement: ast.stmt, inside: Place, resolver: Resolver) -> Answer | None:
    return resolver.value(value, Place(inside.module, inside.scope.innermost(statement)))


def _is_named(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == name


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
