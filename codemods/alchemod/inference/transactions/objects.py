"""Reads of mapped objects, which send SQL where the object has expired and raise while the session is unusable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from alchemod.inference.mapping.keys import is_primary
from alchemod.inference.transactions.work import Work
from alchemod.inference.values import Answer, ModelClass, Object

_DEFAULTS: Final = ("default", "server_default", "onupdate", "server_onupdate", "default_factory", "insert_default")
_CHANGING: Final = frozenset({"append", "extend", "insert", "add", "remove", "discard", "clear", "pop"})

if TYPE_CHECKING:
    from alchemod.inference.transactions.handlers import Failure


def reads_object(node: ast.Attribute, work: Work) -> bool:
    """Whether `node` reads (or sets) a mapped attribute of an object."""
    return _kind(node, work) in {"column", "column_property", "relationship", "composite"}


def sets_column(node: ast.Attribute, work: Work) -> bool:
    """Whether `node` sets a mapped attribute of an object, so that there is something to flush."""
    return isinstance(node.ctx, ast.Store) and reads_object(node, work)


def changes_collection(call: ast.Call, work: Work) -> bool:
    """Whether `call` puts something into a relationship of an object, or takes it out."""
    match call.func:
        case ast.Attribute(value=ast.Attribute() as collection, attr=name) if name in _CHANGING:
            return _kind(collection, work) == "relationship"
    return False


def is_made_by_database(node: ast.Attribute, work: Work) -> bool:
    """Whether `node` reads a primary key, or a column with a default: a flush gives it its value."""
    match work.value(node.value):
        case Answer(value=Object(of=ModelClass(model=model))):
            found = work.models.attribute(model, node.attr)
            if found is None or found.kind != "column":
                return False
            return is_primary(found) or any(found.keyword(name) is not None for name in _DEFAULTS)
    return False


def is_column(node: ast.Attribute, work: Work) -> bool:
    """Whether `node` reads a column of a mapped object."""
    return _kind(node, work) == "column"


def _kind(node: ast.Attribute, work: Work) -> str | None:
    match work.value(node.value):
        case Answer(value=Object(of=ModelClass(model=model))):
            found = work.models.attribute(model, node.attr)
            return found.kind if found is not None else None
    return None


def persistent_reads(failure: Failure) -> Iterator[ast.Attribute]:
    """The attributes of objects from the database that a handler reads before the session is usable again.

    Objects that the function made itself are left out: one that was never written is out of the session by then.
    """
    for mark in failure.before_clearing():
        if not isinstance(mark, ast.Attribute) or not isinstance(mark.ctx, ast.Load):
            continue
        if reads_object(mark, failure.work) and not failure.work.is_made_here(mark.value):
            yield mark
