"""Loader options whose path comes back to the class it starts at.

("What's New in SQLAlchemy 2.1", Loader options from a deeper path no longer apply to an object loaded at the top.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from alchemod.facts.model import Model
from alchemod.inference.area import Area
from alchemod.inference.values import Answer, ModelAttribute


class ReturningPaths(Area):
    """Paths of loader options."""

    def returns(self, path: Path, option: ast.expr) -> Model | None:
        """The class at which the path of `loader(A.b).loader(B.a).other(...)` starts, if it leads back to that, and
        something is said about the objects there; None otherwise."""
        steps = list(self._steps(option))
        start: Model | None = None
        for number, step in enumerate(steps):
            answer = self.inference.value(path, step.args[0]) if step.args else None
            match answer:
                case Answer(value=ModelAttribute(owner=owner, attribute=attribute)) if attribute.kind == "relationship":
                    start = start or owner.model
                    target = self.inference.project.models.target(attribute, owner.model)
                    is_last = number == len(steps) - 1
                    if number and target is not None and not is_last and start.facts in target.family:
                        return start
                case _:
                    return None
        return None

    def _steps(self, option: ast.expr) -> Iterator[ast.Call]:
        """The calls of a chain, the first one first."""
        if isinstance(option, ast.Call):
            if isinstance(option.func, ast.Attribute) and isinstance(option.func.value, ast.Call):
                yield from self._steps(option.func.value)
            yield option
