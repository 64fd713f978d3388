"""The keywords of `filter_by()` as terms on the entity they speak of: what several rules write in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from alchemod.edits.verbs import Code, Verb, swap
from alchemod.inference.querying.filtering import term_template

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.inference.querying.filtering import FilteredEntity


def terms(call: ast.Call, filtered: FilteredEntity, code: str, ctx: Context) -> Iterator[Verb]:
    """The edits that turn each keyword of a call into a term on the entity, which is written `code`."""
    for keyword in call.keywords:
        assert keyword.arg is not None
        kind = ctx.key_kind(filtered.entity, keyword.arg) if filtered.entity is not None else "unknown"
        template = term_template(kind, keyword.value, _imported(filtered))
        yield swap(keyword, template, entity=Code(code), key=keyword.arg, value=keyword.value)


def keys_of(call: ast.Call) -> list[str]:
    """The names of the keywords of a call."""
    return [keyword.arg for keyword in call.keywords if keyword.arg is not None]


def _imported(filtered: FilteredEntity) -> str | None:
    return filtered.spelling.imported if filtered.spelling is not None else None


def code_of(filtered: FilteredEntity) -> str | None:
    """How the entity is written at the call, None when it is not known."""
    return filtered.spelling.code if filtered.spelling is not None else filtered.runtime


def verb_of(filtered: FilteredEntity) -> str:
    """The method to call instead: `filter` for a Query, `where` for the others, unless the chain uses the other one."""
    usual, other = ("filter", "where") if filtered.statement.style == "query" else ("where", "filter")
    return other if filtered.statement.has_step(other) and not filtered.statement.has_step(usual) else usual


def doubt(filtered: FilteredEntity) -> str | None:
    """Why the fix is not safe although the entity is known."""
    if filtered.runtime is not None:
        return filtered.missing
    if filtered.statement.outer and filtered.statement.joined is not None:
        return "after an outer join it drops the rows without a partner, which may not be meant"
    if filtered.statement.dynamic:
        return "the query starts at a dynamic relationship"
    imported = _imported(filtered)
    return f"{imported} has to be imported here" if imported else None
