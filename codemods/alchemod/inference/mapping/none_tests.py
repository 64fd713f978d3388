"""Where a project asks whether an attribute of a mapped object is None, or asks for its truth."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alchemod.facts.model import Model
from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.uses.parents import parents_in
from alchemod.inference.uses.usage import use_at
from alchemod.inference.values import Answer, ModelClass, Object

_ASKING: Final = frozenset({"truth", "bool", "is none", "is not none"})


@dataclass(frozen=True, slots=True)
class NoneTest:
    """One such question: where it stands, and whether the object is seen to be of the class that was asked about."""

    path: Path
    line: int
    is_seen: bool


class NoneTests(Area):
    """The questions of a project."""

    def first(self, model: Model, attribute: str) -> NoneTest | None:
        """Where an attribute of a class, or of one derived from it, is tested; a place where that is seen is first.

        Objects that are seen to be of another class do not count.
        """
        found = list(self._tests(model, attribute))
        return next((test for test in found if test.is_seen), found[0] if found else None)

    def _tests(self, model: Model, attribute: str) -> Iterator[NoneTest]:
        for path, tree in self.inference.project.trees_mentioning(attribute):
            around = parents_in(tree)
            for node in walk(tree):
                if not isinstance(node, ast.Attribute) or node.attr != attribute or not isinstance(node.ctx, ast.Load):
                    continue
                if use_at(node, around).kind in _ASKING and (seen := self._is_of(path, node.value, model)) is not None:
                    yield NoneTest(path, node.lineno, seen)

    def _is_of(self, path: Path, node: ast.expr, model: Model) -> bool | None:
        """Whether an object is seen to be of a class; None when it is seen to be something else."""
        match self.inference.value(path, node):
            case Answer(value=Object(of=ModelClass(model=found))):
                related = model.facts in found.family or found.facts in model.family
                return True if related else None
            case Answer():
                return None
        return False
