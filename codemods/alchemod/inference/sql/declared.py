"""What the declaration of a parameter says of the values that may come: numbers, literals, members of an Enum."""

from __future__ import annotations

import ast
from typing import Final, Literal

from alchemod.facts.lookup import External
from alchemod.facts.module import ClassFacts, last_name
from alchemod.facts.project import Project
from alchemod.inference.values import Place

_NUMBERS: Final = frozenset({"int", "float", "bool", "UUID", "Decimal", "date", "datetime", "time", "timedelta"})
_ENUMS: Final = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"})


def declared_origin(annotation: ast.expr, place: Place, project: Project) -> Literal["constant", "number"] | None:
    """`number` for what has no text of its own, `constant` for `Literal[...]` and the members of an Enum of the
    project; None where the annotation lets other values in."""
    match annotation:
        case ast.Constant(value=str(code)):
            try:
                return declared_origin(ast.parse(code, mode="eval").body, place, project)
            except SyntaxError:
                return None
        case ast.Constant(value=None):
            return "constant"
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            found = {declared_origin(part, place, project) for part in (left, right)}
            return None if None in found else "number" if "number" in found else "constant"
        case ast.Subscript(value=wrapper, slice=inner):
            name = last_name(wrapper)
            if name == "Literal":
                return "constant"
            return declared_origin(inner, place, project) if name == "Optional" else None
    if last_name(annotation) in _NUMBERS:
        return "number"
    named = project.lookup.expression(place.module, annotation)
    return "constant" if isinstance(named, ClassFacts) and is_enumeration(named, project) else None


def is_enumeration(facts: ClassFacts, project: Project) -> bool:
    """Whether a class of the project is an Enum, whose members its body lists."""
    return any(
        isinstance(base, External) and base.name in _ENUMS
        for owner in project.families.above(facts)
        for base in (project.lookup.base(owner.module, expression) for expression in owner.bases)
    )
