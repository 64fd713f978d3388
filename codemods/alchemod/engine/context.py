"""What a rule may ask: the file in front of it, the project around it, and what inference knows."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from alchemod.settings.options import Settings
from alchemod.text.source import SourceFile

if TYPE_CHECKING:
    from alchemod.facts.project import Project
    from alchemod.inference import Inference
    from alchemod.inference.area import Area
    from alchemod.inference.querying.filtering import FilteredEntity, KeyKind
    from alchemod.inference.values import Answer, Entity, Place, Statement

    A = TypeVar("A", bound=Area)


@dataclass(frozen=True, slots=True)
class Context:
    """One file as a rule sees it. Questions about meaning are methods, each answered by inference."""

    project: Project
    inference: Inference
    path: Path
    source: SourceFile
    tree: ast.Module
    settings: Settings

    @property
    def goal(self) -> str:
        """The SQLAlchemy version that the code is meant for: that of `migrate --to`, else the highest one allowed."""
        return self.settings.goal or self.project.versions.highest

    def place(self, node: ast.expr | ast.stmt) -> Place | None:
        """Where a node of this file stands."""
        return self.inference.place(self.path, node)

    def value(self, node: ast.expr) -> Answer | None:
        """What an expression of this file is, None when that is not known."""
        return self.inference.value(self.path, node)

    def ask(self, area: type[A]) -> A:
        """An area of knowledge about the project, made once and kept until a file changes."""
        return self.inference.ask(area)

    def filtered_entity(self, call: ast.Call) -> FilteredEntity | None:
        """The entity that the keywords of a `filter_by()` call speak of; None when the receiver is no statement."""
        return self.inference.filtered_entity(self.path, call)

    def looked_for_elsewhere(self, filtered: FilteredEntity, keys: Sequence[str]) -> str | None:
        """Why some version may look for the keywords elsewhere than in the entity, None when none does."""
        return self.inference.looked_for_elsewhere(filtered, keys)

    def key_kind(self, entity: Entity, key: str) -> KeyKind:
        """What the attribute `key` of an entity is."""
        return self.inference.key_kind(entity, key)

    def overrides_query_method(self, name: str, statement: Statement) -> bool:
        """Whether a query class of the project that may stand behind `statement` has its own method `name`."""
        return self.inference.overrides_query_method(name, statement)

    def unseen_query_class(self, statement: Statement) -> str:
        """What is not seen of the query class behind `statement`; "" when its methods are known."""
        return self.inference.unseen_query_class(statement)

    def pinned(self, *chain: str) -> str | None:
        """Which test of the project prepares this chain of methods on a mock, as a sentence; None when none does."""
        return self.inference.pinned(*chain)
