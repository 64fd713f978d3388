"""What marshmallow reads of mapped objects: the nested fields of a schema.

A schema decides when it runs which fields it reads (`only=`, `exclude=`, hooks), so this tells what to look at, and
nothing is certain. marshmallow, "Nesting Schemas"; marshmallow-sqlalchemy, "Automatically Generated Schemas".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from alchemod.facts.lookup import External, Variable
from alchemod.facts.model import Model
from alchemod.facts.module import ClassFacts, Module, last_name
from alchemod.inference.reading.combined import perhaps, through, together
from alchemod.inference.reading.shapes import Shape, shape_of
from alchemod.inference.rows.knowledge import MUTE, Handed, HandedExposure, HandedRead
from alchemod.inference.values import Answer, ModelClass, Object

if TYPE_CHECKING:
    from alchemod.inference.reading.table import Readings

DUMPING: Final = frozenset({"dump", "dumps", "jsonify"})
_LIBRARIES: Final = ("marshmallow.", "marshmallow_sqlalchemy.", "flask_marshmallow.")
_BASES: Final = frozenset({"Schema", "SQLAlchemySchema", "SQLAlchemyAutoSchema", "ModelSchema", "TableSchema"})
_NESTING: Final = frozenset({"Nested", "Pluck", "HyperlinkRelated"})
_RELATED: Final = frozenset({"Related", "RelatedList", "auto_field"})


class Marshmallow:
    """Answers for one project."""

    def __init__(self, readings: Readings) -> None:
        self._readings: Final = readings
        self._resolver: Final = readings.resolver

    def is_schema(self, facts: ClassFacts) -> bool:
        """Whether a class is a marshmallow schema."""
        above = self._resolver.project.families.above(facts)
        return any(self._is_base(base, cls.module) for cls in above for base in cls.bases)

    def dumped(self, facts: ClassFacts, shape: Shape) -> Handed:
        """What dumping an object, or a list of them, may read."""
        decides = HandedExposure("runtime", (), (f"{facts.name} decides when it runs what it reads",))
        read = perhaps(self._of_class(facts, shape, ()))
        return together([read, Handed(exposures=frozenset([decides]))]) if read.reads else read

    def _is_base(self, base: ast.expr, module: Module) -> bool:
        lookup = self._resolver.project.lookup
        found = lookup.expression(module, base)
        if isinstance(found, External):
            return found.name.startswith(_LIBRARIES)
        if not isinstance(base, ast.Attribute) or base.attr not in _BASES:
            return False
        owner = lookup.expression(module, base.value)  # `ma = Marshmallow(app)`
        return isinstance(owner, Variable) and last_name(owner.assigned.value or base) == "Marshmallow"

    def _of_class(self, facts: ClassFacts, shape: Shape, around: tuple[ClassFacts, ...]) -> Handed:
        if (element := shape.element) is not None:
            return through(self._of_class(facts, element, around), () if shape.listed else ("[]",), repeated=True)
        if facts in around or not isinstance(shape.value, Object) or not isinstance(shape.value.of, ModelClass):
            return MUTE
        model = shape.value.of.model
        fields = dict(self._fields(facts, model))
        return together(self._of_field(facts, name, nested, shape, around) for name, nested in fields.items())

    def _fields(self, facts: ClassFacts, model: Model) -> Iterator[tuple[str, ClassFacts | None]]:
        """The relationships that a schema reads, with the schema of what they lead to."""
        if self._includes_relationships(facts):
            yield from ((name, None) for name, found in model.attributes.items() if found.kind == "relationship")
        for cls in reversed(self._resolver.project.families.above(facts)):
            for name, assigned in cls.attributes.items():
                if isinstance(assigned.value, ast.Call):
                    yield from self._field(name, assigned.value, cls.module)

    def _field(self, name: str, call: ast.Call, module: Module) -> Iterator[tuple[str, ClassFacts | None]]:
        named = next((keyword.value for keyword in call.keywords if keyword.arg == "attribute"), None)
        read = named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else name
        kind = last_name(call)
        if kind == "List" and call.args and isinstance(call.args[0], ast.Call):
            yield from self._field(read, call.args[0], module)
        elif kind in _NESTING and call.args:
            yield read, self._nested(call.args[0], module)
        elif kind in _RELATED:
            yield read, None

    def _nested(self, schema: ast.expr, module: Module) -> ClassFacts | None:
        match schema:
            case ast.Call(func=cls) | ast.Lambda(body=ast.Call(func=cls)):
                schema = cls
            case ast.Constant(value=str(text)):
                name = text.rpartition(".")[2]
                found = [facts for facts in self._resolver.project.classes() if facts.name == name]
                return found[0] if len(found) == 1 else None
        definition = self._resolver.project.lookup.expression(module, schema)
        return definition if isinstance(definition, ClassFacts) else None

    def _includes_relationships(self, facts: ClassFacts) -> bool:
        meta = facts.module.classes.get(f"{facts.qualname}.Meta")
        assigned = meta.attributes.get("include_relationships") if meta is not None else None
        return assigned is not None and isinstance(assigned.value, ast.Constant) and assigned.value.value is True

    def _of_field(
        self, facts: ClassFacts, name: str, nested: ClassFacts | None, shape: Shape, around: tuple[ClassFacts, ...]
    ) -> Handed:
        assert isinstance(shape.value, Object)
        assert isinstance(shape.value.of, ModelClass)
        model, models = shape.value.of.model, self._resolver.project.models
        found = models.attribute(model, name)
        if found is None or found.kind != "relationship" or models.lazy(found) in {"dynamic", "write_only"}:
            return MUTE
        read = Handed(frozenset([HandedRead((name,), must=False, why=(f"{facts.name} has the field {name}",))]))
        answer = self._resolver.read(Answer(shape.value), name, self._resolver.top_of(model.module))
        inner = shape_of(answer.value) if answer is not None else None
        if inner is None or nested is None:
            return read
        return together([read, through(self._of_class(nested, inner, (*around, facts)), (name,))])
