"""What an expression gives in plain terms: a list, a text, a SQL expression, perhaps None.

Old calls of SQLAlchemy take one thing or a list of things, or leave None out; their successors do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from alchemod.facts.lookup import Variable
from alchemod.facts.module import last_name
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.resolving.annotation import unquoted
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.values import (
    Answer,
    Collection,
    ColumnObject,
    ColumnsOf,
    Exists,
    Expression,
    FromClause,
    ModelAttribute,
    ModelClass,
    Outside,
    Place,
    Rows,
    Statement,
    TableObject,
)

Kind: TypeAlias = Literal["none", "bool", "number", "text", "list", "dict", "sql", "statement", "other"]
"""`list` is any plain iterable, `sql` an expression or table, `statement` a select, Query or the like."""

Kinds: TypeAlias = frozenset[Kind]

NONE: Kinds = frozenset({"none"})
BOOL: Kinds = frozenset({"bool"})
NUMBER: Kinds = frozenset({"number"})
TEXT: Kinds = frozenset({"text"})
LIST: Kinds = frozenset({"list"})
DICT: Kinds = frozenset({"dict"})
SQL: Kinds = frozenset({"sql"})
STATEMENT: Kinds = frozenset({"statement"})
OTHER: Kinds = frozenset({"other"})

_MAX_DEPTH = 12

OPERATORS = frozenset(
    {
        "in_", "notin_", "not_in", "like", "ilike", "notlike", "not_like", "notilike", "not_ilike", "is_", "isnot",
        "is_not", "is_distinct_from", "isnot_distinct_from", "is_not_distinct_from", "between", "desc", "asc",
        "nullsfirst", "nullslast", "nulls_first", "nulls_last", "label", "collate", "bool_op",
    }
)  # fmt: skip
"""Methods of SQL expressions that plain objects do not have ("Operator Reference")."""

_EXPRESSIONS = frozenset(
    {
        "and_", "or_", "not_", "text", "case", "cast", "try_cast", "type_coerce", "literal", "literal_column",
        "bindparam", "column", "desc", "asc", "nullsfirst", "nullslast", "nulls_first", "nulls_last", "distinct",
        "exists", "extract", "null", "true", "false", "between", "tuple_", "over", "collate", "any_", "all_",
        "within_group", "funcfilter", "Column", "Table", "table", "alias", "join", "outerjoin", "aliased", "lateral",
        "tablesample",
    }
)  # fmt: skip
_LISTS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "map", "filter", "zip", "range"})
_NUMBERS = frozenset({"int", "float", "len", "sum", "round"})
_BOOLS = frozenset({"bool", "isinstance", "any", "all", "hasattr", "callable"})
_TEXT_METHODS = frozenset({"join", "format", "strip", "lower", "upper", "replace", "title"})

_ANNOTATED: dict[str, Kinds] = {
    **dict.fromkeys(("list", "List", "Sequence", "Iterable", "Collection", "Tuple", "tuple", "Set", "set"), LIST),
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping"), DICT),
    **dict.fromkeys(("int", "float", "Decimal"), NUMBER),
    **dict.fromkeys(("ColumnElement", "ClauseElement", "BinaryExpression", "Column", "Table", "TextClause"), SQL),
    **dict.fromkeys(("Select", "Query"), STATEMENT),
    "str": TEXT,
    "bool": BOOL,
}


class KindsOf(Area):
    """Answers what kinds of thing an expression may give."""

    def of(self, path: Path, node: ast.expr) -> Kinds | None:
        """All kinds that an expression of the current tree of `path` may give; None when some are not known."""
        place = self.inference.place(path, node)
        return self._of(node, place, 0) if place is not None else None

    def is_list(self, path: Path, node: ast.expr) -> bool:
        """Whether an expression surely gives a list, or another plain iterable."""
        return self.of(path, node) == LIST

    def _of(self, node: ast.expr, place: Place, depth: int) -> Kinds | None:
        if depth > _MAX_DEPTH:
            return None
        match node:
            case ast.Constant(value=value):
                return _of_constant(value)
            case ast.JoinedStr():
                return TEXT
            case ast.List() | ast.Tuple() | ast.Set() | ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return LIST
            case ast.Dict() | ast.DictComp():
                return DICT
            case ast.Lambda():
                return OTHER
            case ast.NamedExpr(value=inner) | ast.Starred(value=inner):
                return self._of(inner, place, depth + 1)
            case ast.IfExp(body=body, orelse=orelse):
                return _union(self._of(part, place, depth + 1) for part in (body, orelse))
            case ast.BoolOp(op=ast.Or(), values=[*first, last]):
                parts = [self._of(part, place, depth + 1) for part in first]
                kept = [part - NONE if part is not None else None for part in parts]
                return _union([*kept, self._of(last, place, depth + 1)])
            case ast.BoolOp(values=values):
                return _union(self._of(part, place, depth + 1) for part in values)
            case ast.UnaryOp(op=ast.Not()):
                return BOOL
            case ast.UnaryOp(op=ast.Invert()):
                return SQL
            case ast.UnaryOp():
                return frozenset({"number", "sql"})
            case ast.Compare(ops=operators):
                plain = all(isinstance(one, ast.Is | ast.IsNot | ast.In | ast.NotIn) for one in operators)
                return BOOL if plain else frozenset({"bool", "sql"})
            case ast.BinOp():
                return self._of_operation(node, place, depth)
            case ast.Name():
                return self._of_name(node, place, depth)
            case ast.Call():
                return self._of_call(node, place)
            case ast.Attribute(value=ast.Attribute(attr="c" | "columns")):
                return SQL
        return self._inferred(node, place)

    def _of_operation(self, node: ast.BinOp, place: Place, depth: int) -> Kinds:
        sides = [self._of(side, place, depth + 1) for side in (node.left, node.right)]
        if isinstance(node.op, ast.Add) and not _any_sql(sides):
            for kinds in (LIST, TEXT, NUMBER):
                if any(side == kinds for side in sides):
                    return kinds
        if isinstance(node.op, ast.Mod) and sides[0] == TEXT:
            return TEXT
        return SQL if _any_sql(sides) else frozenset({"sql", "other"})

    def _of_name(self, node: ast.Name, place: Place, depth: int) -> Kinds | None:
        root = place.scope.root.node
        if not isinstance(root, ast.Module):
            return None
        owner = place.scope.owner(node.id)
        if owner is None or owner.parent is None:
            return self._of_global(node, place, depth) or self._inferred(node, place)
        found = definitions(root, node)
        if not found.exact or not found.sites:
            return None
        here = Place(place.module, owner)
        kinds = _union(self._of_binding(site, here, depth) for site in found.sites)
        return kinds if kinds is not None else self._inferred(node, place)

    def _of_global(self, node: ast.Name, place: Place, depth: int) -> Kinds | None:
        match self.inference.project.lookup.name(place.module, node.id):
            case Variable(module=module, assigned=assigned, others=others):
                values = [one.value for one in (assigned, *others)]
                top = self.inference.resolver.top_of(module)
                return _union(self._of(value, top, depth + 1) if value is not None else None for value in values)
        return None

    def _of_binding(self, binding: Binding, place: Place, depth: int) -> Kinds | None:
        match binding.kind:
            case "assignment" | "walrus" | "annotation" if binding.position == () and binding.value is not None:
                return self._of(binding.value, place, depth + 1)
            case "augmented":
                grown = self._of(binding.value, place, depth + 1) if binding.value is not None else None
                assert isinstance(binding.node, ast.AugAssign)
                if isinstance(binding.node.op, ast.BitAnd | ast.BitOr):
                    return frozenset({"sql", "other"})
                return grown if grown in (LIST, TEXT) else None
            case "parameter":
                return self._of_parameter(binding, place, depth)
        return None

    def _of_parameter(self, binding: Binding, place: Place, depth: int) -> Kinds | None:
        assert isinstance(binding.node, ast.arg)
        arguments = getattr(place.scope.node, "args", None)
        if not isinstance(arguments, ast.arguments):
            return None
        if binding.node is arguments.vararg:
            return LIST
        if binding.node is arguments.kwarg:
            return DICT
        told = _annotated(binding.node.annotation)
        if told is None:
            return None
        default = self._of(binding.value, place, depth + 1) if binding.value is not None else frozenset()
        return _union([told, default])

    def _of_call(self, node: ast.Call, place: Place) -> Kinds | None:
        match node.func:
            case ast.Attribute(attr=name) if name in OPERATORS:
                return SQL
            case ast.Attribute(attr=name, value=receiver) if name in _TEXT_METHODS:
                if self._of(receiver, place, 1) == TEXT:
                    return TEXT
        answer = self.inference.resolver.value(node.func, place)
        if answer is not None and isinstance(answer.value, Outside):
            dotted = answer.value.definition.name
            name = dotted.rpartition(".")[2]
            if dotted.startswith("builtins."):
                return _of_builtin(name)
            if answer.value.canonical is not None and (".func." in dotted or name in _EXPRESSIONS):
                return SQL
            if answer.value.canonical in {"select", "insert", "update", "delete", "union", "union_all"}:
                return STATEMENT
        if answer is None and isinstance(node.func, ast.Attribute) and node.func.attr in {"join", "outerjoin"}:
            return SQL if node.func.attr == "outerjoin" else frozenset({"sql", "text"})
        if answer is None and isinstance(node.func, ast.Name) and place.scope.owner(node.func.id) is None:
            return _of_builtin(node.func.id) if not place.module.stars else None
        return self._inferred(node, place)

    def _inferred(self, node: ast.expr, place: Place) -> Kinds | None:
        answer = self.inference.resolver.value(node, place)
        if answer is None or answer.certainty != "proved":
            return None
        match answer:
            case Answer(value=ModelAttribute() | Expression() | ColumnObject() | TableObject() | ModelClass()):
                return SQL
            case Answer(value=FromClause() | Exists()):
                return SQL
            case Answer(value=Statement()):
                return STATEMENT
            case Answer(value=Collection() | ColumnsOf() | Rows()):
                return LIST
        return None


def _union(parts: Iterable[Kinds | None]) -> Kinds | None:
    found: set[Kind] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return frozenset(found)


def _any_sql(sides: Iterable[Kinds | None]) -> bool:
    return any(side == SQL for side in sides)


def _of_constant(value: object) -> Kinds:
    match value:
        case None:
            return NONE
        case bool():
            return BOOL
        case int() | float() | complex():
            return NUMBER
        case str():
            return TEXT
    return OTHER


def _of_builtin(name: str) -> Kinds | None:
    if name in _LISTS:
        return LIST
    if name in _NUMBERS:
        return NUMBER
    if name in _BOOLS:
        return BOOL
    return {"dict": DICT, "str": TEXT, "repr": TEXT}.get(name)


def _annotated(annotation: ast.expr | None) -> Kinds | None:
    """What an annotation says, None when it says nothing that is known."""
    node = unquoted(annotation) if annotation is not None else None
    match node:
        case ast.Constant(value=None):
            return NONE
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _union([_annotated(left), _annotated(right)])
        case ast.Subscript(value=wrapper, slice=inner) if last_name(wrapper) == "Optional":
            return _union([_annotated(inner), NONE])
        case ast.Subscript(value=wrapper, slice=ast.Tuple(elts=parts)) if last_name(wrapper) == "Union":
            return _union(_annotated(part) for part in parts)
        case ast.Subscript(value=wrapper):
            return _annotated(wrapper)
        case ast.Name() | ast.Attribute():
            return _ANNOTATED.get(last_name(node))
    return None
