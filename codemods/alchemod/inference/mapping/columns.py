"""How the type of a column compares with None, True and False.

`column == True` binds a parameter where the type is a TypeDecorator; it is `column == true()` only for the Boolean of
SQLAlchemy itself. `column == None` is `IS NULL` unless a type says otherwise, by `coerce_to_is_types` or by its own
comparator ("Custom Types"; verified by execution on SQLAlchemy 1.4 to 2.1).
"""

from __future__ import annotations

import ast
from typing import Literal

from alchemod.facts.attributes import Attribute
from alchemod.facts.lookup import Definition, External, Variable
from alchemod.facts.module import ClassFacts, Module, last_name
from alchemod.facts.project import Project
from alchemod.facts.tables import TableColumn

Comparison = Literal["boolean", "usual", "own"]
"""`boolean`: `== True` is `== true()`. `usual`: `== None` is `IS NULL`, as for `boolean`. `own`: neither is certain."""

_COLUMNS = frozenset({"Column", "mapped_column", "Field"})
_SCHEMA_ITEMS = frozenset(
    {"ForeignKey", "Sequence", "Identity", "Computed", "CheckConstraint", "FetchedValue", "DefaultClause"}
)
_OWN_COMPARISON = ("coerce_to_is_types", "comparator_factory", "Comparator")


def comparison(attribute: Attribute, project: Project) -> Comparison:
    """How the column behind a mapped attribute compares."""
    return _compares(attribute.call, attribute.annotation, attribute.owner.module, project)


def comparison_in_table(column: TableColumn, project: Project) -> Comparison:
    """How a column that is read from a table compares."""
    if column.attribute is not None:
        return comparison(column.attribute, project)
    return _compares(column.call, None, column.module, project) if column.call is not None else "own"


def _compares(call: ast.Call | None, annotation: ast.expr | None, module: Module, project: Project) -> Comparison:
    if call is not None:
        maker = project.lookup.expression(module, call.func)
        unpacked = any(keyword.arg is None for keyword in call.keywords)
        if not (isinstance(maker, External) and maker.canonical in _COLUMNS) or unpacked:
            return "own"
        given = type_argument(call)
        if given is not None:
            return _of_type(given, module, project)
        if any(keyword.arg in {"sa_column", "sa_column_args", "sa_column_kwargs"} for keyword in call.keywords):
            return "own"
    if any(name in facts.attributes for facts in project.classes() for name in _OWN_COMPARISON):
        return "own"
    return _of_annotation(annotation, module, project)


def type_argument(call: ast.Call) -> ast.expr | None:
    """The argument of `Column(...)` or `mapped_column(...)` that gives the type."""
    for keyword in call.keywords:
        if keyword.arg in {"type_", "sa_type"}:
            return keyword.value
    arguments = call.args
    if arguments and isinstance(arguments[0], ast.Constant):
        arguments = arguments[1:]
    if arguments and last_name(arguments[0]) not in _SCHEMA_ITEMS and last_name(call) != "Field":
        return arguments[0]
    return None


def _of_type(given: ast.expr, module: Module, project: Project, hops: int = 5) -> Comparison:
    if isinstance(given, ast.Call):
        if isinstance(given.func, ast.Attribute) and given.func.attr == "with_variant" and hops:
            inner = _of_type(given.func.value, module, project, hops - 1)
            return "own" if inner == "own" else "usual"
        given = given.func
    match project.lookup.expression(module, given):
        case External(canonical="Boolean" | "BOOLEAN"):
            return "boolean"
        case External(canonical=str()):
            return "usual"
        case ClassFacts() as facts:
            return _of_class(facts, project)
        case Variable(module=other, assigned=assigned, others=()) if isinstance(assigned.value, ast.Call) and hops:
            return _of_type(assigned.value, other, project, hops - 1)
    return "own"


def _of_class(facts: ClassFacts, project: Project) -> Comparison:
    stack: list[Definition | None] = [facts]
    while stack:
        match stack.pop():
            case ClassFacts() as current:
                inner = {name for name in _OWN_COMPARISON if f"{current.qualname}.{name}" in current.module.classes}
                if inner or any(name in current.attributes or name in current.methods for name in _OWN_COMPARISON):
                    return "own"
                stack.extend(project.lookup.expression(current.module, base) for base in current.bases)
            case External(canonical=str()):
                pass
            case _:
                return "own"
    return "usual"


def _of_annotation(annotation: ast.expr | None, module: Module, project: Project) -> Comparison:
    if annotation is None:
        return "usual" if project.mapped_annotations == frozenset() else "own"
    match annotation:
        case ast.Subscript(value=wrapper, slice=inner) if last_name(wrapper) in {"Mapped", "Optional"}:
            return _of_annotation(inner, module, project)
        case ast.Subscript(value=wrapper, slice=ast.Tuple(elts=[inner, *given])) if last_name(wrapper) == "Annotated":
            return _of_annotation(inner, module, project) if all(map(_gives_no_type, given)) else "own"
        case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
            return _of_annotation(inner, module, project)
        case ast.Name(id="bool" | "int" | "str" | "float" as name):
            mapped = project.mapped_annotations
            if mapped is None or name in mapped:
                return "own"
            return "boolean" if name == "bool" else "usual"
        case ast.Name() | ast.Attribute():
            mapped = project.mapped_annotations
            if mapped is None or last_name(annotation) in mapped:
                return "own"
            match project.lookup.expression(module, annotation):
                case Variable(module=other, assigned=assigned, others=()) if isinstance(assigned.value, ast.Subscript):
                    is_alias = last_name(assigned.value.value) == "Annotated"
                    return _of_annotation(assigned.value, other, project) if is_alias else "own"
                case Variable():
                    return "own"
            return "own" if mapped else "usual"
    return "own"


def _gives_no_type(given: ast.expr) -> bool:
    """Whether a part of `Annotated[...]` leaves the type of the column to the annotation."""
    match given:
        case ast.Constant():
            return True
        case ast.Call():
            return last_name(given) == "mapped_column" and type_argument(given) is None
    return False
