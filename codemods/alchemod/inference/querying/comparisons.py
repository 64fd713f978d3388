"""Comparisons of a column with None, True or False: `A.x == None`, `False != A.flag`, `table.c.x != None`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from alchemod.facts.tables import TableColumn
from alchemod.inference.area import Area
from alchemod.inference.querying.filtering import KeyKind, column_kind, key_kind
from alchemod.inference.values import Answer, ColumnObject, Entity, ModelAttribute


@dataclass(frozen=True, slots=True)
class ConstantComparison:
    """`attribute == constant`, or `!=` where `equal` is false. `kind` says how the attribute compares."""

    attribute: ast.expr
    constant: bool | None
    equal: bool
    kind: KeyKind
    label: str
    """The attribute for people: `Book.title`, `books.c.title`."""
    answer: Answer


class Comparisons(Area):
    """What comparisons compare."""

    def with_constant(self, node: ast.Compare, path: Path) -> ConstantComparison | None:
        """The attribute of a mapped class, or the column of a table, that `node` of the file `path` compares."""
        match node:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[right]):
                pass
            case _:
                return None
        match left, right:
            case (ast.Constant(value=None | True | False as constant), attribute):
                pass
            case (attribute, ast.Constant(value=None | True | False as constant)):
                pass
            case _:
                return None
        answer = self.inference.value(path, attribute)
        found = self._compared(answer) if answer is not None else None
        if answer is None or found is None:
            return None
        label, kind = found
        return ConstantComparison(attribute, constant, isinstance(op, ast.Eq), kind, label, answer)

    def _compared(self, answer: Answer) -> tuple[str, KeyKind] | None:
        match answer.value:
            case ModelAttribute(owner=owner, attribute=attribute):
                kind = key_kind(Entity(owner), attribute.name, self.inference.resolver)
                return f"{owner.model.name}.{attribute.name}", kind
            case ColumnObject(owner=table, key=key, column=TableColumn() as column):
                return f"{table.table.name or 'table'}.c.{key}", column_kind(column, self.inference.project)
        return None
