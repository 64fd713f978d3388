"""Reads of mapped objects, which send SQL where the object has expired."""

from __future__ import annotations

import ast

from alchemod.inference.transactions.work import Work
from alchemod.inference.values import Answer, ModelClass, Object


def reads_object(node: ast.Attribute, work: Work) -> bool:
    """Whether `node` reads (or sets) a mapped attribute of an object."""
    match work.value(node.value):
        case Answer(value=Object(of=ModelClass(model=model))):
            found = work.models.attribute(model, node.attr)
            return found is not None and found.kind in {"column", "column_property", "relationship", "composite"}
    return False
