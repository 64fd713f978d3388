"""Reads of mapped objects, which send SQL where the object has expired and raise while the session is unusable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.inference.transactions.work import Work
from alchemod.inference.values import Answer, ModelClass, Object

if TYPE_CHECKING:
    from alchemod.inference.transactions.handlers import Failure


def reads_object(node: ast.Attribute, work: Work) -> bool:
    """Whether `node` reads (or sets) a mapped attribute of an object."""
    return _kind(node, work) in {"column", "column_property", "relationship", "composite"}


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
