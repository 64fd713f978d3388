"""Attributes whose assignment may change what a relationship holds."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.keys import has_foreign_key
from alchemod.facts.model import Model
from alchemod.facts.module import last_name
from alchemod.facts.project import Project
from alchemod.inference.mapping.keys import is_primary

_BY_CODE: Final = frozenset({"property", "hybrid", "synonym", "proxy"})
"""Attributes whose assignment runs code of the project, or sets another attribute."""
_DECIDING: Final = ("primaryjoin", "secondaryjoin", "order_by", "foreign_keys", "remote_side")
_WORD: Final = re.compile(r"\w+")


class SensitiveNames:
    """Which attribute names of mapped classes decide about relationships: the relationships themselves, foreign and
    primary keys, and the columns by which a relationship joins or sorts."""

    def __init__(self, project: Project) -> None:
        self._project: Final = project

    def changes(self, name: str, owner: Model | None) -> bool:
        """Whether assigning the attribute `name` of `owner` (None: of an object that is not known) may matter."""
        if owner is None:
            return name in self._names
        found = self._project.models.attribute(owner, name)
        if found is None:
            return owner.has_unseen_base and name in self._names
        if found.kind in _BY_CODE or _has_validator(owner, name):
            return True
        return name in self._names if found.kind == "column" else found.kind in {"relationship", "composite"}

    @cached_property
    def _names(self) -> frozenset[str]:
        names: set[str] = set()
        for model in self._project.models.all():
            for attribute in model.attributes.values():
                if attribute.kind == "relationship":
                    names.add(attribute.name)
                    names.update(_deciding(attribute))
                elif attribute.kind == "column" and (has_foreign_key(attribute) or is_primary(attribute)):
                    names.add(attribute.name)
        return frozenset(names)


def _deciding(relationship: Attribute) -> set[str]:
    found: set[str] = set()
    for keyword in _DECIDING:
        if (value := relationship.keyword(keyword)) is not None:
            found.update(_WORD.findall(ast.unparse(value)))
    return found


def _has_validator(model: Model, name: str) -> bool:
    """Whether a method of the class is decorated with `@validates("name")`."""
    decorators = (part for facts in model.family for method in facts.methods.values() for part in method.decorators)
    return any(
        isinstance(part, ast.Constant) and part.value == name
        for decorator in decorators
        if isinstance(decorator, ast.Call) and last_name(decorator) == "validates"
        for part in decorator.args
    )
