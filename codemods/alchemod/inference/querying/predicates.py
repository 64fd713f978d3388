"""Python expressions over the columns of one object, as SQL expressions over its class."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from alchemod.facts.model import Model
from alchemod.facts.models import Models
from alchemod.facts.nodes import children, walk
from alchemod.inference.querying.filtering import KeyKind, key_kind
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.values import Entity, ModelClass

_SIGNS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_TURNED: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: ">", ast.LtE: ">=", ast.Gt: "<", ast.GtE: "<=",
}  # fmt: skip


@dataclass(slots=True)
class Translation:
    """A SQL expression as a template; `holes` fill it. `entity` is the hole for the class."""

    template: str = ""
    holes: dict[str, Any] = field(default_factory=dict)

    def hole(self, node: ast.expr) -> str:
        """A hole for a part that is taken over as it is."""
        name = f"value{len(self.holes)}"
        self.holes[name] = node
        return f"{{{name}}}"


@dataclass(frozen=True, slots=True)
class ObjectColumns:
    """The columns that a Python expression may read of the object in the variable `name`."""

    name: str
    model: Model
    resolver: Resolver

    def column(self, node: ast.expr) -> str | None:
        """The name of the plain column that `node` reads of the object, None when it is something else."""
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=column) if name == self.name:
                return column if self.kind(column) in {"column", "boolean"} else None
        return None

    def kind(self, attribute: str) -> KeyKind:
        """What an attribute of the object is."""
        return key_kind(Entity(ModelClass(self.model)), attribute, self.resolver)

    def touches_more(self, node: ast.expr) -> bool:
        """Whether an expression uses the object otherwise than by its columns: itself, its properties, its methods."""
        models: Models = self.resolver.project.models
        for part, parent in _with_parents(node):
            if isinstance(part, ast.Name) and part.id == self.name:
                if not isinstance(parent, ast.Attribute):
                    return True
                found = models.attribute(self.model, parent.attr)
                if found is None or found.kind != "column":
                    return True
        return False

    def hands_on(self, node: ast.expr) -> bool:
        """Whether an expression gives a column of the object to a function, or waits: no database does that."""
        for part in walk(node):
            if isinstance(part, ast.Await):
                return True
            if isinstance(part, ast.Call):
                given = [*part.args, *(keyword.value for keyword in part.keywords)]
                if any(isinstance(one, ast.Name) and one.id == self.name for value in given for one in walk(value)):
                    return True
        return False

    def is_free(self, node: ast.expr) -> bool:
        """Whether an expression says nothing of the object and may be evaluated once instead of for each."""
        parts = list(walk(node))
        if any(isinstance(part, ast.Name) and part.id == self.name for part in parts):
            return False
        return not any(
            isinstance(part, ast.Call | ast.Await | ast.NamedExpr | ast.Yield | ast.Lambda) for part in parts
        )

    def translated(self, node: ast.expr, into: Translation) -> str | None:
        """The condition `node` in SQL, None where it cannot be said. What it takes over is put into `into`."""
        match node:
            case ast.BoolOp(op=op, values=values):
                terms = [self.translated(value, into) for value in values]
                name = "and_" if isinstance(op, ast.And) else "or_"
                return None if None in terms else f"{{sqlalchemy.{name}}}({', '.join(filter(None, terms))})"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                if (column := self.column(operand)) is not None and self.kind(column) == "boolean":
                    return f"{{entity}}.{column}.is_distinct_from({{sqlalchemy.true}}())"
                term = self.translated(operand, into) if isinstance(operand, ast.Compare) else None
                return f"{{sqlalchemy.not_}}({term})" if term is not None else None
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compared(left, op, right, into)
        column = self.column(node)
        return f"{{entity}}.{column} == {{sqlalchemy.true}}()" if column and self.kind(column) == "boolean" else None

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr, into: Translation) -> str | None:
        column, other, signs = self.column(left), right, _SIGNS
        if column is None:
            column, other, signs = self.column(right), left, _TURNED
        if column is None or (not self.is_free(other) and self.column(other) is None):
            return None
        of_class = f"{{entity}}.{column}"
        match op, other:
            case (ast.Is() | ast.Eq(), ast.Constant(value=None)):
                return f"{of_class}.is_(None)"
            case (ast.IsNot() | ast.NotEq(), ast.Constant(value=None)):
                return f"{of_class}.is_not(None)"
            case (ast.Is() | ast.Eq(), ast.Constant(value=bool(truth))) if self.kind(column) == "boolean":
                return f"{of_class} == {{sqlalchemy.{str(truth).lower()}}}()"
            case (ast.In() | ast.NotIn(), _) if other is right and not isinstance(other, ast.Constant):
                method = "in_" if isinstance(op, ast.In) else "not_in"
                return f"{of_class}.{method}({into.hole(other)})" if self.column(other) is None else None
        sign = signs.get(type(op))
        if sign is None:
            return None
        second = self.column(other)
        return f"{of_class} {sign} {{entity}}.{second}" if second else f"{of_class} {sign} {into.hole(other)}"


def _with_parents(node: ast.expr) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    stack: list[tuple[ast.AST, ast.AST | None]] = [(node, None)]
    while stack:
        part, parent = stack.pop()
        yield part, parent
        stack.extend((child, part) for child in children(part))
