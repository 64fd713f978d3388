"""Whether a SQL expression is a whole number: SQLAlchemy 2.0 divides two of them to a fraction, 1.4 did not.

("What's New in SQLAlchemy 2.0", Python division operator performs true division for all backends.)
"""

from __future__ import annotations

import ast
from typing import Literal, TypeAlias

from alchemod.facts.lookup import External
from alchemod.facts.module import Module, last_name
from alchemod.inference.area import Area
from alchemod.inference.values import Answer, ColumnObject, ModelAttribute, Outside, Place

Number: TypeAlias = Literal["integer", "other"]

INTEGERS = frozenset({"Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT", "SMALLINT", "INT", "TINYINT"})
"""The types of SQLAlchemy whose values are whole numbers."""
_COUNTING = frozenset({"count", "length", "char_length", "row_number", "rank"})
_LIKE_ARGUMENT = frozenset({"sum", "max", "min", "coalesce", "abs"})
_SCHEMA_ITEMS = frozenset({"ForeignKey", "Sequence", "Identity", "Computed"})


class Numbers(Area):
    """Answers about the operands of a division."""

    def kind(self, node: ast.expr, place: Place) -> Number | None:
        """What kind of number an expression gives, None when it is not known."""
        match node:
            case ast.Constant(value=bool()):
                return "other"
            case ast.Constant(value=int()):
                return "integer"
            case ast.Constant():
                return "other"
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult(), right=right):
                sides = {self.kind(left, place), self.kind(right, place)}
                return "other" if "other" in sides else "integer" if sides == {"integer"} else None
            case ast.UnaryOp(operand=operand):
                return self.kind(operand, place)
            case ast.Call(func=ast.Attribute(attr="label", value=inner)):
                return self.kind(inner, place)
            case ast.Call():
                return self._call(node, place)
        match self.inference.resolver.value(node, place):
            case Answer(value=ModelAttribute(attribute=attribute)) if attribute.kind == "column":
                if attribute.call is None and attribute.annotation is not None:
                    return "integer" if ast.unparse(attribute.annotation) in {"Mapped[int]", "int"} else None
                return self._column(attribute.call, attribute.owner.module)
            case Answer(value=ColumnObject(column=column)) if column is not None:
                return self._column(column.call, column.module)
        return None

    def is_sql(self, node: ast.expr, place: Place) -> bool:
        """Whether an operand is a column, or is made of one."""
        return any(
            isinstance(inner, ast.Attribute)
            and (answer := self.inference.resolver.value(inner, place)) is not None
            and isinstance(answer.value, ModelAttribute | ColumnObject)
            for inner in ast.walk(node)
        )

    def _call(self, node: ast.Call, place: Place) -> Number | None:
        answer = self.inference.resolver.value(node.func, place)
        if answer is None or not isinstance(answer.value, Outside) or answer.value.canonical is None:
            return None
        name = answer.value.canonical
        if ".func." in answer.value.definition.name:
            if name in _COUNTING:
                return "integer"
            if name == "avg":
                return "other"
            return self.kind(node.args[0], place) if name in _LIKE_ARGUMENT and node.args else None
        if name in {"cast", "type_coerce"} and len(node.args) == 2:
            return self._type(node.args[1], place.module)
        return None

    def _column(self, call: ast.Call | None, module: Module) -> Number | None:
        if call is None:
            return None
        for argument in [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "type_")]:
            if not isinstance(argument, ast.Constant) and last_name(argument) not in _SCHEMA_ITEMS:
                return self._type(argument, module)
        return None

    def _type(self, node: ast.expr, module: Module) -> Number | None:
        given = node.func if isinstance(node, ast.Call) else node
        match self.inference.project.lookup.expression(module, given):
            case External(canonical=str() as name):
                return "integer" if name in INTEGERS else "other"
        return None
