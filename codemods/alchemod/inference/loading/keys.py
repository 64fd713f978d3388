"""The primary key of a mapped class."""

from __future__ import annotations

import ast

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.module import last_name


def is_primary(column: Attribute) -> bool:
    """Whether a column is declared as (part of) the primary key."""
    value = column.keyword("primary_key")
    return isinstance(value, ast.Constant) and value.value is True


def is_composite(model: Model) -> bool:
    """Whether the primary key has several columns: `selectinload` then compares tuples, which not all databases can."""
    columns = [found for found in model.attributes.values() if found.kind == "column" and is_primary(found)]
    if len(columns) > 1:
        return True
    arguments = model.facts.attributes.get("__table_args__")
    if arguments is None or arguments.value is None:
        return False
    calls = (node for node in ast.walk(arguments.value) if isinstance(node, ast.Call))
    return any(last_name(call) == "PrimaryKeyConstraint" and len(call.args) > 1 for call in calls)
