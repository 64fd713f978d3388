"""Session factories and sessions: who makes them, of what kind, and what their methods give.

SQLAlchemy 1.4 to 2.1: "Using the Session", "Contextual/Thread-local Sessions", "Asynchronous I/O (asyncio)".
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from alchemod.facts.module import ClassFacts, last_name
from alchemod.inference.resolving import statements
from alchemod.inference.resolving.containers import row_of
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Coroutine,
    Engine,
    Managed,
    ModelClass,
    Object,
    Outside,
    Place,
    Plain,
    Rows,
    Session,
    SessionFactory,
    Statement,
    Value,
    resting_on,
)

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

MAKERS = frozenset({"sessionmaker", "async_sessionmaker"})
SCOPED_MAKERS = frozenset({"scoped_session", "async_scoped_session"})
_OWN_LIFE = ("__enter__", "__exit__", "__aenter__", "__aexit__", "close")
ROW_METHODS = ("query", "execute", "scalars", "scalar", "get")
"""Methods that ask for rows; those of a class of its own may do more, or ask for others."""


def unseen(name: str) -> SessionFactory:
    """The factory that something annotated by `name` is, of which nothing else is seen."""
    reason = "what class the sessions of the factory have is not seen"
    return SessionFactory("unknown", name == "async_sessionmaker", name, reason, is_read=False)


def made_by(maker: Outside, call: ast.Call, place: Place, resolver: Resolver) -> Value | None:
    """What calling `sessionmaker`, `scoped_session`, `Session` and the like gives.

    What the factory of a module is bound to, and is not seen, is taken for an engine: no connection stays open for as
    long as the program runs.
    """
    name = maker.canonical
    if name in MAKERS:
        return _factory(call, place, resolver, is_async=name == "async_sessionmaker")
    if name in SCOPED_MAKERS:
        return _registry(call, place, resolver, is_async=name == "async_scoped_session")
    if name == "create_session":
        reason = "create_session() has defaults of its own, and makes a session in autocommit mode in SQLAlchemy 1.4"
        factory = _with_keywords(SessionFactory("unknown", False, name, reason), call)
        expires = any(keyword.arg == "expire_on_commit" for keyword in call.keywords) and factory.expire_on_commit
        return Session(factory=replace(factory, expire_on_commit=expires))
    if name in {"Session", "AsyncSession"}:
        is_async = name == "AsyncSession"
        factory = SessionFactory("plain", is_async, ast.unparse(call.func))
        factory = bound(factory, call, place, resolver)
        return Session(is_async, factory=_with_keywords(factory, call))
    return None


def _registry(call: ast.Call, place: Place, resolver: Resolver, *, is_async: bool) -> SessionFactory:
    made = SessionFactory("scoped", is_async, ast.unparse(call.func), "it is a scoped_session", is_read=False)
    inner = resolver.value(call.args[0], place) if call.args else None
    if inner is None or not isinstance(inner.value, SessionFactory):
        return made
    return replace(made, expire_on_commit=inner.value.expire_on_commit, is_read=inner.value.is_read)


def bound(factory: SessionFactory, call: ast.Call, place: Place, resolver: Resolver) -> SessionFactory:
    """The factory with what a call says of the bind of the session it opens, or of those that it is to open.

    A session on a connection that somebody else opened, such as a migration's `op.get_bind()`, takes part in that one's
    transaction ("Joining a Session into an External Transaction").
    """
    bind = _bind(call) or (call.args[0] if call.args else None)
    return factory if bind is None or factory.kind != "plain" else _on(factory, bind, place, resolver)


def configured(factory: SessionFactory, call: ast.Call, place: Place, resolver: Resolver) -> SessionFactory:
    """The factory that `call` opens a session with, as the file of the call configures it.

    A bind that is not seen counts where the same function gives it: other functions set the program up, with an engine.
    """
    root = place.scope.root
    if call.args or _bind(call) is not None or factory.kind != "plain":
        return factory
    if b".configure(" not in resolver.project.source(place.module.path).utf8:
        return factory
    for node in ast.walk(root.node):
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr="configure")) if (bind := _bind(node)) is not None:
                inside = Place(place.module, root.innermost(bind))
                made = _on(factory, bind, inside, resolver)
                is_near = enclosing_function(inside.scope) is enclosing_function(place.scope)
                if last_name(receiver) == last_name(call.func) and (is_near or made.shares_connection):
                    factory = made if made.kind != "plain" else factory
    return factory


def _bind(call: ast.Call) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == "bind"), None)


def _on(factory: SessionFactory, bind: ast.expr, place: Place, resolver: Resolver) -> SessionFactory:
    """The factory with sessions that run on what `bind` is."""
    match resolver.value(bind, place):
        case Answer(value=Engine(is_connection=False)):
            return factory
        case Answer(value=Engine()):
            reason = "it runs on a connection opened elsewhere"
            return replace(factory, kind="unknown", reason=reason, shares_connection=True)
    reason = f"whether {ast.unparse(bind)} is an engine or a connection is not known"
    return replace(factory, kind="unknown", reason=reason)


def _factory(call: ast.Call, place: Place, resolver: Resolver, *, is_async: bool) -> SessionFactory:
    name = ast.unparse(call.func)
    class_node = next((keyword.value for keyword in call.keywords if keyword.arg == "class_"), None)
    if is_async and len(call.args) > 1:
        class_node = class_node or call.args[1]
    factory = SessionFactory("plain", is_async, name)
    if class_node is not None:
        answer = resolver.value(class_node, place)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.canonical in {
                "Session",
                "AsyncSession",
            }:
                factory = SessionFactory("plain", definition.canonical == "AsyncSession", name)
            case Answer(value=ClassObject(facts=facts)):
                factory = of_class(facts, resolver) or SessionFactory(
                    "unknown", is_async, name, "its class is not known"
                )
            case _:
                factory = SessionFactory("unknown", is_async, name, "its class is not known")
    made = _with_keywords(factory, call)
    on_bind = bound(made, call, place, resolver)
    return made if enclosing_function(place.scope) is None and not on_bind.shares_connection else on_bind


def _with_keywords(factory: SessionFactory, call: ast.Call) -> SessionFactory:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    unread = None in keywords
    if unread and factory.kind == "plain":
        factory = replace(factory, kind="unknown", reason="its keywords cannot be read")
    return replace(
        factory,
        expire_on_commit=not _is_false(keywords.get("expire_on_commit")),
        query_class=unread or "query_cls" in keywords,
        reopens=not _is_false(keywords.get("close_resets_only")),
    )


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def of_class(facts: ClassFacts, resolver: Resolver) -> SessionFactory | None:
    """The factory that a session class of the project is; None when the class is no session."""
    lookup = resolver.project.lookup
    is_async = lookup.reaches(facts, "AsyncSession")
    if not is_async and not lookup.reaches(facts, "Session"):
        return None
    stack = [facts]
    overrides: set[str] = set()
    while stack:
        current = stack.pop()
        overrides.update(name for name in ROW_METHODS if name in current.methods)
        own = [name for name in _OWN_LIFE if name in current.methods]
        if own:
            reason = f"{current.name} has its own {own[0]}()"
            return SessionFactory("committing", is_async, facts.name, reason)
        for base in current.bases:
            definition = lookup.base(current.module, base)
            if isinstance(definition, ClassFacts):
                stack.append(definition)
            elif definition is None or not getattr(definition, "canonical", None):
                return SessionFactory("unknown", is_async, facts.name, "a base of its class is not known")
    return SessionFactory("plain", is_async, facts.name, overrides=frozenset(overrides))


def opened(factory: SessionFactory) -> Session:
    """The session a factory makes."""
    return Session(factory.is_async, factory.kind == "scoped", factory)


def as_session(answer: Answer | None) -> Answer | None:
    """The answer for what is asked like a session: a `scoped_session` hands the methods of its session on."""
    match answer:
        case Answer(value=SessionFactory(kind="scoped") as registry):
            return answer.then(opened(registry))
    return answer


def method(answer: Answer, name: str, call: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    """What calling a method of a session gives."""
    session = answer.value
    assert isinstance(session, Session)
    if name == "query" and not session.is_async:
        return query(answer, call, place, resolver)
    result = _result(answer, name, call, place, resolver)
    if result is not None and session.is_async:
        return result.then(Coroutine(result.value))
    if result is not None:
        return result
    match name:
        case "begin" | "begin_nested":
            return answer.then(Managed(Plain()))
        case "connection":
            connection = Engine(session.is_async, is_connection=True)
            return answer.then(Coroutine(connection) if session.is_async else connection)
        case "get_bind":
            return answer.weakened("a session may be bound to an engine or to a connection").then(Engine())
        case "no_autoflush":
            return answer.then(Managed(Plain()))
    return None


def _result(answer: Answer, name: str, call: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    match name:
        case "execute" | "scalars" | "exec" | "stream" | "stream_scalars":
            statement = resolver.value(call.args[0], place) if call.args else None
            if name == "execute" and statement is None and call.args:
                return answer.then(Rows(Statement("text", ()), scalars=False, lazy=True))
            if statement is None or not isinstance(statement.value, Statement):
                return None
            scalars = name in {"scalars", "stream_scalars"} or (name == "exec" and len(statement.value.terms) == 1)
            rows = Rows(statement.value, scalars, lazy=True)
            return resting_on(rows, (answer, statement))
        case "scalar":
            statement = resolver.value(call.args[0], place) if call.args else None
            if statement is None or not isinstance(statement.value, Statement):
                return None
            element = row_of(Rows(statement.value, scalars=True, lazy=False))
            return resting_on(element, (answer, statement)) if element is not None else None
        case "get" | "get_one" | "merge":
            entity = resolver.value(call.args[0], place) if call.args else None
            match entity:
                case Answer(value=ModelClass(model=model)) if name != "merge":
                    return resting_on(Object(ModelClass(model)), (answer, entity))
                case Answer(value=Object()) if name == "merge":
                    return resting_on(entity.value, (answer, entity))
    return None


def query(answer: Answer, call: ast.Call, place: Place, resolver: Resolver) -> Answer | None:
    """The Query that `session.query(...)` gives."""
    if any(isinstance(argument, ast.Starred) for argument in call.args) or not call.args:
        return None
    session = answer.value if isinstance(answer.value, Session) else None
    found = [resolver.value(argument, place) for argument in call.args]
    terms = statements.begin(found, call.args, place)
    statement = Statement("query", terms, session=session, node=call, place=place)
    return resting_on(statement, (answer, *(part for part in found if part is not None)))
