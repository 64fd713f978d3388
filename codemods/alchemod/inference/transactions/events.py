"""What happens to the sessions of a function: which call, `with` or loop does what to which session.

SQLAlchemy 2.0, "Transactions and Connection Management": a session begins a transaction when it first sends SQL or
takes in an object, and the next commit, rollback or close ends it (1.4 to 2.1 alike, verified by execution).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Final, Literal, TypeAlias

from alchemod.inference.control.reaching import definitions
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.summaries.vocabulary import DeedKind, Deeds, Treatment
from alchemod.inference.transactions.order import Left, Mark
from alchemod.inference.transactions.sending import EXECUTING, WRITING, sends
from alchemod.inference.transactions.sessions import SessionOrigins, WorkingSession
from alchemod.inference.values import Answer, ModelClass, Place, Rows, Statement

EventKind: TypeAlias = Literal[
    "read", "execute", "add", "write", "flush", "commit", "rollback", "begin", "savepoint", "release", "undo", "close",
    "expire", "refresh", "expunge", "enter", "lent", "other",
]  # fmt: skip
"""What happens. `execute` sends a statement that is not known to read or write; `savepoint` is `begin_nested()`,
`release` and `undo` are the commit and the rollback of one; `lent`: a callee gets the session, or may reach it."""

BEGINNING: Final[frozenset[EventKind]] = frozenset(["read", "execute", "add", "write", "begin", "savepoint", "refresh"])
"""What begins a transaction where none is begun."""
ENDING: Final[tuple[Literal["commit"], Literal["rollback"], Literal["close"]]] = ("commit", "rollback", "close")
"""What ends the transaction."""
SENDING: Final[frozenset[EventKind]] = frozenset(["read", "execute", "write", "flush", "refresh", "savepoint", "add"])
"""Work that needs a transaction."""

_KINDS: Final[dict[str, EventKind]] = {
    "close": "close", "commit": "commit", "rollback": "rollback", "flush": "flush", "write": "write", "add": "add",
    "merge": "add", "expire": "expire", "refresh": "refresh", "expunge": "expunge", "read": "read", "enter": "enter",
}  # fmt: skip
_Begun: TypeAlias = Literal["begin", "begin_nested", "other"]
_OF_TRANSACTION: Final[dict[tuple[_Begun, str], EventKind]] = {
    ("begin", "commit"): "commit",
    ("begin", "rollback"): "rollback",
    ("begin", "close"): "rollback",
    ("begin_nested", "commit"): "release",
    ("begin_nested", "rollback"): "undo",
    ("begin_nested", "close"): "undo",
}
_ANY: Final = frozenset({"unseen", "callback"})
_FOLLOWED: Final = frozenset({"assignment", "annotation", "walrus", "with"})
_STATEMENT_METHODS: Final = frozenset({"execute", "exec", "scalar", "scalars", "stream", "stream_scalars"})


class Lending:
    """What code that gets a session does with it, looked at when it is first asked for."""

    def __init__(self, look: Callable[[], Treatment | Deeds]) -> None:
        self._look: Final = look

    @cached_property
    def found(self) -> Treatment | Deeds:
        """What a callee does with an argument, or what is done to any session."""
        return self._look()

    def may(self, kinds: Iterable[str]) -> bool:
        """Whether one of these may be done."""
        found, wanted = self.found, frozenset(kinds)
        if not isinstance(found, Treatment):
            return any(deed.kind in wanted or deed.kind in _ANY for deed in found)
        closes = "close" in wanted and found.closes != "no"
        return closes or found.kept == "unknown" or not found.effects.isdisjoint(wanted)

    @property
    def commits(self) -> bool:
        """Whether a callee that is seen whole commits the session it gets, and never rolls it back."""
        found = self.found
        if not isinstance(found, Treatment) or not found.lets_go:
            return False
        return found.effects & {"commit", "rollback"} == {"commit"}

    @property
    def surely_writes(self) -> bool:
        """Whether something is added, changed or deleted on every normal way."""
        return isinstance(self.found, Treatment) and "write" in self.found.surely

    @property
    def keeps(self) -> bool:
        """Whether the session may be kept, or is not seen any more."""
        return not isinstance(self.found, Treatment) or not self.found.lets_go


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a session at a mark.

    `lending` tells what a callee does with a session that is `lent`, or what the end of a block that another function
    made does to it.
    """

    mark: Mark
    session: WorkingSession
    kind: EventKind
    lending: Lending | None = field(default=None, compare=False)

    def may(self, *kinds: DeedKind) -> bool:
        """Whether the event is, or a callee may do, one of these."""
        return self.kind in kinds or (self.lending is not None and self.lending.may(kinds))

    @property
    def writes(self) -> bool:
        """Whether a callee may add, change or delete something."""
        return self.lending is not None and self.lending.may(("write",))

    @property
    def node(self) -> ast.AST:
        """The node where it happens."""
        if isinstance(self.mark, Left):
            return self.mark.item.context_expr
        assert isinstance(self.mark, ast.AST)
        return self.mark


class Events:
    """Reads the events off the marks of one function (or module body), whose inside is `place`."""

    def __init__(self, place: Place, origins: SessionOrigins, resolver: Resolver, summaries: Summaries) -> None:
        self._root: Final = place
        self._origins: Final = origins
        self._resolver: Final = resolver
        self._summaries: Final = summaries

    def at(self, mark: Mark) -> list[Event]:
        """What happens at a mark, session by session."""
        match mark:
            case ast.Call():
                return list(self._of_call(mark))
            case ast.For(iter=source) | ast.AsyncFor(iter=source) | ast.comprehension(iter=source):
                return list(self._of_iteration(mark, source))
            case ast.withitem():
                return list(self._of_entering(mark))
            case Left():
                return list(self._of_leaving(mark))
        return []

    def session(self, node: ast.expr) -> WorkingSession | None:
        """The session that an expression of the function stands for."""
        return self._origins.session(node, self._place(node))

    def entered(self, item: ast.withitem) -> WorkingSession | None:
        """The session that a `with` item opens or takes over."""
        return self._origins.entered(item, self._place(item.context_expr))

    def transaction(self, node: ast.expr) -> tuple[WorkingSession, ast.Call] | None:
        """The session whose `begin()` or `begin_nested()`, and the call of it, gave the transaction in `node`."""
        match self.followed(node):
            case ast.Call(func=ast.Attribute(value=receiver, attr="begin" | "begin_nested")) as call:
                session = self.session(receiver)
                return (session, call) if session is not None else None
        return None

    def _of_call(self, call: ast.Call) -> Iterator[Event]:
        match call.func:
            case ast.Attribute(value=receiver, attr=name) if name in SESSION_METHODS or name in {"remove", "aclose"}:
                session = self.session(receiver)
                if session is not None:
                    yield from self._of_method(call, name, session)
                    return
                if name in {"commit", "rollback", "close"} and (begun := self.transaction(receiver)) is not None:
                    yield Event(call, begun[0], _OF_TRANSACTION.get((_begun(begun[1]), name), "other"))
                    return
                if name in {"close", "aclose"} and (given := self._given_by(receiver)) is not None:
                    yield Event(call, given, "close")
                    return
        match call.func:
            case ast.Attribute(value=receiver, attr=name) if name in EXECUTING:
                asked = self._asked(receiver)
                if asked is not None:
                    yield Event(call, asked, "write" if name in WRITING else "read")
                    return
        yield from self._of_callee(call)

    def _given_by(self, generator: ast.expr) -> WorkingSession | None:
        """The session that `next()` took from a generator, whose `close()` runs what closes it."""
        if not isinstance(generator, ast.Name):
            return None
        for bindings in self._root.scope.bindings.values():
            for binding in bindings:
                taken = binding.value.value if isinstance(binding.value, ast.Await) else binding.value
                match taken:
                    case ast.Call(func=ast.Name(id="next" | "anext"), args=[ast.Name(id=name), *_]):
                        if name == generator.id:
                            return self.session(taken)
        return None

    def _of_method(self, call: ast.Call, name: str, session: WorkingSession) -> Iterator[Event]:
        if name == "query":
            return
        if name in {"begin", "begin_nested"}:
            kinds: dict[_Begun, EventKind] = {"begin": "begin", "begin_nested": "savepoint", "other": "other"}
            yield Event(call, session, kinds[_begun(call)])
        elif name == "remove":
            yield Event(call, session, "close")
        elif name in _STATEMENT_METHODS:
            yield Event(call, session, sends(call, self._place(call), self._resolver))
        elif (kind := _KINDS.get(SESSION_METHODS[name])) is not None:
            yield Event(call, session, kind)

    def _asked(self, receiver: ast.expr) -> WorkingSession | None:
        """The session behind a Query that is executed."""
        answer = self._value(receiver)
        if answer is None or not isinstance(answer.value, Statement) or answer.value.style != "query":
            return None
        node: ast.expr | None = receiver
        while node is not None:
            match node:
                case ast.Call(func=ast.Attribute(value=inner, attr="query")):
                    return self.session(inner) or self._of_model(inner)
                case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner):
                    node = inner
                case ast.Attribute(value=inner, attr="query"):
                    return self._of_model(inner)
                case ast.Name():
                    followed = self.followed(node)
                    node = followed if followed is not node else None
                case _:
                    return None
        return None

    def _of_model(self, owner: ast.expr) -> WorkingSession | None:
        """The session of `Model.query`: that of Flask-SQLAlchemy."""
        answer = self._value(owner)
        if answer is None or not isinstance(answer.value, ModelClass) or not answer.value.model.is_flask:
            return None
        return self._origins.flask(answer)

    def _of_iteration(self, mark: ast.AST, source: ast.expr) -> Iterator[Event]:
        answer = self._value(source)
        match answer:
            case Answer(value=Statement(style="query") | Rows(lazy=True)):
                session = self._asked(source)
                if session is not None:
                    yield Event(mark, session, "read")

    def _of_entering(self, item: ast.withitem) -> Iterator[Event]:
        session = self.entered(item)
        if session is not None and session.owner == "transaction":
            yield Event(item, session, "begin")

    def _of_leaving(self, left: Left) -> Iterator[Event]:
        manager = left.item.context_expr
        begun = self.transaction(manager)
        if begun is not None:
            method = "commit" if left.is_normal else "rollback"
            yield Event(left, begun[0], _OF_TRANSACTION.get((_begun(begun[1]), method), "other"))
            return
        session = self.entered(left.item)
        if session is None:
            return
        if session.owner == "transaction":
            yield Event(left, session, "commit" if left.is_normal else "rollback")
        elif session.owner == "managed":
            look = partial(self._summaries.deeds_of_leaving, manager, self._place(manager))
            yield Event(left, session, "lent", Lending(look))
        else:
            yield Event(left, session, "close")

    def _of_callee(self, call: ast.Call) -> Iterator[Event]:
        seen: set[object] = set()
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            inner = argument.value if isinstance(argument, ast.Starred) else argument
            session = self.session(inner) if isinstance(inner, (ast.Name, ast.Attribute)) else None
            if session is not None and session.origin.key not in seen:
                seen.add(session.origin.key)
                look = partial(self._summaries.of_argument, call, argument, self._place(call))
                yield Event(call, session, "lent", Lending(look))

    def deeds(self, call: ast.Call) -> Deeds:
        """What a call may do to sessions that it does not get: those of objects, modules and registries."""
        return self._summaries.deeds_of_call(call, self._place(call))

    def followed(self, node: ast.expr) -> ast.expr:
        """The expression that a name stands for, where it is bound once."""
        for _ in range(10):
            if isinstance(node, ast.Await):
                node = node.value
                continue
            if not isinstance(node, ast.Name):
                return node
            root = self._root.scope.root.node
            assert isinstance(root, ast.Module)
            found = definitions(root, node)
            single = next(iter(found.sites), None)
            if single is None or len(found.sites) > 1 or not found.exact:
                return node
            if single.kind not in _FOLLOWED or single.value is None or single.position != ():
                return node
            node = single.value
        return node

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, self._place(node))

    def _place(self, node: ast.expr) -> Place:
        return Place(self._root.module, self._root.scope.innermost(node))


def _begun(call: ast.Call) -> _Begun:
    """What a call of `begin()` or `begin_nested()` begins; a subtransaction of 1.x is neither."""
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr == "begin_nested":
        return "begin_nested"
    given = {keyword.arg for keyword in call.keywords}
    return "begin_nested" if given == {"nested"} else "other" if given or call.args else "begin"
