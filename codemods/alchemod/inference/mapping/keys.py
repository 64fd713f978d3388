"""The primary key of a mapped class."""

from __future__ import annotations

import ast
from typing import Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.keys import refers
from alchemod.facts.model import Model
from alchemod.facts.module import last_name


def is_primary(column: Attribute) -> bool:
    """Whether a column is declared as (part of) the primary key."""
    value = column.keyword("primary_key")
    return isinstance(value, ast.Constant) and value.value is True


def primary_key(model: Model) -> str | None:
    """The attribute that is the primary key; None when it has several columns, or is not seen."""
    columns = [name for name, found in model.attributes.items() if found.kind == "column" and is_primary(found)]
    return columns[0] if len(columns) == 1 and not is_composite(model) else None


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


_EXACT: Final = frozenset(
    {
        "Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT", "SMALLINT", "int", "Uuid", "UUID", "GUID",
        "String", "Unicode", "Text", "VARCHAR", "CHAR", "str", "Date", "DateTime", "date", "datetime",
    }
)  # fmt: skip
"""Types, and Python types of `Mapped[...]`, whose values are equal in the database just when they are in Python."""


def inexact_key(relationship: Attribute | None, model: Model) -> str | None:
    """What of a relationship's keys may be equal in the database and not in Python, or the other way round."""
    if relationship is None:
        return None
    written = relationship.reverse_of or relationship
    if written.keyword("primaryjoin") is not None or written.keyword("secondaryjoin") is not None:
        return f"the join condition of {relationship.name}"
    for name, column in model.attributes.items():
        if column.kind == "column" and (is_primary(column) or refers(column)) and not _is_exact(column):
            return f"{model.name}.{name}"
    return None


def _is_exact(column: Attribute) -> bool:
    call = column.call
    if call is None or not call.args:
        return True
    for part in call.args:
        name = last_name(part)
        if name in {"ForeignKey", "Sequence", "Identity", "Computed", ""}:
            continue
        collated = isinstance(part, ast.Call) and any(keyword.arg == "collation" for keyword in part.keywords)
        return name in _EXACT and not collated
    return True
