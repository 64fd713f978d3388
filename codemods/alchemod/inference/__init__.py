"""What an expression is; control flow; summaries of functions.

`Inference` is the one door for the rules: it answers questions about the code of a project and never guesses.
"""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.facts.project import Project
from alchemod.inference.resolver import Resolver
from alchemod.inference.spelling import Spelling, spelling_of
from alchemod.inference.values import Answer, Entity, Place


class Inference:
    """Answers about one project, remembered until the content of a file changes."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.resolver = Resolver(project)

    def place(self, path: Path, node: ast.expr | ast.stmt) -> Place | None:
        """Where a node of the current tree of `path` stands."""
        return self.resolver.place(path, node)

    def value(self, path: Path, node: ast.expr) -> Answer | None:
        """What an expression of the current tree of `path` is, None when that is not known."""
        place = self.place(path, node)
        return self.resolver.value(node, place) if place is not None else None

    def spelling(self, path: Path, node: ast.expr, entity: Entity) -> Spelling | None:
        """How `entity` is written where `node` stands; None when it cannot be."""
        place = self.place(path, node)
        return spelling_of(entity, place, self.resolver) if place is not None else None
