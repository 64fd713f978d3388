"""What comes out of containers, context managers and results: elements, parts, entered values."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from alchemod.inference.resolving.tables import column
from alchemod.inference.values import (
    Answer,
    Collection,
    ColumnsOf,
    Coroutine,
    Engine,
    FlaskDatabase,
    Generator,
    Managed,
    Method,
    ModelClass,
    Object,
    Parts,
    Plain,
    Row,
    Rows,
    Session,
    Statement,
    Term,
    Value,
    resting_on,
)


def entered(answer: Answer | None) -> Answer | None:
    """What `with` (or `async with`) binds for a context manager."""
    match answer:
        case Answer(value=Managed(inner=inner)):
            return answer.then(inner)
        case Answer(value=Session(scoped=False) | Engine(is_connection=True)):
            return answer
        case Answer(value=Coroutine(inner=inner)):
            return entered(answer.then(inner))
    return None


def element_of(answer: Answer | None) -> Answer | None:
    """What a loop over a value gives each turn."""
    if answer is None:
        return None
    element = _element(answer.value)
    return answer.then(element) if element is not None else None


def listed(answer: Answer) -> Answer | None:
    """What `list()` of a value gives, or another call that goes over all of it at once."""
    match answer.value:
        case Rows() as rows:
            return answer.then(replace(rows, lazy=False))
        case Collection() as collection:
            return answer.then(replace(collection, lazy=False))
    element = element_of(answer)
    return element.then(Collection(element.value)) if element is not None else None


def next_of(answer: Answer | None, name: str) -> Answer | None:
    """What `next()` of a value gives, or waiting for `anext()` of it."""
    element = element_of(answer) if name in {"next", "anext"} else None
    return element.then(Coroutine(element.value)) if element is not None and name == "anext" else element


def parts_of(elements: Sequence[ast.expr], values: Sequence[Answer | None]) -> Answer | None:
    """A tuple of different things; None when nothing is known of any of them."""
    blank = {index for index, one in enumerate(elements) if isinstance(one, ast.Constant) and one.value is None}
    is_known = bool(blank) or any(value is not None for value in values)
    return Answer(Parts(tuple(values), frozenset(blank))) if is_known else None


def _element(value: Value) -> Value | None:
    match value:
        case Collection(element=element) | Generator(inner=element):
            return element
        case Rows() as rows:
            return row_of(rows)
        case Statement(style="query") as statement:
            return row_of(Rows(statement, scalars=_yields_entities(statement), lazy=True))
    return None


def _yields_entities(statement: Statement) -> bool:
    """Whether a Query gives objects, not rows: its column list is one entity (Query API, `Query.__iter__`)."""
    return len(statement.terms) == 1 and statement.terms[0].kind == "entity"


def row_of(rows: Rows) -> Value | None:
    """One element of a result."""
    terms = rows.statement.terms
    if rows.mappings:
        return Plain()
    if rows.scalars:
        return _of_term(terms[0]) if terms else None
    if rows.statement.style == "query" and all(term.kind == "unknown" for term in terms):
        return None  # a Query for one entity gives objects
    return Row(rows.statement)


def _of_term(term: Term) -> Value | None:
    if term.kind == "entity" and term.entity is not None:
        return Object(ModelClass(term.entity.model))
    return Plain() if term.kind in {"column", "expression"} else None


def part_of(answer: Answer, index: ast.expr) -> Answer | None:
    """What `value[index]` gives: an element for an integer, the same kind of collection for a slice."""
    value = answer.value
    if isinstance(index, ast.Slice):
        match value:
            case Rows() | Collection():
                return answer
            case Statement(style="query"):
                return answer.then(Rows(value, _yields_entities(value), lazy=False))
        return None
    match value:
        case ColumnsOf(owner=table) if isinstance(index, ast.Constant) and isinstance(index.value, str):
            return answer.then(column(table, index.value))
        case Method(owner=FlaskDatabase(), name="engines"):
            return answer.then(Engine())
        case Row(statement=statement):
            position = index.value if isinstance(index, ast.Constant) else None
            if not isinstance(position, int) or not -len(statement.terms) <= position < len(statement.terms):
                return None
            part = _of_term(statement.terms[position])
            return answer.then(part) if part is not None else None
        case Plain():
            return answer
        case Parts(elements=elements):
            position = index.value if isinstance(index, ast.Constant) else None
            if not isinstance(position, int) or not -len(elements) <= position < len(elements):
                return None
            known = elements[position]
            return resting_on(known.value, (answer, known)) if known is not None else None
        case Rows() | Collection() | Statement():
            if isinstance(index, ast.Constant) and isinstance(index.value, str):
                return None
            return element_of(answer)
    return None
