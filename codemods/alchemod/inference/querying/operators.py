"""Operators that Python keeps to itself: `and`, `or`, `not`, `is`, `in` and chained comparisons of SQL expressions.

They cannot be overloaded as the others are; what they give follows from the truth of their operands. An attribute of a
mapped class is true, `a == b` is whether both sides are one object, everything else has no truth and raises TypeError,
columns of a table included (verified by execution on SQLAlchemy 1.4 to 2.1).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

from alchemod.facts.tables import TableColumn
from alchemod.inference.area import Area
from alchemod.inference.querying.filtering import column_kind, key_kind
from alchemod.inference.values import (
    Answer,
    ColumnObject,
    Entity,
    Exists,
    Expression,
    ModelAttribute,
    Outside,
    Statement,
)

Sort = Literal["boolean", "column", "relationship", "collection", "other", "condition", "expression"]
"""What stands in a condition: a Boolean or another column that compares as usual, a relationship to one or many, an
attribute that may compare in its own way, a condition, another expression."""

Kind = Literal["and", "or", "not", "is", "is not", "in", "not in", "chain"]

_MAPPED: Final = frozenset({"column", "relationship", "synonym", "hybrid", "proxy", "column_property", "composite"})
_CONSTRUCTS: Final = frozenset(
    {"and_", "or_", "not_", "exists", "true", "false", "null", "between", "text", "literal", "literal_column", "case"}
)
_OF_CONDITIONS: Final = frozenset(
    {
        *("in_", "not_in", "notin_", "is_", "is_not", "isnot", "is_distinct_from", "is_not_distinct_from", "between"),
        *("like", "ilike", "not_like", "notlike", "not_ilike", "notilike", "startswith", "endswith", "contains"),
        *("icontains", "istartswith", "iendswith", "match", "regexp_match", "any", "has", "any_", "all_"),
    }
)
_OPPOSITES: Final[dict[Kind, Kind]] = {"is": "is not", "is not": "is", "in": "not in", "not in": "in"}


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand of such an operator that is a SQL expression. `truth` is None where asking for it raises TypeError."""

    node: ast.expr
    sort: Sort
    truth: bool | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class Misread:
    """One such operator: what it stands for, and what Python makes of it.

    `parts` are its operands in order, each with what is known of it, None for a Python value. `constant` is its value
    for every row, `kept` is the only term that reaches the database; where neither is given, it raises TypeError
    (`raises`), or what comes out is not known. `truth` is what it is where Python asks for its truth.
    """

    node: ast.expr
    kind: Kind
    parts: tuple[tuple[ast.expr, Operand | Misread | None], ...]
    constant: bool | None = None
    kept: ast.expr | None = None
    raises: bool = False
    comparisons: tuple[ast.cmpop, ...] = ()
    truth: bool | None = None

    @property
    def inner(self) -> Iterator[Misread]:
        """The misread operators among the operands, at any depth."""
        for _, part in self.parts:
            if isinstance(part, Misread):
                yield part
                yield from part.inner

    @property
    def answers(self) -> Iterator[Answer]:
        """What is known of the operands."""
        for _, part in self.parts:
            if isinstance(part, Operand):
                yield part.answer
            elif part is not None:
                yield from part.answers


class Operators(Area):
    """The operators in conditions that do not reach the database."""

    def misread(self, condition: ast.expr, path: Path) -> list[Misread]:
        """The outermost such operators in a condition of the file `path`."""
        found = self._part(condition, path)
        if isinstance(found, Misread):
            return [found]
        match condition:
            case ast.BoolOp(values=parts):
                return [one for part in parts for one in self.misread(part, path)]
            case ast.UnaryOp(operand=operand):
                return self.misread(operand, path)
        return []

    def is_expression(self, node: ast.expr, path: Path) -> bool:
        """Whether an expression of the file `path` is a SQL expression."""
        return self._operand(node, path) is not None

    def _part(self, node: ast.expr, path: Path) -> Operand | Misread | None:
        match node:
            case ast.BoolOp(op=op, values=values):
                return self._short_circuit(node, "and" if isinstance(op, ast.And) else "or", values, path)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._negated(node, operand, path)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compared(node, (left, *others), ops, path)
        return self._operand(node, path)

    def _operand(self, node: ast.expr, path: Path) -> Operand | None:
        answer = self.inference.value(path, node)
        match answer:
            case Answer(value=ModelAttribute(owner=owner, attribute=attribute)) if attribute.kind in _MAPPED:
                return Operand(node, self._sort(Entity(owner), attribute.name), True, answer)
            case Answer(value=ColumnObject(column=column)):
                return Operand(node, self._sort_of_column(column), None, answer)
            case Answer(value=Exists()):
                return Operand(node, "condition", None, answer)
            case Answer(value=Expression()):
                return Operand(node, "condition" if _is_condition(node) else "expression", None, answer)
        return self._construct(node, path)

    def _construct(self, node: ast.expr, path: Path) -> Operand | None:
        """`and_(...)`, `exists().where(...)`, `~or_(...)`."""
        match node:
            case ast.UnaryOp(op=ast.Invert(), operand=inner):
                found = self._operand(inner, path)
                return Operand(node, "condition", None, found.answer) if found is not None else None
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr()):
                found = self._operand(left, path)
                return Operand(node, "condition", None, found.answer) if found is not None else None
            case ast.Call(func=called):
                root: ast.expr = called
                while isinstance(root, ast.Attribute) and isinstance(root.value, ast.Call):
                    root = root.value.func
                answer = self.inference.value(path, root)
                if answer is not None and isinstance(answer.value, Outside) and answer.value.canonical in _CONSTRUCTS:
                    return Operand(node, "condition", None, answer)
        return None

    def _sort(self, entity: Entity, name: str) -> Sort:
        kind = key_kind(entity, name, self.inference.resolver)
        if kind == "boolean" or kind == "column":
            return kind
        if kind != "relationship":
            return "other"
        models = self.inference.project.models
        attribute = models.attribute(entity.model, name)
        many = models.is_collection(attribute, entity.model) if attribute is not None else None
        return "collection" if many else "relationship" if many is False else "other"

    def _sort_of_column(self, column: TableColumn | None) -> Sort:
        kind = column_kind(column, self.inference.project) if column is not None else "custom"
        return kind if kind == "boolean" or kind == "column" else "other"

    def _short_circuit(
        self, node: ast.BoolOp, kind: Kind, values: Sequence[ast.expr], path: Path
    ) -> Operand | Misread | None:
        parts = tuple((value, self._part(value, path)) for value in values)
        if all(part is None for _, part in parts[:-1]):
            return None
        goes_on = kind == "and"
        for value, part in parts[:-1]:
            if part is None:
                return Misread(node, kind, parts)
            if (truth := part.truth) is None:
                raises = isinstance(part, Operand) or part.raises or part.kept is not None
                return Misread(node, kind, parts, raises=raises)
            if truth is not goes_on:
                return _ending(node, kind, parts, value, part)
        return _ending(node, kind, parts, *parts[-1])

    def _negated(self, node: ast.UnaryOp, operand: ast.expr, path: Path) -> Misread | None:
        part = self._part(operand, path)
        if part is None:
            return None
        constant = None if part.truth is None else not part.truth
        raises = part.truth is None and (isinstance(part, Operand) or part.raises or part.kept is not None)
        if isinstance(part, Misread) and part.kind in _OPPOSITES:
            return Misread(node, _OPPOSITES[part.kind], part.parts, constant, raises=raises, truth=constant)
        return Misread(node, "not", ((operand, part),), constant, raises=raises, truth=constant)

    def _compared(
        self, node: ast.Compare, operands: Sequence[ast.expr], ops: list[ast.cmpop], path: Path
    ) -> Operand | Misread | None:
        parts = tuple((operand, self._operand(operand, path)) for operand in operands)
        if all(part is None for _, part in parts):
            return None
        if len(ops) > 1:
            return _chained(node, parts, ops)
        (_, left), (_, right) = parts
        answer = (left or right).answer  # type: ignore[union-attr]
        match ops[0]:
            case ast.Is() | ast.IsNot():
                kind: Kind = "is" if isinstance(ops[0], ast.Is) else "is not"
                return Misread(node, kind, parts, kind == "is not", truth=kind == "is not")
            case ast.In() | ast.NotIn():
                kind = "in" if isinstance(ops[0], ast.In) else "not in"
                if left is None or right is not None or self._has_no_members(operands[1], path):
                    return Misread(node, kind, parts, raises=True)
                return Misread(node, kind, parts, kind == "not in", truth=kind == "not in")
        return Operand(node, "condition", _truth_of_comparison(operands[0], operands[1], ops[0]), answer)

    def _has_no_members(self, node: ast.expr, path: Path) -> bool:
        """Whether `in` raises, whatever stands left: the right side is text or a select()."""
        if isinstance(node, ast.Constant | ast.JoinedStr):
            return True
        answer = self.inference.value(path, node)
        return answer is not None and isinstance(answer.value, Statement) and answer.value.style != "query"


def _ending(
    node: ast.BoolOp,
    kind: Kind,
    parts: tuple[tuple[ast.expr, Operand | Misread | None], ...],
    value: ast.expr,
    part: Operand | Misread | None,
) -> Misread:
    """An `and` or `or` that ends with `value`."""
    if isinstance(part, Misread):
        return Misread(node, kind, parts, part.constant, part.kept, part.raises, truth=part.truth)
    return Misread(node, kind, parts, kept=value, truth=part.truth if part is not None else None)


def _chained(node: ast.Compare, parts: tuple[tuple[ast.expr, Operand | None], ...], ops: list[ast.cmpop]) -> Misread:
    comparisons = [
        ast.Compare(left, [op], [right]) for ((left, _), (right, _)), op in zip(pairwise(parts), ops, strict=True)
    ]
    for comparison, (left, right) in zip(comparisons[:-1], list(pairwise(parts))[:-1], strict=True):
        if left[1] is None and right[1] is None:
            return Misread(node, "chain", parts, comparisons=tuple(ops))
        truth = _truth_of_comparison(left[0], right[0], comparison.ops[0])
        if truth is None:
            return Misread(node, "chain", parts, raises=True, comparisons=tuple(ops))
        if not truth:
            return Misread(node, "chain", parts, kept=comparison, comparisons=tuple(ops), truth=False)
    return Misread(node, "chain", parts, kept=comparisons[-1], comparisons=tuple(ops))


def _truth_of_comparison(left: ast.expr, right: ast.expr, op: ast.cmpop) -> bool | None:
    """Whether `left == right` (or `!=`) is true for Python; None where it has no truth."""
    if not isinstance(op, ast.Eq | ast.NotEq):
        return None
    if any(isinstance(side, ast.Constant) and side.value is None for side in (left, right)):
        return None
    return (ast.dump(left) == ast.dump(right)) is isinstance(op, ast.Eq)


def _is_condition(node: ast.expr) -> bool:
    match node:
        case ast.Compare():
            return True
        case ast.UnaryOp(op=ast.Invert()) | ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _OF_CONDITIONS
    return False
