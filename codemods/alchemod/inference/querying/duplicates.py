"""Whether the rows of a statement may repeat an entity.

A Query gives each object once, whatever the join; a count, and the rows of single columns, do not ("Joined Eager
Loading Uniquing" in the migration guide to 2.0; verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.facts.nodes import children, is_dotted
from alchemod.facts.uniqueness import names_own_key
from alchemod.inference.area import Area
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import (
    Answer,
    ColumnObject,
    Exists,
    Expression,
    FromClause,
    Method,
    ModelAttribute,
    ModelClass,
    Outside,
    Place,
    Statement,
    TableObject,
)

_CONDITIONS: Final = frozenset({"filter", "where"})
_HARMLESS: Final = frozenset({"filter", "where", "filter_by", "order_by", "limit", "offset", "slice"})
_OF_RELATED: Final = frozenset({"any", "has"})


class Duplicates(Area):
    """What may make a statement give an entity several times."""

    def of(self, statement: Statement) -> str | None:
        """Why the rows of a statement with one entity may repeat it; None when each comes once."""
        match statement.terms:
            case (term,) if term.kind == "entity" and term.entity is not None:
                cls = term.entity.cls
            case _:
                return "the rows are not those of one class"
        if names_own_key(cls.model):
            return f"{cls.model.name} names a primary key of its own, of which several rows may have the same"
        other = next((name for name, _ in statement.steps if name not in _HARMLESS), None)
        if other is not None:
            return f"{other}() may change how often a row comes"
        if statement.place is None:
            return "where the query is written is not seen"
        around = self.inference.ask(Usage).around(statement.place)
        for name, call in statement.steps:
            if call not in around:
                return f"what {name}() is given is not seen here"
            if name in _CONDITIONS or name == "order_by":
                found = next(self._others(call, cls, name in _CONDITIONS, statement.place), None)
                if found is not None:
                    return f"{ast.unparse(found)} may speak of another class, whose rows multiply these"
        return None

    def _others(self, call: ast.Call, cls: ModelClass, conditions: bool, place: Place) -> Iterator[ast.expr]:
        """The parts of a step that may bring another class into the FROM list."""
        for argument in call.args:
            if conditions and isinstance(argument, ast.Name | ast.Starred) and not self._is_of(argument, cls, place):
                yield argument
            yield from self._inside(argument, cls, place)

    def _inside(self, node: ast.expr, cls: ModelClass, place: Place) -> Iterator[ast.expr]:
        stack: list[ast.AST] = [node]
        while stack:
            part = stack.pop()
            if isinstance(part, ast.Call):
                found = self._value(part, place)
                if found is not None and isinstance(found.value, Statement | Exists | FromClause):
                    continue
                if isinstance(part.func, ast.Attribute) and part.func.attr in _OF_RELATED:
                    stack.append(part.func.value)
                    continue
            if isinstance(part, ast.Attribute | ast.Name):
                if self._may_be_other(part, cls, place):
                    yield part
                if is_dotted(part):
                    continue
            stack.extend(children(part))

    def _is_of(self, node: ast.expr, cls: ModelClass, place: Place) -> bool:
        found = self._value(node, place)
        return found is not None and isinstance(found.value, Expression) and set(found.value.owners) <= {cls}

    def _may_be_other(self, node: ast.Attribute | ast.Name, cls: ModelClass, place: Place) -> bool:
        found = self._value(node, place)
        while found is not None and isinstance(found.value, Method) and isinstance(node, ast.Attribute):
            if not isinstance(node.value, ast.Attribute | ast.Name):
                return False  # the call or expression left of the dot is looked at by itself
            node = node.value
            found = self._value(node, place)
        match found:
            case Answer(value=ModelAttribute(owner=owner)):
                return owner != cls
            case Answer(value=ModelClass() as other):
                return other != cls
            case Answer(value=Expression(owners=owners)):
                return not set(owners) <= {cls}
            case Answer(value=ColumnObject() | TableObject() | FromClause()):
                return True
            case None | Answer(value=Outside()):
                return _looks_like_class(node) and not _is_of_sqlalchemy(found)
        return False

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        return self.inference.resolver.value(node, Place(place.module, place.scope.root.innermost(node)))


def _is_of_sqlalchemy(answer: Answer | None) -> bool:
    return answer is not None and isinstance(answer.value, Outside) and answer.value.canonical is not None


def _looks_like_class(node: ast.expr) -> bool:
    """Whether a dotted name of which nothing is known has a capitalised part before its last: `other.Model.name`."""
    while isinstance(node, ast.Attribute):
        node = node.value
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if name[:1].isupper():
            return True
    return False
