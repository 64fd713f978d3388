"""One value for two that may stand in the same place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alchemod.facts.tables import Table
from alchemod.inference.values import (
    Answer,
    Engine,
    ModelClass,
    Parts,
    Rows,
    Session,
    SessionFactory,
    Statement,
    TableObject,
    Value,
    resting_on,
)


def agreed(answers: Iterable[Answer | None]) -> Answer | None:
    """The one value that all answers give, None when one is unknown or they differ.

    An engine or connection is one, too, where what is given on other ways is unknown: what is done with it says that
    all ways give something of that kind.
    """
    found: list[Answer] = []
    is_whole = True
    for answer in answers:
        if answer is None:
            is_whole = False
        else:
            found.append(answer)
        if not is_whole and found and not isinstance(found[-1].value, Engine):
            return None
    if not found:
        return None
    value = found[0].value
    for answer in found[1:]:
        other = merged(value, answer.value)
        if other is None:
            return None
        value = other
    whole = resting_on(value, found)
    return whole if is_whole else whole.weakened("the engine or connection may be something else on other ways")


def merged(first: Value, second: Value) -> Value | None:
    """One value for two that may stand in the same place, None when they differ.

    A statement grown on one branch and not on the other keeps its entity when both agree on it.
    """
    if first == second:
        return first
    match first, second:
        case Statement() as one, Statement() as other:
            return _merged_statements(one, other)
        case Rows() as one, Rows() as other if (one.scalars, one.mappings) == (other.scalars, other.mappings):
            statement = _merged_statements(one.statement, other.statement)
            return replace(one, statement=statement, lazy=one.lazy or other.lazy) if statement is not None else None
        case Session() as one, Session() as other if (one.is_async, one.scoped) == (
            other.is_async,
            other.scoped,
        ):
            return replace(one, factory=None)
        case Parts() as one, Parts() as other if len(one.elements) == len(other.elements):
            return _merged_parts(one, other)
        case SessionFactory() as one, SessionFactory() as other if (one.kind, one.is_async) == (
            other.kind,
            other.is_async,
        ):
            return _merged_factories(one, other)
        case TableObject(table=one, alias=None), TableObject(table=other, alias=None) if _is_blank(one, other):
            return first
    return None


def _merged_parts(one: Parts, other: Parts) -> Parts:
    elements = list(one.elements)
    for index, (first, second) in enumerate(zip(one.elements, other.elements, strict=True)):
        if index in one.blank:
            elements[index] = second
        elif index not in other.blank:
            elements[index] = agreed((first, second))
    return Parts(tuple(elements), one.blank & other.blank)


def _merged_factories(one: SessionFactory, other: SessionFactory) -> SessionFactory:
    """A factory of which only what both are is known; its sessions expire on commit where those of either do."""
    return replace(
        one,
        expire_on_commit=one.expire_on_commit or other.expire_on_commit,
        query_class=one.query_class or other.query_class,
        reopens=one.reopens and other.reopens,
        shares_connection=one.shares_connection or other.shares_connection,
        is_read=one.is_read and other.is_read and one.expire_on_commit == other.expire_on_commit,
        overrides=one.overrides | other.overrides,
    )


def _is_blank(*tables: Table) -> bool:
    """Whether nothing is known of tables but that they are some."""
    return not any(table.name or table.columns for table in tables)


def _merged_statements(one: Statement, other: Statement) -> Statement | None:
    if one.style != other.style or len(one.terms) != len(other.terms):
        return None
    if any(
        _identity(a.entity) != _identity(b.entity) or a.kind != b.kind
        for a, b in zip(one.terms, other.terms, strict=True)
    ):
        return None
    same = _identity(one.joined) == _identity(other.joined) and _identity(one.selected_from) == _identity(
        other.selected_from
    )
    longer = one if len(one.steps) >= len(other.steps) else other
    return replace(
        longer,
        lost=one.lost or other.lost or ("" if same else "branch"),
        outer=one.outer or other.outer,
        steps=tuple(dict.fromkeys((*one.steps, *other.steps))),
        custom_class=one.custom_class or other.custom_class,
        session=one.session if one.session == other.session else None,
    )


def _identity(entity: object) -> object:
    cls = getattr(entity, "cls", None)
    return (cls.model, cls.alias) if isinstance(cls, ModelClass) else None
