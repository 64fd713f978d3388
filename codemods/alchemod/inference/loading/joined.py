"""Which collections a select loads by a join, so that its rows repeat their entity.

The result of such a statement has to be made unique before its rows are asked for: all(), one() and loops raise
InvalidRequestError otherwise, first() and scalar() do not ("Joined Eager Loading"; verified by execution on SQLAlchemy
1.4 to 2.1).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.facts.model import Model
from alchemod.facts.module import last_name
from alchemod.facts.relationships import is_joined
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.values import Answer, ModelAttribute, ModelClass, Place, Statement

_JOINING: Final = frozenset({"joinedload", "contains_eager"})
_GUARDING: Final = frozenset({"load_only", "defer", "undefer", "undefer_group", "with_expression"})
"""Options that say nothing about relationships."""
_MAX_DEPTH: Final = 4


class JoinedCollections(Area):
    """The collections that statements load by joins."""

    def of(self, statement: Statement, place: Place) -> Answer | None:
        """A collection that the statement of `place` loads by a join, None when none is known for sure."""
        options = [option for name, call in statement.steps if name == "options" for option in call.args]
        opened = [part for option in options for part in self._opened(option, place)]
        for option in opened:
            if (found := self._by_option(option, place)) is not None:
                return found
        if all(isinstance(option, ast.Call) and last_name(option) in _GUARDING for option in opened):
            return self._by_default(statement)
        return None

    def _opened(self, option: ast.expr, place: Place) -> Iterator[ast.expr]:
        """An argument of `options()`; what a variable holds that is assigned once."""
        match option:
            case ast.Starred(value=ast.List(elts=parts) | ast.Tuple(elts=parts)):
                for part in parts:
                    yield from self._opened(part, place)
                return
            case ast.Name():
                root = place.scope.root.node
                single = definitions(root, option).single if isinstance(root, ast.Module) else None
                if single is not None and single.value is not None and single.position == ():
                    yield single.value
                    return
        yield option

    def _by_option(self, option: ast.expr, place: Place) -> Answer | None:
        """The first collection on the way of `joinedload(A.b).joinedload(B.cs)` that joins lead to."""
        for link in _links(option):
            name = last_name(link)
            if name == "options":
                found = (self._by_option(inner, place) for inner in link.args)
                return next((answer for answer in found if answer is not None), None)
            if name not in _JOINING or not link.args:
                return None
            path = link.args[0]
            if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
                path = path.func.value  # A.b.of_type(C), A.b.and_(...)
            answer = self.inference.value(place.module.path, path)
            if answer is None or not isinstance(answer.value, ModelAttribute):
                return None
            attribute, model = answer.value.attribute, answer.value.owner.model
            if attribute.kind != "relationship":
                return None
            if self.inference.project.models.is_collection(attribute, model):
                return answer
        return None

    def _by_default(self, statement: Statement) -> Answer | None:
        for term in statement.terms:
            if term.kind == "entity" and term.entity is not None:
                found = self._joined_by(term.entity.model, 0)
                if found is not None:
                    return Answer(found)
        return None

    def _joined_by(self, model: Model, depth: int) -> ModelAttribute | None:
        """A collection that an object of the class loads by a join, through what it joins itself."""
        models = self.inference.project.models
        for attribute in model.attributes.values():
            if attribute.kind != "relationship" or not is_joined(attribute):
                continue
            many = models.is_collection(attribute, model)
            if many:
                return ModelAttribute(ModelClass(model), attribute)
            target = models.target(attribute, model)
            if many is False and target is not None and target is not model and depth < _MAX_DEPTH:
                found = self._joined_by(target, depth + 1)
                if found is not None:
                    return found
        return None


def _links(option: ast.expr) -> Iterator[ast.Call]:
    """The calls of a chain of options, the first one first."""
    links: list[ast.Call] = []
    while isinstance(option, ast.Call):
        links.append(option)
        if not isinstance(option.func, ast.Attribute):
            break
        option = option.func.value
    yield from reversed(links)
