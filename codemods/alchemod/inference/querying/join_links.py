"""What one call of `Query.join()` joins, link by link, as SQLAlchemy 1.x lets it be written.

A text names a relationship of the entity at which the call stands: the query's first one, then what the link before
led to. Tuples are links of target and condition; several arguments are several links, unless the second is the
condition of the first (`Query.join()` of SQLAlchemy 1.4, verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from alchemod.inference.area import Area
from alchemod.inference.names.spelling import Spelling, spelling_of, why_not_spelled
from alchemod.inference.resolving.statements import JOINS
from alchemod.inference.values import (
    Answer,
    Entity,
    ModelAttribute,
    ModelClass,
    Place,
    Statement,
)


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship that a text names: its class, how that is written here, and the text."""

    entity: Entity
    spelling: Spelling
    name: str
    node: ast.expr


Part: TypeAlias = ast.expr | Relation
"""An argument of a link: as it is, or a relationship in the place of a text."""


@dataclass(frozen=True, slots=True)
class Joining:
    """The links of a call of `join()`. `source` is the argument that a link comes from.

    `doubt` says why a link may lead elsewhere, `unclear` why it is not known where.
    """

    answer: Answer
    statement: Statement
    links: Sequence[tuple[ast.expr, tuple[Part, ...]]] = ()
    doubt: str | None = None
    unclear: str | None = None


class _UnclearError(Exception):
    pass


class JoinLinks(Area):
    """Answers for calls of `join` and `outerjoin`."""

    def of(self, path: Path, call: ast.Call) -> Joining | None:
        """The links of a call; None when its receiver is no Query, or it is written the way of SQLAlchemy 2.0."""
        place = self.inference.place(path, call)
        if place is None or not isinstance(call.func, ast.Attribute):
            return None
        answer = self.inference.resolver.value(call.func.value, place)
        match answer:
            case Answer(value=Statement(style="query") as statement):
                pass
            case _:
                return None
        try:
            links = _Reader(self, call, place, statement).read()
        except _UnclearError as error:
            return Joining(answer, statement, unclear=str(error))
        return Joining(answer, statement, links, _doubt(links, statement)) if links else None


class _Reader:
    """Reads the arguments of one call from left to right; `left` is the entity at which the next link stands."""

    def __init__(self, area: JoinLinks, call: ast.Call, place: Place, statement: Statement) -> None:
        self._resolver = area.inference.resolver
        self._call = call
        self._place = place
        self._statement = statement
        self._left = statement.selected_from or (statement.terms[0].entity if statement.terms else None)
        if statement.lost:
            self._left = None

    def read(self) -> list[tuple[ast.expr, tuple[Part, ...]]]:
        """The links with the arguments they come from; none when the call is of the 2.0 style."""
        arguments = self._call.args
        if any(isinstance(one, ast.Starred) for one in arguments):
            raise _UnclearError("what the starred argument holds is not seen")
        spelled = [one for one in arguments if isinstance(one, ast.Tuple) or _is_text(one)]
        if not spelled and not self._is_chain(arguments):
            return []
        if len(arguments) == 2 and spelled == arguments[1:] and not self._is_relationship(arguments[0]):
            if self._value(arguments[0]) is None:
                raise _UnclearError(f"what {ast.unparse(arguments[0])} is is not known")
            if _is_text(arguments[1]):
                return [(arguments[0], self._link(arguments))]
        return [(one, self._link(self._parts(one))) for one in arguments]

    def _is_chain(self, arguments: Sequence[ast.expr]) -> bool:
        """Whether each of several arguments is a link: all are relationships, or all are mapped classes."""
        return len(arguments) > 1 and (
            all(self._is_relationship(one) for one in arguments) or all(self._is_class(one) for one in arguments)
        )

    def _parts(self, argument: ast.expr) -> list[ast.expr]:
        """Target and condition of one argument. The oldest tuples have the condition first."""
        if not isinstance(argument, ast.Tuple):
            return [argument]
        match argument.elts:
            case [first, second] if _is_text(first) or self._is_relationship(first):
                return [second, first]
        return list(argument.elts)

    def _link(self, parts: Sequence[ast.expr]) -> tuple[Part, ...]:
        """One link; moves on to where it leads."""
        match parts:
            case [ast.Constant(value=str(name)) as text]:
                relation = self._relation(name, text)
                self._left = self._target_of(relation.entity, name)
                return (relation,)
            case [target]:
                if not (self._is_relationship(target) or self._is_class(target)):
                    raise _UnclearError(f"what {ast.unparse(target)} is is not known")
                self._left = self._led_to(target)
                return (target,)
            case [target, ast.Constant(value=str(name)) as text]:
                relation = self._relation(name, text)
                self._left = self._led_to(target)
                return target, relation
            case [target, condition]:
                self._left = self._led_to(target)
                return target, condition
        raise _UnclearError("what a tuple of this length joins")

    def _relation(self, name: str, text: ast.expr) -> Relation:
        if self._left is None:
            raise _UnclearError(f"the class that has {name!r} is not known")
        attribute = self._resolver.project.models.attribute(self._left.model, name)
        if attribute is None or attribute.kind != "relationship":
            raise _UnclearError(f"no relationship {name} of {self._left.model.name} is seen")
        spelling = spelling_of(self._left, self._call, self._place, self._resolver)
        if spelling is None:
            raise _UnclearError(why_not_spelled(self._left, self._place, self._resolver))
        if spelling.cycle:
            raise _UnclearError(f"importing {spelling.code} here would close a circle of imports")
        return Relation(self._left, spelling, name, text)

    def _target_of(self, entity: Entity, name: str) -> Entity | None:
        models = self._resolver.project.models
        attribute = models.attribute(entity.model, name)
        model = models.target(attribute, entity.model) if attribute is not None else None
        return Entity(ModelClass(model)) if model is not None else None

    def _led_to(self, target: ast.expr) -> Entity | None:
        match target:
            case ast.Call(func=ast.Attribute(attr="of_type"), args=[typed]):
                return self._led_to(typed)
            case ast.Call(func=ast.Attribute(attr="and_", value=narrowed)):
                return self._led_to(narrowed)
        match self._value(target):
            case Answer(value=ModelClass() as cls):
                return Entity(cls, target, self._place)
            case Answer(value=ModelAttribute(owner=owner, attribute=attribute)):
                return self._target_of(Entity(owner), attribute.name)
        return None

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, self._place)

    def _is_relationship(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Attribute(attr="of_type" | "and_", value=narrowed)):
                return self._is_relationship(narrowed)
        answer = self._value(node)
        return answer is not None and isinstance(answer.value, ModelAttribute)

    def _is_class(self, node: ast.expr) -> bool:
        answer = self._value(node)
        return answer is not None and isinstance(answer.value, ModelClass)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _doubt(links: Sequence[tuple[ast.expr, tuple[Part, ...]]], statement: Statement) -> str | None:
    first = next((part for part in links[0][1] if isinstance(part, Relation)), None)
    if first is not None and statement.has_step(*JOINS):
        return f"the text starts at {first.entity.model.name}, the first class, not at what was joined before"
    for _, parts in links:
        for part in parts:
            if isinstance(part, Relation) and part.spelling.imported is not None:
                return f"{part.spelling.imported} has to be imported here"
    return None
