"""What of the rows of a statement the session may know already when it is executed, and what text they make of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from alchemod.facts.model import Model
from alchemod.inference.loading.loop import Loading
from alchemod.inference.loading.options import LoaderOptions
from alchemod.inference.reading.shapes import shape_of
from alchemod.inference.reading.sources import RowSources
from alchemod.inference.reading.table import Readings
from alchemod.inference.rows.reads import Walked, position
from alchemod.inference.rows.refs import Root
from alchemod.inference.values import ModelClass, Object, Place, Row

_SHOWING: Final = ("__repr__", "__str__", "__format__", "__eq__", "__hash__", "__bool__", "__iter__")
"""Methods that are called without being named."""


class Earlier:
    """Answers about one function. `options_of` gives the options of a statement."""

    def __init__(self, inside: Place, readings: Readings, sources: RowSources, walked: Walked) -> None:
        self._inside: Final = inside
        self._readings: Final = readings
        self._sources: Final = sources
        self._walked: Final = walked

    def loaded(self, loading: Loading, earlier: Iterable[tuple[Root, LoaderOptions]]) -> bool:
        """Whether an earlier query of the function gave the targets, or the same rows with the same relationship."""
        models = self._readings.resolver.project.models
        relationship, model = loading.last.relationship, loading.last.model
        target = models.target(relationship, model) if relationship is not None else None
        is_many = relationship is not None and models.is_collection(relationship, model) is not False
        for site, options in earlier:
            for other in self._models_of(site):
                if target is not None and not is_many and _related(other, target):
                    return True
                if _related(other, loading.entity.model) and self._reads_same(site, loading, options):
                    return True
        return False

    def _reads_same(self, site: Root, loading: Loading, options: LoaderOptions) -> bool:
        reads = self._walked.of(site)
        if reads is not None and any(read.path[-1] == loading.name for read in reads.reads):
            return True
        return loading.names in options.chosen

    def _models_of(self, site: Root) -> Iterator[Model]:
        producer = self._sources.asked(site)
        if producer is None or not producer.many:
            return
        value = self._sources.value_at(site, ("[]",))
        if isinstance(value, Object) and isinstance(value.of, ModelClass):
            yield value.of.model
        elif isinstance(value, Row):
            yield from (term.entity.model for term in value.statement.terms if term.kind == "entity" and term.entity)

    def shows_itself(self, loadings: Iterable[Loading]) -> str:
        """A method that makes text of a row from what is loaded; "" when there is none."""
        for model in {loading.entity.model for loading in loadings}:
            if any("__getattribute__" in facts.methods for facts in model.family):
                return f"{model.name}.__getattribute__()"
            shape = shape_of(Object(ModelClass(model)))
            for name in _SHOWING:
                if shape is not None and self._readings.callees.method(shape, name).exposures:
                    return f"{model.name}.{name}()"
        return ""

    def may_hold_changes(self, site: ast.Call | ast.Attribute) -> bool:
        """Whether the session may hold changes that are not flushed when the call `site` executes its statement: it is
        older than the function, or the function may have changed something before."""
        root: ast.expr = site
        while isinstance(root, ast.Attribute | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        scope = self._inside.scope
        bindings = scope.bindings.get(root.id, []) if isinstance(root, ast.Name) else []
        if not bindings or any(binding.kind not in {"with", "assignment"} for binding in bindings):
            return True
        return any(_changes(node) and position(node) < position(site) for node in ast.walk(scope.node))


def _related(one: Model, other: Model) -> bool:
    return one.facts in other.family or other.facts in one.family


def _changes(node: ast.AST) -> bool:
    """Whether a node sets an attribute, or calls what adds to a session or takes from it."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()):
            return True
        case (
            ast.Call(func=ast.Attribute(attr="add" | "add_all" | "delete" | "merge"))
            | ast.Call(func=ast.Name(id="setattr"))
        ):
            return True
    return False
