"""What pydantic reads of mapped objects: the fields of a schema, and those of the schemas nested in it.

Pydantic, "Models", "Arbitrary class instances" (`from_attributes`, `orm_mode` before 2.0); FastAPI, "Response Model".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alchemod.facts.attributes import evaluated
from alchemod.facts.lookup import External
from alchemod.facts.module import ClassFacts, Module, last_name
from alchemod.inference.reading.combined import combined, through, together
from alchemod.inference.reading.shapes import Shape, shape_of
from alchemod.inference.rows.knowledge import MUTE, Handed, HandedExposure, HandedRead
from alchemod.inference.values import Answer, ModelClass, Object

if TYPE_CHECKING:
    from alchemod.inference.reading.table import Readings

VALIDATING: Final = frozenset({"model_validate", "from_orm", "parse_obj", "validate"})
"""Class methods of a schema that read an object."""
_ROOTS: Final = frozenset(
    {"pydantic.BaseModel", "pydantic.main.BaseModel", "sqlmodel.SQLModel", "sqlmodel.main.SQLModel"}
)
_ALIASES: Final = frozenset({"alias", "validation_alias"})


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a schema; `read` are the attributes that it may be read from."""

    name: str
    annotation: ast.expr
    owner: ClassFacts
    read: tuple[str, ...]


class Schemas:
    """Answers for one project."""

    def __init__(self, readings: Readings) -> None:
        self._readings: Final = readings
        self._resolver: Final = readings.resolver

    def is_schema(self, facts: ClassFacts) -> bool:
        """Whether a class is a pydantic model."""
        lookup, above = self._resolver.project.lookup, self._resolver.project.families.above(facts)
        bases = (lookup.expression(cls.module, base) for cls in above for base in cls.bases)
        return any(isinstance(base, External) and base.name in _ROOTS for base in bases)

    def validated(self, facts: ClassFacts, shape: Shape) -> Handed:
        """What making a schema of an object (or one of each object of a list) reads."""
        return self._of_class(facts, shape, (), facts.name)

    def annotated(self, annotation: ast.expr, module: Module, shape: Shape) -> Handed:
        """What validating a value against a type reads: `UserOut`, `list[UserOut]`, `UserOut | None`."""
        return combined(self._of_class(facts, shape, (), facts.name) for facts in self._named(annotation, module))

    def field(self, facts: ClassFacts, name: str, shape: Shape) -> Handed:
        """What giving an object to the constructor of a schema for the field `name` reads."""
        for field in self._fields(facts):
            if name == field.name:
                return self.annotated(field.annotation, field.owner.module, shape)
        return MUTE

    def _of_class(self, facts: ClassFacts, shape: Shape, around: tuple[ClassFacts, ...], why: str) -> Handed:
        if (element := shape.element) is not None:
            return through(self._of_class(facts, element, around, why), () if shape.listed else ("[]",), repeated=True)
        if facts in around:
            return Handed(exposures=frozenset([HandedExposure("depth", (), (f"{facts.name} holds itself",))]))
        if not isinstance(shape.value, Object) or not isinstance(shape.value.of, ModelClass):
            return MUTE
        cls, inside = shape.value.of, (*around, facts)
        read = (self._of_field(field, name, shape, cls, inside) for field in self._fields(facts) for name in field.read)
        return together(read)

    def _of_field(
        self, field: _Field, name: str, shape: Shape, cls: ModelClass, around: tuple[ClassFacts, ...]
    ) -> Handed:
        found = self._resolver.project.models.attribute(cls.model, name)
        if found is None:
            return MUTE
        why = f"{field.owner.name} has the field {name}"
        if found.kind in {"property", "hybrid"}:
            return through(self._readings.callees.method(shape, name), (), why)
        if found.kind != "relationship" or self._resolver.project.models.lazy(found) in {"dynamic", "write_only"}:
            return MUTE
        read = Handed(frozenset([HandedRead((name,), must=True, why=(why,))]))
        inner = self._inside(shape, name)
        nested = list(self._named(field.annotation, field.owner.module))
        if inner is None or not nested:
            return read
        below = combined(self._of_class(one, inner, around, why) for one in nested)
        return together([read, through(below, (name,))])

    def _inside(self, shape: Shape, name: str) -> Shape | None:
        top = self._resolver.top_of(shape.value.of.model.module)  # type: ignore[union-attr]
        found = self._resolver.read(Answer(shape.value), name, top)
        return shape_of(found.value) if found is not None else None

    def _fields(self, facts: ClassFacts) -> Iterator[_Field]:
        """The fields of a schema, inherited ones included."""
        met: set[str] = set()
        for owner in self._resolver.project.families.above(facts):
            for name, assigned in owner.attributes.items():
                if assigned.annotation is None or name.startswith("_") or name == "model_config" or name in met:
                    continue
                met.add(name)
                yield _Field(name, assigned.annotation, owner, (*_aliases(assigned.value), name))

    def _named(self, annotation: ast.expr, module: Module) -> Iterator[ClassFacts]:
        """The schemas that a type speaks of."""
        stack = [annotation]
        while stack:
            node = evaluated(stack.pop())
            match node:
                case ast.Name() | ast.Attribute():
                    found = self._resolver.project.lookup.expression(module, node)
                    if isinstance(found, ClassFacts) and self.is_schema(found):
                        yield found
                case ast.Subscript(value=outer, slice=inner):
                    stack += [outer, inner]
                case ast.Tuple(elts=parts) | ast.List(elts=parts):
                    stack += parts
                case ast.BinOp(left=left, right=right):
                    stack += [left, right]


def _aliases(value: ast.expr | None) -> list[str]:
    if not isinstance(value, ast.Call) or last_name(value) != "Field":
        return []
    return [
        keyword.value.value
        for keyword in value.keywords
        if keyword.arg in _ALIASES and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    ]
