"""How eager loading is chosen: what a loader option loads, and what else the statement that has it does.

SQLAlchemy 2.0, "Relationship Loading Techniques", "Joined Eager Loading" and "Subquery Eager Loading".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.loading.options import Names, loader_options
from alchemod.inference.loading.strategy import compared_by_selectinload
from alchemod.inference.mapping.keys import is_composite
from alchemod.inference.values import Answer, ModelAttribute, Outside, Place, Statement

if TYPE_CHECKING:
    from alchemod.inference import Inference

_LIMITING: Final = frozenset({"limit", "offset", "slice", "fetch", "first", "paginate"})
"""Methods of Query and select() that ask for some rows; a joined collection is then wrapped in a subquery."""


@dataclass(frozen=True, slots=True)
class EagerOption:
    """An option `loader(Model.relationship)`, alone or as a link of a chain.

    `limited` is the method by which its statement asks for some rows only, "" for none. `beside` are other collections
    that the statement joins, so that its rows multiply.
    """

    answer: Answer
    loader: str
    model: Model
    relationship: Attribute
    many: bool | None
    composite: bool
    """Whether selectinload would compare keys of several columns."""
    is_link: bool
    limited: str = ""
    beside: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The relationship for people."""
        return f"{self.model.name}.{self.relationship.name}"


class EagerLoading(Area):
    """Answers about the eager loading of one project."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._resolver: Final = inference.resolver

    def option(self, path: Path, call: ast.Call) -> EagerOption | None:
        """The option that a call makes; None when it makes none, or one that is not understood."""
        place = self.inference.place(path, call)
        if place is None or len(call.args) != 1 or call.keywords:
            return None
        answer = self._resolver.value(call.args[0], place)
        if answer is None or not isinstance(answer.value, ModelAttribute) or not self._is_loader(call, place):
            return None
        model, found = answer.value.owner.model, answer.value.attribute
        if found.kind != "relationship" or answer.value.owner.alias is not None:
            return None
        models = self.inference.project.models
        composite = is_composite(compared_by_selectinload(model, found, models))
        is_link = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)
        many = models.is_collection(found, model)
        limited, beside = self._statement(call, found.name, place)
        return EagerOption(answer, last_name(call), model, found, many, composite, is_link, limited, tuple(beside))

    def by_default(self, path: Path, call: ast.Call) -> tuple[Model, Attribute] | None:
        """The collection that `relationship(..., lazy="joined")` loads with every query for its class."""
        for model in self.inference.project.models.all():
            if model.module.path != path:
                continue
            for found in model.attributes.values():
                value = found.call if found.reverse_of is None and found.owner is model.facts else None
                if value is not None and (value.lineno, value.col_offset) == (call.lineno, call.col_offset):
                    many = found.kind == "relationship" and self.inference.project.models.is_collection(found, model)
                    return (model, found) if many else None
        return None

    def _is_loader(self, call: ast.Call, place: Place) -> bool:
        """Whether the chain of calls begins with a loader of SQLAlchemy."""
        first: ast.expr = call.func
        while isinstance(first, ast.Attribute) and isinstance(first.value, ast.Call):
            first = first.value.func
        answer = self._resolver.value(first, place)
        match answer:
            case Answer(value=Outside() as outside):
                return outside.canonical is not None
        return False

    def _statement(self, option: ast.Call, name: str, place: Place) -> tuple[str, list[str]]:
        """What limits the rows of the statement that has an option, and the other collections that it joins."""
        around = place.scope
        while around.parent is not None and not around.is_function:
            around = around.parent
        own = next((call for call in _options_calls(around.node) if _contains(call, option)), None)
        if own is None:
            return "", []
        limited = next(self._limiting(own, around.node, place), "")
        answer = self._resolver.value(own, place)
        steps = (
            answer.value.steps if answer is not None and isinstance(answer.value, Statement) else (("options", own),)
        )
        chosen = loader_options(steps, None).chosen
        joined = [names for names, loader in chosen.items() if loader == "joinedload" and self._is_many(names, answer)]
        mine = [names for names in joined if names[-1] == name]
        beside = [names for names in joined if mine and not _on_one_way(names, mine[0])]
        entity = answer.value.terms[0].entity if beside and answer is not None else None  # type: ignore[union-attr]
        return limited, [".".join((entity.model.name if entity else "", *names)) for names in beside]

    def _limiting(self, own: ast.Call, tree: ast.AST, place: Place) -> Iterator[str]:
        """The methods by which a statement with these options asks for some rows."""
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if name in _LIMITING:
                    if receiver is own or self._has(receiver, own, place):
                        yield f"{name}()"
                case ast.Call(func=ast.Attribute(value=receiver, attr="options")) if node is own:
                    answer = self._resolver.value(receiver, place)
                    before = answer.value.steps if answer and isinstance(answer.value, Statement) else ()
                    yield from (f"{name}()" for name, _ in before if name in _LIMITING)
                case ast.Subscript(value=receiver, slice=ast.Slice()) if self._has(receiver, own, place):
                    yield "a slice"

    def _has(self, receiver: ast.expr, own: ast.Call, place: Place) -> bool:
        answer = self._resolver.value(receiver, Place(place.module, place.scope.root.innermost(receiver)))
        if answer is None or not isinstance(answer.value, Statement):
            return False
        return any(call is own for _, call in answer.value.steps)

    def _is_many(self, names: Names, statement: Answer | None) -> bool:
        """Whether a path of relationships ends at a collection."""
        if statement is None or not isinstance(statement.value, Statement) or not statement.value.terms:
            return False
        entity, models = statement.value.terms[0].entity, self.inference.project.models
        model: Model | None = entity.model if entity is not None else None
        many: bool | None = None
        for name in names:
            found = models.attribute(model, name) if model is not None else None
            if model is None or found is None or found.kind != "relationship":
                return False
            many, model = models.is_collection(found, model), models.target(found, model)
        return bool(many)


def _options_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "options":
            yield node


def _contains(call: ast.Call, option: ast.Call) -> bool:
    return any(part is option for argument in call.args for part in ast.walk(argument))


def _on_one_way(one: Names, other: Names) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
