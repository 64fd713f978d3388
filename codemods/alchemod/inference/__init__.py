"""What an expression is; control flow; summaries of functions.

`Inference` is the one door for the rules: it answers questions about the code of a project and never guesses.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from alchemod.facts.project import Project
from alchemod.inference.area import Area
from alchemod.inference.querying.filtering import (
    FilteredEntity,
    KeyKind,
    filtered_entity,
    key_kind,
    looked_for_elsewhere,
)
from alchemod.inference.querying.pinning import Pinning
from alchemod.inference.resolving.query_classes import QueryClasses
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.scoping.scopes import Body
from alchemod.inference.values import Answer, Entity, Place, Statement

A = TypeVar("A", bound=Area)


class Inference:
    """Answers about one project, remembered until the content of a file changes."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.resolver = Resolver(project)
        self.local = Resolver(project, follow_callers=False)
        """Judges parameters by what their function says alone; callers are not looked at."""
        self.pinning = Pinning(project)
        self._query_classes = QueryClasses(project)
        self._areas: dict[type[Area], Any] = {}
        self._generation = project.generation

    def place(self, path: Path, node: ast.expr | ast.stmt) -> Place | None:
        """Where a node of the current tree of `path` stands."""
        return self.resolver.place(path, node)

    def value(self, path: Path, node: ast.expr) -> Answer | None:
        """What an expression of the current tree of `path` is, None when that is not known."""
        place = self.place(path, node)
        return self.resolver.value(node, place) if place is not None else None

    def ask(self, area: type[A]) -> A:
        """An area of knowledge, made once and kept until a file changes."""
        self._forget_outdated()
        if area not in self._areas:
            self._areas[area] = area(self)
        made: A = self._areas[area]
        return made

    def filtered_entity(self, path: Path, call: ast.Call) -> FilteredEntity | None:
        """The entity that the keywords of a `filter_by()` call speak of; None when the receiver is no statement."""
        place = self.place(path, call)
        return filtered_entity(call, place, self.resolver) if place is not None else None

    def looked_for_elsewhere(self, filtered: FilteredEntity, keys: Sequence[str]) -> str | None:
        """Why some version may look for the keywords elsewhere than in the entity, None when none does."""
        return looked_for_elsewhere(filtered, keys, self.resolver)

    def key_kind(self, entity: Entity, key: str) -> KeyKind:
        """What the attribute `key` of an entity is."""
        return key_kind(entity, key, self.resolver)

    def inside(self, path: Path, body: Body) -> Place | None:
        """The inside of a function or module of the current tree of `path`."""
        if isinstance(body, ast.Module):
            module = self.project.facts(path)
            return self.resolver.module_place(module) if module is not None else None
        place = self.place(path, body)
        scope = place.scope.find(body) if place is not None else None
        return Place(place.module, scope) if place is not None and scope is not None else None

    def _forget_outdated(self) -> None:
        if self._generation != self.project.generation:
            self._areas.clear()
            self._generation = self.project.generation

    def overrides_query_method(self, name: str, statement: Statement) -> bool:
        """Whether a query class of the project that may stand behind `statement` has its own method `name`."""
        return self._query_classes.override(name, statement)

    def unseen_query_class(self, statement: Statement) -> str:
        """What is not seen of the query class behind `statement`; "" when its methods are known."""
        return self._query_classes.unseen(statement)

    def pinned(self, *chain: str) -> str | None:
        """Which test of the project prepares this chain of methods on a mock, as a sentence; None when none does."""
        pin = self.pinning.of(chain)
        return str(pin) if pin is not None else None
