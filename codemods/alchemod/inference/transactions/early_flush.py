"""Core statements that SQLAlchemy 2.1 sends after a flush, and 1.4 and 2.0 without one.

("What's New in SQLAlchemy 2.1", Session autoflush behavior simplified to be unconditional; verified by execution: the
execution option `autoflush` does not change it, `no_autoflush` does.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from alchemod.inference.transactions.events import Event, EventKind
from alchemod.inference.transactions.order import in_source_order
from alchemod.inference.transactions.work import Work
from alchemod.inference.values import Answer, ColumnObject, ModelAttribute, Outside, Statement, Term

_PENDING: Final[tuple[EventKind, ...]] = ("add",)
_SENT: Final[frozenset[EventKind]] = frozenset({"read", "execute", "write"})
_CORE_STYLES: Final = frozenset({"select", "update", "delete", "insert"})


def pending_before(call: ast.Call, work: Work) -> Event | None:
    """The `add()` whose object is still pending when `call` sends a statement that no mapped class stands in.

    None where something may have flushed before, and where autoflush is off.
    """
    sent = next((event for event in work.at(call) if event.kind in _SENT), None)
    if sent is None or not call.args or not _is_core(call.args[0], work) or _is_off(call, work):
        return None
    every = [event for event in work.of(sent.session) if event.kind not in _PENDING and event.mark is not call]
    until = [event.mark for event in every]
    for mark in in_source_order(event.mark for event in work.of(sent.session, _PENDING)):
        if isinstance(mark, ast.Call) and call in work.order.after(mark, until=until):
            return next(event for event in work.at(mark) if event.kind in _PENDING)
    return None


def _is_core(node: ast.expr, work: Work) -> bool:
    """Whether a statement speaks of no mapped class: a text, or one about tables."""
    made = work.followed(node)
    if isinstance(made, ast.Call):
        match work.value(made.func):
            case Answer(value=Outside(definition=definition)) if definition.canonical == "text":
                return True
    match work.value(node):
        case Answer(value=Statement(style=style) as statement) if style in _CORE_STYLES and statement.terms:
            entities = [statement.joined, statement.selected_from, *(term.entity for term in statement.terms)]
            return not any(entities) and not statement.lost and all(_is_of_table(one, work) for one in statement.terms)
    return False


def _is_of_table(term: Term, work: Work) -> bool:
    """Whether a column or expression is made of columns of tables, and of nothing that belongs to a class."""
    if term.kind != "unknown":
        return True
    inner = ast.walk(term.node) if term.node is not None else ()
    found = [work.value(one) for one in inner if isinstance(one, ast.Attribute | ast.Subscript)]
    values = [answer.value for answer in found if answer is not None]
    return any(isinstance(one, ColumnObject) for one in values) and not any(
        isinstance(one, ModelAttribute) for one in values
    )


def _is_off(call: ast.Call, work: Work) -> bool:
    """Whether a `no_autoflush` block stands around the call."""
    position = work.position(call)
    around: Iterable[ast.AST] = ast.walk(work.place.scope.node) if position is not None else ()
    for node in around:
        if isinstance(node, ast.With | ast.AsyncWith) and any(inner is call for inner in ast.walk(node)):
            managers = [item.context_expr for item in node.items]
            if any(isinstance(one, ast.Attribute) and one.attr == "no_autoflush" for one in managers):
                return True
    return False
