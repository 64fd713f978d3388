"""Which mapped classes a criterion, or the value it is compared with, brings into the FROM list of its statement.

The columns in a WHERE clause add their tables to FROM, those in a subquery of it do not, and neither do ORDER BY,
GROUP BY and HAVING (`Select.get_final_froms`, verified by execution on SQLAlchemy 1.4 to 2.1).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.names.assigned import assigned
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.values import (
    Answer,
    Collection,
    ColumnObject,
    Exists,
    Expression,
    ModelAttribute,
    ModelClass,
    Outside,
    Place,
    Plain,
    Statement,
    TableObject,
)

_TAKING_CRITERIA: Final = frozenset({"filter", "where"})
_CONNECTING: Final = frozenset({"and_", "or_", "not_"})
_WITHIN_EXISTS: Final = frozenset({"any", "has"})
"""Methods of a relationship whose criterion stands inside of an EXISTS."""
_SUBQUERIES: Final = frozenset({"exists", "select", "union", "union_all", "with_parent"})
_PLAIN_ATTRIBUTES: Final = frozenset({"column", "relationship", "synonym", "composite"})


@dataclass(slots=True)
class Mentioned:
    """The classes that criteria speak of. `all_seen` is false when some part is not understood."""

    classes: set[ModelClass] = field(default_factory=set)
    all_seen: bool = True


def spoken_of(step: str, call: ast.Call, present: Set[ModelClass], place: Place, resolver: Resolver) -> Mentioned:
    """The classes that what a step of a statement is given, as `filter()`, speaks of outside of subqueries.

    `present` are the classes of the statement, of which the keywords of `filter_by()` are attributes.
    """
    are_criteria = step in _TAKING_CRITERIA
    found = Mentioned()
    if step == "filter_by":
        found.all_seen = all(_is_plain(keyword.arg, present, resolver) for keyword in call.keywords)
    pending = [(given, are_criteria) for given in (*call.args, *(keyword.value for keyword in call.keywords))]
    while pending:
        node, is_criterion = pending.pop()
        pending += _looked_at(node, is_criterion, place, resolver, found)
    return found


def _is_plain(key: str | None, present: Set[ModelClass], resolver: Resolver) -> bool:
    """Whether a keyword is an attribute that brings no other class with it."""
    models = resolver.project.models
    attributes = [models.attribute(cls.model, key) for cls in present] if key is not None else []
    kinds = {attribute.kind for attribute in attributes if attribute is not None}
    return bool(kinds) and kinds <= _PLAIN_ATTRIBUTES


def _looked_at(
    node: ast.expr, is_criterion: bool, place: Place, resolver: Resolver, found: Mentioned
) -> Iterator[tuple[ast.expr, bool]]:
    """Note what one expression says; yields the parts that have to be looked at too."""
    match node:
        case ast.Constant() | ast.JoinedStr() | ast.Lambda():
            return
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
            yield from ((left, is_criterion), (right, is_criterion))
        case ast.UnaryOp(operand=operand):
            yield operand, is_criterion
        case ast.Name() | ast.Attribute():
            yield from _name(node, is_criterion, place, resolver, found)
        case ast.Call():
            yield from _call(node, is_criterion, place, resolver, found)
        case ast.Starred():
            found.all_seen = False
        case _:
            yield from ((part, False) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))


def _name(
    node: ast.Name | ast.Attribute, is_criterion: bool, place: Place, resolver: Resolver, found: Mentioned
) -> Iterator[tuple[ast.expr, bool]]:
    match resolver.value(node, place):
        case Answer(value=ModelAttribute(owner=owner, attribute=attribute)):
            found.classes.add(owner)
            joins = is_criterion and attribute.kind == "relationship"
            found.all_seen &= attribute.kind in _PLAIN_ATTRIBUTES and not joins
        case Answer(value=ModelClass() as cls):
            found.classes.add(cls)
        case Answer(value=Expression(owners=owners, is_whole=is_whole)):
            found.classes.update(owners)
            found.all_seen &= is_whole
        case Answer(value=Statement() | Exists() | Plain() | Outside() | Collection()):
            pass
        case Answer(value=ColumnObject() | TableObject()):
            found.all_seen = False
        case None if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            found.all_seen &= node.value.attr not in {"c", "columns"}
        case None if (value := assigned(node, place)) is not None:
            yield value, is_criterion
        case None:
            found.all_seen &= not is_criterion


def _call(
    node: ast.Call, is_criterion: bool, place: Place, resolver: Resolver, found: Mentioned
) -> Iterator[tuple[ast.expr, bool]]:
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    name = last_name(node)
    match resolver.value(node, place):
        case Answer(value=Statement() | Exists() | Plain()):
            return
    if _is_subquery(node, place, resolver):
        return
    match node.func:
        case ast.Attribute(value=receiver) if name in _WITHIN_EXISTS:
            yield receiver, False
            return
        case ast.Attribute(value=receiver) if _is_expression(receiver, place, resolver):
            yield receiver, False
            yield from ((argument, False) for argument in arguments)
            return
    match resolver.value(node.func, place):
        case Answer(value=Outside()):
            connects = name in _CONNECTING
            yield from ((argument, is_criterion and connects) for argument in arguments)
        case _:
            found.all_seen &= not is_criterion
            yield from ((argument, False) for argument in arguments)


def _is_expression(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _is_expression(node.func.value, place, resolver) or _is_made(node, place, resolver)
    match resolver.value(node, place):
        case Answer(value=ModelAttribute() | Expression()):
            return True
    return _is_made(node, place, resolver)


def _is_made(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    match resolver.value(node.func, place) if isinstance(node, ast.Call) else None:
        case Answer(value=Outside(definition=definition)):
            return definition.canonical is not None
    return False


def _is_subquery(node: ast.expr, place: Place, resolver: Resolver) -> bool:
    """Whether a chain begins with a statement, or with `exists()`."""
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Call):
            match resolver.value(node.func, place):
                case Answer(value=Outside(definition=definition)) if definition.canonical in _SUBQUERIES:
                    return True
            node = node.func
        else:
            match resolver.value(node, place):
                case Answer(value=Statement()):
                    return True
            node = node.value
    return False
