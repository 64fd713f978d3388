"""Comparisons of an attribute of a mapped class with None, True or False: `A.x == None`, `False != A.flag`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from alchemod.inference.area import Area
from alchemod.inference.filtering import KeyKind, key_kind
from alchemod.inference.values import Answer, Entity, ModelAttribute


@dataclass(frozen=True, slots=True)
class ConstantComparison:
    """`attribute == constant`, or `!=` where `equal` is false. `kind` says how the attribute compares."""

    attribute: ast.expr
    constant: bool | None
    equal: bool
    kind: KeyKind
    label: str
    """The attribute for people: `Book.title`."""
    answer: Answer


class Comparisons(Area):
    """What comparisons compare."""

    def with_constant(self, node: ast.Compare, path: Path) -> ConstantComparison | None:
        """The attribute of a mapped class that `node`, of the file `path`, compares with None, True or False."""
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[right]):
                pass
            case _:
                return None
        match left, right:
            case (ast.Constant(value=None | True | False as constant), attribute):
                pass
            case (attribute, ast.Constant(value=None | True | False as constant)):
                pass
            case _:
                return None
        answer = self.inference.value(path, attribute)
        if answer is None or not isinstance(answer.value, ModelAttribute):
            return None
        owner, found = answer.value.owner, answer.value.attribute
        kind = key_kind(Entity(owner), found.name, self.inference.resolver)
        label = f"{owner.model.name}.{found.name}"
        return ConstantComparison(attribute, constant, isinstance(op, ast.Eq), kind, label, answer)
