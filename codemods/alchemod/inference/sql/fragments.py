"""Strings and texts that stand where a statement wants a column: `order_by("name")`, `filter(text("id = 1"))`."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Literal

from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.names.spelling import Spelling, spelling_of
from alchemod.inference.sql.execution import SqlExecutions
from alchemod.inference.sql.strings import constant_text
from alchemod.inference.values import Answer, Entity, Outside, Place, Statement

CRITERIA = ("filter", "where", "having")
ORDERS = ("order_by", "group_by")
_COLUMN = re.compile(r'\s*(?:"?(\w+)"?\.)?"?(\w+)"?(?:\s+(asc|desc))?\s*', re.IGNORECASE)

Kind = Literal["name", "text", "constant"]
"""`name`: a string that names a column or a label. `text`: a piece of SQL. `constant`: a comparison of Python's that
decides the same for every row."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One argument of a method of a statement. `node` is what stands for a column."""

    kind: Kind
    node: ast.expr
    text: str = ""


@dataclass(frozen=True, slots=True)
class FoundColumn:
    """A column of the only entity of a statement, with the direction that a text gives it: `asc`, `desc` or `""`."""

    spelling: Spelling
    entity: Entity
    attribute: str
    direction: str = ""


class Fragments(Area):
    """Strings where columns belong."""

    def in_criterion(self, node: ast.expr, place: Place) -> Fragment | None:
        """What an argument of `filter()`, `where()` or `having()` is, None when it is an expression."""
        if isinstance(node, ast.Compare) and self._is_python(node):
            return Fragment("constant", node)
        return self._text(node, place)

    def in_order(self, node: ast.expr, place: Place) -> Fragment | None:
        """What an argument of `order_by()` or `group_by()` is, None when it is an expression."""
        match node:
            case ast.Call(func=function, args=[inner], keywords=[]) if last_name(function) in {"desc", "asc"}:
                match self.inference.resolver.value(function, place):
                    case Answer(value=Outside(definition=definition)) if definition.canonical in {"desc", "asc"}:
                        return self._name(inner, place) or self._text(inner, place)
                return None
        return self._name(node, place) or self._text(node, place)

    def column(self, fragment: Fragment, answer: Answer, at: ast.expr, place: Place) -> FoundColumn | str | None:
        """The column of the only entity that a fragment names; else why it cannot be written, None when it is none."""
        statement = answer.value
        assert isinstance(statement, Statement)
        match = _COLUMN.fullmatch(fragment.text)
        if match is None or (fragment.kind == "name" and (match[1] or match[3])):
            return None
        if len(statement.terms) != 1 or statement.terms[0].kind != "entity" or statement.terms[0].entity is None:
            return None
        entity = statement.terms[0].entity
        if statement.joined is not None or statement.lost or statement.selected_from is not None:
            return "a second class of the statement may have the name too"
        table = self.inference.project.tables.of(entity.model)
        column = table.named(match[2]) if table is not None else None
        if table is None or column is None or column.attribute is None:
            return None
        if match[1] and (match[1] != table.name or entity.cls.alias is not None):
            return None
        spelling = spelling_of(entity, at, place, self.inference.resolver)
        if spelling is None or spelling.cycle:
            return f"{entity.model.name} cannot be written here"
        return FoundColumn(spelling, entity, column.key, (match[3] or "").lower())

    def _name(self, node: ast.expr, place: Place) -> Fragment | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return Fragment("name", node, node.value)
        return None

    def _text(self, node: ast.expr, place: Place) -> Fragment | None:
        """A call of `text()` with a text that is seen."""
        if (
            not isinstance(node, ast.Call)
            or not self.inference.ask(SqlExecutions).is_text(node, place)
            or not node.args
        ):
            return None
        text = constant_text(node.args[0], place, self.inference.resolver)
        return Fragment("text", node, text) if text is not None else None

    def _is_python(self, node: ast.Compare) -> bool:
        """Whether a comparison compares a string of Python with a constant."""
        operands = [node.left, *node.comparators]
        plain = all(isinstance(one, ast.Constant | ast.JoinedStr) for one in operands)
        return plain and any(isinstance(one, ast.JoinedStr) or _is_text(one) for one in operands)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
