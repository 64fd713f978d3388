"""What engines, connections and `inspect()` give.

SQLAlchemy 1.4 to 2.1: "Working with Engines and Connections", "Reflecting Database Objects".
"""

from __future__ import annotations

from alchemod.inference.values import Answer, Engine, LibraryObject, Managed, Plain, resting_on


def method(answer: Answer, engine: Engine, name: str) -> Answer | None:
    """What calling a method of an engine or connection gives."""
    connection = Engine(engine.is_async, is_connection=True)
    if engine.is_connection:
        if name in {"begin", "begin_nested", "begin_twophase"}:
            return answer.then(Managed(Plain()))
        return answer.then(engine) if name in {"execution_options", "connect"} else None
    if name in {"connect", "contextual_connect"}:
        return answer.then(connection)
    if name == "execution_options":
        return answer.then(engine)
    return answer.then(Managed(connection)) if name == "begin" else None


def inspected(answer: Answer, subject: Answer | None) -> Answer | None:
    """What `inspect()` gives: an Inspector for an engine or connection (`sqlalchemy.inspect`)."""
    if subject is None or not isinstance(subject.value, Engine) or subject.value.is_async:
        return None
    return resting_on(LibraryObject("Inspector"), (answer, subject))
