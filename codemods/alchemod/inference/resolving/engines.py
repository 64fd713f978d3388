"""What engines, connections and `inspect()` give.

SQLAlchemy 1.4 to 2.1: "Working with Engines and Connections", "Reflecting Database Objects".
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from alchemod.inference.values import (
    Answer,
    Coroutine,
    Engine,
    LibraryObject,
    Managed,
    Place,
    Plain,
    Rows,
    Statement,
    Value,
    resting_on,
)

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver


def method(
    answer: Answer, engine: Engine, name: str, node: ast.Call, place: Place, resolver: Resolver
) -> Answer | None:
    """What calling a method of an engine or connection gives."""
    if name in {"execute", "exec_driver_sql"} and node.args:
        return _executed(answer, engine, node, place, resolver)
    connection = Engine(engine.is_async, is_connection=True)
    if engine.is_connection:
        if name in {"begin", "begin_nested", "begin_twophase"}:
            return answer.then(Managed(Plain()))
        return answer.then(engine) if name in {"execution_options", "connect"} else None
    if name in {"connect", "contextual_connect"}:
        return answer.then(connection)
    if name == "execution_options":
        return answer.then(engine)
    if name == "raw_connection" and not engine.is_async:
        return answer.then(LibraryObject("PoolProxiedConnection"))
    return answer.then(Managed(connection)) if name == "begin" else None


def _executed(answer: Answer, engine: Engine, node: ast.Call, place: Place, resolver: Resolver) -> Answer:
    """The result of a statement; its columns are not known where the statement is not."""
    found = resolver.value(node.args[0], place)
    statement = found.value if found is not None and isinstance(found.value, Statement) else _TEXT
    rows = Rows(statement, scalars=False, lazy=True)
    made: Value = Coroutine(rows) if engine.is_async else rows
    return resting_on(made, (answer, found)) if found is not None and statement is not _TEXT else answer.then(made)


_TEXT: Final = Statement("text", ())


def inspected(answer: Answer, subject: Answer | None) -> Answer | None:
    """What `inspect()` gives: an Inspector for an engine or connection (`sqlalchemy.inspect`)."""
    if subject is None or not isinstance(subject.value, Engine) or subject.value.is_async:
        return None
    return resting_on(LibraryObject("Inspector"), (answer, subject))
