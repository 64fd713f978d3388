"""What `filter_by()` of a Query becomes: itself where it means the same, else expressions on the entity it speaks of.

`Query.filter_by` looks in the last joined entity; so does `Select.filter_by` before SQLAlchemy 2.1, which looks in all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from alchemod.inference.querying.filtering import (
    FilteredEntity,
    filtered_entity,
    key_kind,
    looked_for_elsewhere,
    may_be_class,
    term_template,
)
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.resolving.statements import from_entities
from alchemod.inference.translation.changes import Change, Renamed, Replaced, Source, StepTranslation, UntranslatedError
from alchemod.inference.translation.web import Step
from alchemod.inference.values import Answer, ModelAttribute, Style, Term

_MOVING: Final = ("join", "outerjoin", "select_from", "with_entities", "reset_joinpoint")
"""Steps after which the keywords may speak of another entity than the first."""


def translated_keywords(step: Step, style: Style, resolver: Resolver) -> StepTranslation:
    """What becomes of a `filter_by()` whose Query becomes a `select`, `update` or `delete`.

    Raises UntranslatedError when the entity is needed and not known.
    """
    filtered = filtered_entity(step.call, step.place, resolver)
    if filtered is None:
        raise UntranslatedError("what filter_by() is called on is not known")
    if _means_the_same(filtered, step.call, style, resolver):
        return StepTranslation()
    imported = filtered.spelling.imported if filtered.spelling is not None else None
    doubt = f"{imported} has to be imported here" if imported else ""
    return StepTranslation(tuple(_expressions(filtered, step, resolver)), doubt)


def _means_the_same(filtered: FilteredEntity, call: ast.Call, style: Style, resolver: Resolver) -> bool:
    """Whether the method of the new statement looks for the keywords where that of Query does, in every version."""
    statement = filtered.statement
    if statement.lost or statement.has_step(*_MOVING) or from_entities(statement) > 1:
        return False
    first = statement.terms[0] if statement.terms else None
    if first is None or not all(_is_plain(term, filtered, resolver) for term in statement.terms):
        return False
    if first.kind == "column" and first.entity is not None and first.entity.cls.alias is not None:
        return False
    keys = [keyword.arg for keyword in call.keywords if keyword.arg is not None]
    new = replace(statement, style=style)
    return looked_for_elsewhere(replace(filtered, statement=new), keys, resolver) is None


def _is_plain(term: Term, filtered: FilteredEntity, resolver: Resolver) -> bool:
    """Whether an element of the column list is a class or one of its columns."""
    if term.kind == "entity":
        return True
    if term.kind == "unknown" and len(filtered.statement.terms) == 1:
        return term.node is not None and may_be_class(term.node)  # whatever it holds is the only class
    if term.kind != "column" or term.node is None or filtered.statement.place is None:
        return False
    match resolver.value(term.node, filtered.statement.place):
        case Answer(value=ModelAttribute(attribute=attribute)):
            return attribute.kind == "column"
    return False


def _is_of_expression(filtered: FilteredEntity, resolver: Resolver) -> bool:
    """Whether the class is known from an expression only that is made of mapped expressions or hybrids."""
    statement = filtered.statement
    first = statement.terms[0] if statement.terms else None
    if first is None or first.node is None or filtered.entity is not first.entity or statement.place is None:
        return False
    if first.kind != "expression":
        return False
    for node in ast.walk(first.node):
        if isinstance(node, ast.Attribute):
            match resolver.value(node, statement.place):
                case Answer(value=ModelAttribute(attribute=attribute)) if attribute.kind != "column":
                    return True
    return False


def _expressions(filtered: FilteredEntity, step: Step, resolver: Resolver) -> Iterator[Change]:
    path = step.place.module.path
    if any(keyword.arg is None for keyword in step.call.keywords):
        raise UntranslatedError(f"what filter_by({_shown(step.call)}) gets is not seen")
    if filtered.entity is None or filtered.spelling is None:
        raise UntranslatedError(filtered.missing or "the entity that filter_by() speaks of is not known")
    if _is_of_expression(filtered, resolver):
        raise UntranslatedError("a mapped expression comes first, of which filter_by() finds no class")
    if filtered.spelling.cycle:
        raise UntranslatedError(f"importing {filtered.spelling.code} here would close a circle of imports")
    yield Renamed(step.method, "where", path)
    for keyword in step.call.keywords:
        assert keyword.arg is not None
        kind = key_kind(filtered.entity, keyword.arg, resolver)
        if kind in {"property", "absent"}:
            raise UntranslatedError(f"{filtered.entity.model.name}.{keyword.arg} is not seen to be a mapped attribute")
        template = term_template(kind, keyword.value, filtered.spelling.imported)
        holes = {"entity": Source(filtered.spelling.code), "key": keyword.arg, "value": keyword.value}
        yield Replaced(keyword, template, path, holes)


def _shown(call: ast.Call) -> str:
    return ", ".join(ast.unparse(keyword) for keyword in call.keywords)
