"""The mapped classes of a project: found on demand, and looked up by class, name and relationship."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from alchemod.facts.ancestry import Ancestry, ancestry, is_base
from alchemod.facts.attributes import Attribute, added, declared
from alchemod.facts.lookup import External, Lookup
from alchemod.facts.model import Model
from alchemod.facts.module import Assigned, ClassFacts, Module, last_name
from alchemod.facts.relationships import (
    Lazy,
    argument,
    backref_name,
    is_collection,
    is_many_to_one,
    is_reverse_collection,
    lazy,
    may_be_joined,
)

_MAPPING = frozenset({"mapped", "mapped_as_dataclass"})
"""Methods of a registry that map the class they decorate."""
_TABLE = ("__tablename__", "__table__")
_COLUMNS = frozenset({"Column", "mapped_column", "Table"})
"""What makes the columns of a class, one by one or as its `__table__`."""


class Models:
    """The mapped classes of a project. `classes` gives every class of the project."""

    def __init__(self, lookup: Lookup, classes: Callable[[], Iterable[ClassFacts]]) -> None:
        self._lookup = lookup
        self._classes = classes
        self._memo: dict[ClassFacts, Model | None] = {}
        self._by_name: dict[str, list[Model]] | None = None
        self._subclasses: dict[ClassFacts, list[Model]] = {}

    def of(self, facts: ClassFacts) -> Model | None:
        """The mapped class behind a class of the project, None when it is not mapped."""
        if facts not in self._memo:
            self._memo[facts] = self._model(facts)
        return self._memo[facts]

    def named(self, name: str) -> list[Model]:
        """Every mapped class of the project with this class name."""
        return self._index.get(name, [])

    def all(self) -> Iterator[Model]:
        """Every mapped class of the project."""
        for models in self._index.values():
            yield from models

    def subclasses(self, model: Model) -> list[Model]:
        """The mapped classes that derive from `model`, at any depth."""
        assert self._index is not None
        return self._subclasses.get(model.facts, [])

    def attribute(self, model: Model, name: str) -> Attribute | None:
        """An attribute of a mapped class, those that backrefs add included."""
        assert self._index is not None
        return model.attributes.get(name)

    def target(self, relationship: Attribute, seen_from: Model) -> Model | None:
        """The class a relationship leads to, None when it is not known for sure."""
        if relationship.reverse_of is not None:
            return self.of(relationship.partner) if relationship.partner is not None else None
        named = argument(relationship)
        return self._class_named(named, relationship.owner, seen_from) if named is not None else None

    def lazy(self, relationship: Attribute) -> Lazy:
        """How a relationship loads unless a query says otherwise."""
        return lazy(relationship)

    def may_be_joined(self, relationship: Attribute) -> bool:
        """Whether a relationship is loaded by a join unless a query says otherwise, or that cannot be excluded."""
        return may_be_joined(relationship)

    def is_collection(self, relationship: Attribute, seen_from: Model) -> bool | None:
        """Whether a relationship holds many objects; None when neither keys nor annotation tell."""
        target = self.target(relationship, seen_from)
        if relationship.reverse_of is not None:
            return is_reverse_collection(relationship.reverse_of, target, seen_from)
        return is_collection(relationship, seen_from, target)

    def is_many_to_one(self, relationship: Attribute, seen_from: Model) -> bool:
        """Whether a relationship is seen to follow a foreign key of its own class, so that it finds one row at most."""
        return is_many_to_one(relationship, seen_from, self.target(relationship, seen_from))

    def _model(self, facts: ClassFacts) -> Model | None:
        above = ancestry(facts, self._lookup)
        if not (above.roots or _is_mapped_by_decorator(facts) or (above.unseen and self._shows_itself(facts, above))):
            return None
        if _is_true(facts, "__abstract__") or is_base(facts, self._lookup):
            return None
        is_sqlmodel = "sqlmodel" in above.roots
        if is_sqlmodel and not any(keyword.arg == "table" and _says_true(keyword.value) for keyword in facts.keywords):
            return None
        unseen = above.unseen or any(_is_reflected(owner) for owner in (facts, *above.classes))
        registries = frozenset(above.registries)
        model = Model(facts, tuple(above.classes), unseen, "flask" in above.roots, is_sqlmodel, registries)
        for owner in model.family:
            for attribute in declared(owner, by_annotation=is_sqlmodel):
                model.attributes.setdefault(attribute.name, attribute)
        for variable in above.variables:
            for attribute in added(variable.module, variable.name, facts):
                model.attributes.setdefault(attribute.name, attribute)
        return model

    def _shows_itself(self, facts: ClassFacts, above: Ancestry) -> bool:
        """Whether a class whose base is not seen is mapped all the same: it, or a class above it, names a table and has
        a column of SQLAlchemy's."""
        return any(
            any(_is_given(owner.attributes.get(name)) for name in _TABLE)
            and any(self._is_column(owner.module, assigned.value) for assigned in owner.attributes.values())
            for owner in (facts, *above.classes)
        )

    def _is_column(self, module: Module, value: ast.expr | None) -> bool:
        made = self._lookup.expression(module, value.func) if isinstance(value, ast.Call) else None
        return isinstance(made, External) and made.canonical in _COLUMNS

    @property
    def _index(self) -> dict[str, list[Model]]:
        """The mapped classes by name; made, with their backrefs, when it is first asked for."""
        if self._by_name is None:
            self._by_name = {}
            models = [model for facts in self._classes() if (model := self.of(facts)) is not None]
            for model in models:
                self._by_name.setdefault(model.name, []).append(model)
                for ancestor in model.ancestors:
                    self._subclasses.setdefault(ancestor, []).append(model)
            for model in models:
                for attribute in list(model.attributes.values()):
                    if attribute.kind == "relationship" and self._is_declared_by(model, attribute):
                        self._add_backref(model, attribute)
        return self._by_name

    def _is_declared_by(self, model: Model, attribute: Attribute) -> bool:
        """Whether the class itself, or a mixin above it, declares the attribute, not a mapped class above."""
        return attribute.owner is model.facts or self.of(attribute.owner) is None

    def _add_backref(self, model: Model, relationship: Attribute) -> None:
        name = backref_name(relationship)
        target = self.target(relationship, model) if name is not None else None
        if name is None or target is None:
            return
        reverse = Attribute(name, "relationship", target.facts, relationship.value, None, relationship, model.facts)
        for receiver in (target, *self.subclasses(target)):
            receiver.attributes.setdefault(name, reverse)

    def _class_named(self, named: ast.expr, owner: ClassFacts, seen_from: Model) -> Model | None:
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            return self._class_by_string(named.value.strip(), seen_from)
        definition = self._lookup.expression(owner.module, named)
        if definition is None and isinstance(named, ast.Name):
            return self._class_by_string(named.id, seen_from)  # an annotation that is never evaluated
        return self.of(definition) if isinstance(definition, ClassFacts) else None

    def _class_by_string(self, text: str, seen_from: Model) -> Model | None:
        """A class by the string of a relationship: its name, or the end of its path ("Late-Evaluation of Relationship
        Arguments"). The registry of the base is searched: two classes of one name must differ in path or base."""
        path, _, name = text.rpartition(".")
        found = [
            model for model in self._index.get(name, []) if not path or f".{model.module.name}".endswith(f".{path}")
        ]
        if len(found) > 1:
            found = [model for model in found if model.registries & seen_from.registries]
        return found[0] if len(found) == 1 else None


def _is_mapped_by_decorator(facts: ClassFacts) -> bool:
    return any(last_name(decorator) in _MAPPING for decorator in facts.decorators)


def _is_given(assigned: Assigned | None) -> bool:
    """Whether an attribute has a value: that of a mixin may be declared only, or None."""
    value = assigned.value if assigned is not None else None
    return value is not None and not (isinstance(value, ast.Constant) and value.value is None)


def _is_reflected(facts: ClassFacts) -> bool:
    """Whether columns may come from a table that is not in sight, or is read from the database ("Reflection")."""
    table, arguments = facts.attributes.get("__table__"), facts.attributes.get("__table_args__")
    if table is not None and not (isinstance(table.value, ast.Call) and last_name(table.value) == "Table"):
        return True
    return any(
        assigned is not None and assigned.value is not None and "autoload" in ast.unparse(assigned.value)
        for assigned in (table, arguments)
    )


def _is_true(facts: ClassFacts, name: str) -> bool:
    assigned = facts.attributes.get(name)
    return assigned is not None and assigned.value is not None and _says_true(assigned.value)


def _says_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value)
