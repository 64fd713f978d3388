"""Which type of SQLAlchemy a column has, told from its declaration."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alchemod.facts.lookup import External, Variable
from alchemod.facts.module import Module, last_name
from alchemod.inference.area import Area
from alchemod.inference.mapping.columns import type_argument
from alchemod.inference.resolving.annotation import unquoted
from alchemod.inference.values import Answer, ColumnObject, ModelAttribute

_ANNOTATED: Final = {"int": "Integer", "str": "String", "float": "Float", "bool": "Boolean"}
"""What `Mapped[...]` means where no `type_annotation_map` says otherwise ("Mapped Column Derives the Datatype")."""
_HOPS: Final = 5


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column: SQLAlchemy's short `name` for its class, and the call that made it, if one did.

    `answer` is what is known of the column.
    """

    name: str
    call: ast.Call | None
    module: Module
    answer: Answer


class ColumnTypes(Area):
    """The types of columns."""

    def of(self, path: Path, node: ast.expr) -> ColumnType | None:
        """The type of the column that an expression is.

        None when it is no column, and when its type is not seen, or is a class of the project.
        """
        answer = self.inference.value(path, node)
        if answer is None:
            return None
        match answer.value:
            case ModelAttribute(attribute=attribute) if attribute.kind == "column":
                return self._declared(attribute.call, attribute.annotation, attribute.owner.module, answer)
            case ColumnObject(column=column) if column is not None:
                annotation = column.attribute.annotation if column.attribute is not None else None
                return self._declared(column.call, annotation, column.module, answer)
        return None

    def item(self, kind: ColumnType) -> str | None:
        """The short name of the type of the elements of an ARRAY, None when it is not seen."""
        if kind.call is None or not kind.call.args:
            return None
        found = self._type(kind.call.args[0], kind.module, _HOPS)
        return found[0] if found is not None else None

    def _declared(
        self, call: ast.Call | None, annotation: ast.expr | None, module: Module, answer: Answer
    ) -> ColumnType | None:
        given = type_argument(call) if call is not None else None
        if given is not None:
            found = self._type(given, module, _HOPS)
            return ColumnType(*found, module, answer) if found is not None else None
        name = self._annotated(annotation)
        return ColumnType(name, None, module, answer) if name is not None else None

    def _type(self, given: ast.expr, module: Module, hops: int) -> tuple[str, ast.Call | None] | None:
        call = given if isinstance(given, ast.Call) else None
        match self.inference.project.lookup.expression(module, call.func if call is not None else given):
            case External(canonical=str(name)):
                return name, call
            case Variable(module=other, assigned=assigned, others=()) if assigned.value is not None and hops:
                return self._type(assigned.value, other, hops - 1) if call is None else None
        return None

    def _annotated(self, annotation: ast.expr | None) -> str | None:
        mapped = self.inference.project.mapped_annotations
        if annotation is None or mapped is None:
            return None
        match unquoted(annotation):
            case ast.Subscript(value=wrapper, slice=inner) if last_name(wrapper) in {"Mapped", "Optional"}:
                return self._annotated(inner)
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                return self._annotated(left)
            case ast.Name(id=name) if name not in mapped:
                return _ANNOTATED.get(name)
        return None
