"""What an annotation says of a value: `Session`, `User`, `list[User]`, `Annotated[Session, Depends(f)]`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from alchemod.facts.lookup import Variable
from alchemod.facts.module import Assigned, last_name
from alchemod.inference.resolving import calls, sessions
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Collection,
    Engine,
    Generator,
    Managed,
    ModelClass,
    Object,
    Outside,
    Place,
    Plain,
    Session,
    SessionFactory,
    Value,
)

if TYPE_CHECKING:
    from alchemod.inference.resolving.resolver import Resolver

_SEQUENCES = frozenset({"list", "List", "Sequence", "Iterable", "Collection", "set", "Set", "FrozenSet", "frozenset"})
_GENERATORS = frozenset({"Generator", "Iterator", "AsyncGenerator", "AsyncIterator"})
_MANAGERS = frozenset(
    {"ContextManager", "AbstractContextManager", "AsyncContextManager", "AbstractAsyncContextManager"}
)
_WRAPPERS = frozenset({"Optional", "ClassVar", "Final", "Required", "NotRequired", "Type", "type"})
_PLAIN = frozenset({"str", "int", "float", "bool", "bytes", "datetime", "date", "Decimal", "UUID", "dict", "Dict"})


def annotated(annotation: ast.expr, place: Place, resolver: Resolver) -> Answer | None:
    """The value of something annotated so, None when the annotation says nothing the analysis knows."""
    node = unquoted(annotation)
    if node is None:
        return None
    match node:
        case ast.Subscript(value=wrapper, slice=inner) if last_name(wrapper) == "Annotated":
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            answer = annotated(parts[0], place, resolver)
            if answer is not None:
                return answer
            provided = (calls.default(part, place, resolver) for part in parts[1:])
            return next((found for found in provided if found is not None), None)
        case ast.Subscript(value=maker) if last_name(maker) in sessions.MAKERS:
            return annotated(maker, place, resolver)
        case ast.Subscript(value=wrapper, slice=inner):
            return _subscripted(last_name(wrapper), inner, place, resolver)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _either(left, right, place, resolver)
    if (alias := _alias(node, place, resolver)) is not None:
        named, where = alias
        return resolver.recall.ask(("annotated", named), lambda: annotated(named, where, resolver))
    answer = resolver.value(node, place)
    if answer is None:
        return Answer(Plain()) if last_name(node) in _PLAIN else None
    if isinstance(answer.value, SessionFactory):
        # `db: SessionLocal` names what makes the session in the place of its class.
        made = answer.then(sessions.opened(answer.value), f"annotated {ast.unparse(node)}")
        return made.weakened(f"{ast.unparse(node)} is a factory, not a class")
    value = _instance(answer.value, resolver)
    return answer.then(value, f"annotated {ast.unparse(node)}") if value is not None else None


def _alias(node: ast.expr, place: Place, resolver: Resolver) -> tuple[ast.expr, Place] | None:
    """What a name stands for that is assigned a type at module level: `SessionDep = Annotated[...]`."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    owner = place.scope.owner(root.id) if isinstance(root, ast.Name) else None
    if owner is not None and owner.parent is not None:
        return None
    match resolver.project.lookup.expression(place.module, node):
        case Variable(module=module, assigned=Assigned(value=ast.Subscript() | ast.BinOp() as value), others=()):
            top = resolver.module_place(module)
            return (value, top) if top is not None else None
    return None


def _subscripted(wrapper: str, inner: ast.expr, place: Place, resolver: Resolver) -> Answer | None:
    first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
    if wrapper == "Union" and isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
        return _either(inner.elts[0], inner.elts[1], place, resolver)
    if wrapper in {"Type", "type"}:
        answer = resolver.value(first, place)
        return answer if answer is not None and isinstance(answer.value, ModelClass | ClassObject) else None
    answer = annotated(first, place, resolver)
    if answer is None:
        return None
    if wrapper in _WRAPPERS:
        return answer
    if wrapper in _SEQUENCES:
        return answer.then(Collection(answer.value))
    if wrapper in _GENERATORS:
        return answer.then(Generator(answer.value))
    if wrapper in _MANAGERS:
        return answer.then(Managed(answer.value))
    return answer if wrapper == "scoped_session" else None


def _either(left: ast.expr, right: ast.expr, place: Place, resolver: Resolver) -> Answer | None:
    for one, other in ((left, right), (right, left)):
        if isinstance(other, ast.Constant) and other.value is None:
            return annotated(one, place, resolver)
    return None


def _instance(cls: Value, resolver: Resolver) -> Value | None:
    match cls:
        case Outside(definition=definition):
            match definition.canonical:
                case "Session":
                    return Session()
                case "AsyncSession":
                    return Session(is_async=True)
                case "scoped_session":
                    return Session(scoped=True)
                case "async_scoped_session":
                    return Session(is_async=True, scoped=True)
                case "sessionmaker" | "async_sessionmaker" as name:
                    return sessions.unseen(name)
                case "Engine" | "Connection":
                    return Engine(is_connection=definition.canonical == "Connection")
                case "AsyncEngine" | "AsyncConnection":
                    return Engine(is_async=True, is_connection=definition.canonical == "AsyncConnection")
            return Plain() if definition.name.rpartition(".")[2] in _PLAIN else None
        case ModelClass():
            return Object(cls)
        case ClassObject(facts=facts):
            factory = sessions.of_class(facts, resolver)
            return sessions.opened(factory) if factory is not None else Object(cls)
    return None


def unquoted(annotation: ast.expr) -> ast.expr | None:
    """The expression of an annotation, string annotations opened; None when the string is no expression.

    The nodes of a string get its position: its names mean what they mean there ("Postponed evaluation of annotations").
    """
    if not isinstance(annotation, ast.Constant):
        return annotation
    if not isinstance(annotation.value, str):
        return None
    kept: dict[str, ast.expr | None] = annotation.__dict__
    if _OPENED not in kept:
        kept[_OPENED] = _opened(annotation, annotation.value)
    return kept[_OPENED]


def _opened(annotation: ast.Constant, text: str) -> ast.expr | None:
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for part in ast.walk(node):
        ast.copy_location(part, annotation)
    return node


_OPENED = "_alchemod_opened"
