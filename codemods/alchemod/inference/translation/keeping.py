"""A Query that objects of a class keep: where the attribute is set, and where it is read.

Only an attribute counts whose mentions in the project are all seen: what is read from an object that is not known may
be this one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from alchemod.facts.lines import nodes_near
from alchemod.facts.module import ClassFacts, last_name
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Answer, ClassObject, Object, Place

_BY_NAME: Final = frozenset({"getattr", "setattr", "hasattr", "delattr", "attrgetter", "object"})
_MAX_FILES: Final = 60


@dataclass(slots=True, eq=False)
class Kept:
    """An attribute that keeps a Query: what it is set to, and where it is read. `self` is written `receiver`."""

    owner: ClassFacts
    name: str
    stores: list[tuple[ast.expr, Place]] = field(default_factory=list)
    reads: list[tuple[ast.Attribute, Place]] = field(default_factory=list)
    problem: str = ""


class Keeping:
    """Finds the attributes of a project that keep something."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver

    def kept(self, target: ast.Attribute, place: Place) -> Kept | None:
        """The attribute that an assignment to `target` sets; None when it is none of `self` in a method."""
        owner = self._owner(target.value, place)
        if owner is None:
            return None
        families = self._resolver.project.families
        below = families.below(owner)
        family = [*families.above(owner), *(below or ())]
        kept = Kept(owner, target.attr)
        declared = any(target.attr in cls.methods or target.attr in cls.attributes for cls in family)
        if below is None or declared:
            kept.problem = f"{owner.name}.{target.attr} is declared in a class too"
            return kept
        self._find(kept, frozenset(family))
        return kept

    def _owner(self, receiver: ast.expr, place: Place) -> ClassFacts | None:
        """The class of `self`, where `receiver` is that."""
        function = enclosing_function(place.scope)
        if function is None or not isinstance(receiver, ast.Name):
            return None
        node = function.node
        arguments = getattr(node, "args", None)
        first = next(iter((*arguments.posonlyargs, *arguments.args)), None) if arguments is not None else None
        if first is None or first.arg != receiver.id or len(function.bindings.get(receiver.id, ())) != 1:
            return None
        if any(last_name(one) in {"staticmethod", "classmethod"} for one in getattr(node, "decorator_list", ())):
            return None
        return self._resolver.enclosing_class(Place(place.module, function))

    def _find(self, kept: Kept, family: frozenset[ClassFacts]) -> None:
        project = self._resolver.project
        paths = list(project.files_mentioning(kept.name))
        if len(paths) > _MAX_FILES:
            kept.problem = f"{kept.name} stands in too many files to look at all of them"
            return
        for path in paths:
            module = project.facts(path)
            top = self._resolver.module_place(module) if module is not None else None
            if top is None:
                kept.problem = f"{path.name} is not seen"
                return
            tree = top.scope.node
            assert isinstance(tree, ast.Module)
            for node in nodes_near(tree, project.source(path).lines_with(kept.name)):
                self._look_at(node, kept, family, tree, top)

    def _look_at(self, node: ast.AST, kept: Kept, family: frozenset[ClassFacts], tree: ast.Module, top: Place) -> None:
        match node:
            case ast.Attribute(attr=name) if name == kept.name:
                place = Place(top.module, top.scope.innermost(node))
                owner = self._owner(node.value, place) or self._class_of(node.value, place)
                is_called = _is_called(node, tree)
                if owner in family:
                    self._note(node, kept, place, tree)
                elif owner is None and not is_called and self._resolver.value(node.value, place) is None:
                    kept.problem = f"{ast.unparse(node)} may be the {kept.name} of {kept.owner.name}"
            case ast.Call(args=arguments) if last_name(node) in _BY_NAME:
                if any(isinstance(one, ast.Constant) and one.value == kept.name for one in arguments):
                    kept.problem = f"{kept.name} is asked for by its name"

    def _class_of(self, node: ast.expr, place: Place) -> ClassFacts | None:
        match self._resolver.value(node, place):
            case Answer(value=Object(of=ClassObject(facts=facts))):
                return facts
        return None

    def _note(self, node: ast.Attribute, kept: Kept, place: Place, tree: ast.Module) -> None:
        if isinstance(node.ctx, ast.Load):
            kept.reads.append((node, place))
            return
        match parents_of(tree).of(node):
            case ast.Assign(targets=[target], value=value) if target is node:
                if not (isinstance(value, ast.Constant) and value.value is None):
                    kept.stores.append((value, place))
            case _:
                kept.problem = f"{ast.unparse(node)} is set in a way that is not followed"


def _is_called(node: ast.Attribute, tree: ast.Module) -> bool:
    """Whether it is called itself, which no Query can be."""
    above = parents_of(tree).of(node)
    return isinstance(above, ast.Call) and above.func is node


def stored_as(code: str, place: Place) -> Iterator[str]:
    """The attributes of `self` to which the function around `place` sets what `code` gives: `self.session`."""
    function = enclosing_function(place.scope)
    for node in ast.walk(function.node) if function is not None else ():
        match node:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name()) as target], value=value):
                if ast.unparse(value) == code:
                    yield ast.unparse(target)
