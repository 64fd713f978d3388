"""State of objects that the database no longer has: rows changed behind their backs, values computed from old ones.

SQLAlchemy 2.0, "ORM UPDATE / DELETE With Custom WHERE Criteria", "Selecting a Synchronization Strategy": with
`synchronize_session=False` objects in the session keep what they were loaded with until they expire.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alchemod.facts.attributes import Attribute
from alchemod.facts.mapper_arguments import may_have_mapper_argument
from alchemod.facts.model import Model
from alchemod.facts.module import last_name
from alchemod.inference.transactions.events import Event, EventKind
from alchemod.inference.transactions.order import Left, in_source_order
from alchemod.inference.transactions.work import Work
from alchemod.inference.values import Answer, ModelClass, Object, Statement

_RENEWING: Final[tuple[EventKind, ...]] = ("commit", "rollback", "close", "expire", "refresh", "expunge")
_LOCKING: Final = frozenset({"with_for_update", "with_lockmode"})
_NUMBERS: Final = frozenset(
    {
        *("Integer", "BigInteger", "SmallInteger", "Float", "Numeric", "Double", "INTEGER", "BIGINT", "SMALLINT"),
        *("DECIMAL", "NUMERIC", "FLOAT", "int", "float", "Decimal"),
    }
)


@dataclass(frozen=True, slots=True)
class StaleRead:
    """A read of an object behind a bulk write that did not synchronise it."""

    write: Event
    model: Model
    read: ast.Attribute
    loaded: ast.AST


def stale_read(call: ast.Call, work: Work) -> StaleRead | None:
    """The first read of a loaded object of the entity that `call` updates or deletes without synchronising."""
    event = next((one for one in work.at(call) if one.kind in {"write", "execute"}), None)
    model = _written_without_synchronising(call, work) if event is not None else None
    if event is None or model is None:
        return None
    until = [one.mark for one in work.of(event.session, _RENEWING)]
    until += [one.mark for one in work.of(event.session, ["lent"]) if isinstance(one.mark, Left) or one.may("expire")]
    after = work.order.after(call, until=until)
    before = work.order.before(call)
    for mark in in_source_order(after):
        if isinstance(mark, ast.Attribute) and isinstance(mark.ctx, ast.Load) and _of(mark, work) is model:
            made = work.followed(mark.value)
            loaded = made.value if isinstance(made, ast.Await) else made
            if isinstance(loaded, ast.Call) and loaded in before and loaded not in after:
                return StaleRead(event, model, mark, loaded)
    return None


def _written_without_synchronising(call: ast.Call, work: Work) -> Model | None:
    """The entity of a bulk update or delete with `synchronize_session=False`."""
    match call.func:
        case ast.Attribute(value=receiver, attr="update" | "delete") if _is_off(call):
            return _entity(work.value(receiver))
    if not call.args:
        return None
    statement = work.followed(call.args[0])
    given = (keyword.value for keyword in call.keywords if keyword.arg == "execution_options")
    off = any(_turned_off(value) for value in given) or any(
        isinstance(part, ast.Call) and last_name(part) == "execution_options" and _is_off(part)
        for part in ast.walk(statement)
    )
    answer = work.value(statement)
    if not off or answer is None or not isinstance(answer.value, Statement):
        return None
    return _entity(answer) if answer.value.style in {"update", "delete"} else None


def _entity(answer: Answer | None) -> Model | None:
    match answer:
        case Answer(value=Statement(terms=(term, *_))) if term.entity is not None:
            return term.entity.model
    return None


def _is_off(call: ast.Call) -> bool:
    return any(keyword.arg == "synchronize_session" and _is_false(keyword.value) for keyword in call.keywords)


def _turned_off(options: ast.expr) -> bool:
    match options:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return any(
                isinstance(key, ast.Constant) and key.value == "synchronize_session" and _is_false(value)
                for key, value in pairs
            )
        case ast.Call():
            return _is_off(options)
    return False


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


@dataclass(frozen=True, slots=True)
class LostUpdate:
    """A column that is set to a value computed from what was loaded; two at once lose one."""

    target: ast.Attribute
    model: Model
    loaded: ast.Call
    answer: Answer


def lost_update(statement: ast.Assign | ast.AugAssign, work: Work) -> LostUpdate | None:
    """The counter that `statement` sets from its own loaded value, without a lock or a version column."""
    target = _counter(statement)
    if target is None or not isinstance(target.value, ast.Name):
        return None
    model = _of(target, work)
    column = work.models.attribute(model, target.attr) if model is not None else None
    answer = work.value(target.value)
    if model is None or answer is None or column is None or column.kind != "column" or not is_number(column):
        return None
    loaded = work.followed(target.value)
    if isinstance(loaded, ast.Await):
        loaded = loaded.value
    if not isinstance(loaded, ast.Call) or may_have_mapper_argument(model, "version_id_col"):
        return None
    calls = [part for part in ast.walk(loaded) if isinstance(part, ast.Call)]
    if not any(one.kind in {"read", "execute"} for part in calls for one in work.at(part)):
        return None  # made here, or loaded by a function that may lock the row
    if any(last_name(part) in _LOCKING or any(one.arg in _LOCKING for one in part.keywords) for part in calls):
        return None
    return LostUpdate(target, model, loaded, answer)


def _counter(statement: ast.Assign | ast.AugAssign) -> ast.Attribute | None:
    """`o.n` in `o.n += x`, `o.n = o.n + x` and the same with minus."""
    match statement:
        case ast.AugAssign(target=ast.Attribute() as target, op=ast.Add() | ast.Sub()):
            return target
        case ast.Assign(targets=[ast.Attribute() as target], value=ast.BinOp(op=ast.Add() | ast.Sub()) as value):
            same = ast.unparse(target)
            if any(ast.unparse(side) == same for side in (value.left, value.right)):
                return target
    return None


def _of(node: ast.Attribute, work: Work) -> Model | None:
    """The class of the object whose attribute `node` is."""
    match work.value(node.value):
        case Answer(value=Object(of=ModelClass(model=model))):
            found = work.models.attribute(model, node.attr)
            return model if found is not None and found.kind in {"column", "relationship"} else None
    return None


def is_number(column: Attribute) -> bool:
    """Whether a column is declared with a type of numbers."""
    return any(name in _NUMBERS for name in _words(column))


def _words(column: Attribute) -> Iterator[str]:
    for part in (column.call, column.annotation):
        for node in ast.walk(part) if part is not None else ():
            if isinstance(node, (ast.Name, ast.Attribute)):
                yield last_name(node)
