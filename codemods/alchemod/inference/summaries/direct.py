"""What one piece of code does to sessions itself, and which functions of the project it runs."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.resolving.indirect import Indirect
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.summaries.sensitive import SensitiveNames
from alchemod.inference.summaries.targets import Target, Targets
from alchemod.inference.summaries.vocabulary import Deed, DeedKind
from alchemod.inference.values import (
    Answer,
    ClassObject,
    Engine,
    FunctionObject,
    LocalFunction,
    Managed,
    ModelClass,
    Object,
    Place,
    Session,
    SessionFactory,
    Statement,
)

_OF_METHOD: Final[dict[str, DeedKind]] = {
    "close": "close",
    "commit": "commit",
    "rollback": "rollback",
    "flush": "flush",
    "write": "write",
    "add": "write",
    "merge": "write",
    "expire": "expire",
    "refresh": "refresh",
    "expunge": "expunge",
}
"""Deeds by the kinds of `SESSION_METHODS`; the others do nothing to transaction and objects."""
_UNMISTAKABLE: Final = frozenset({"commit", "rollback", "expire_all", "expunge", "expunge_all", "add_all"})
_SESSION_NAME: Final = re.compile(r"(?:.*_)?(?:sess(?:ion)?|db|s|tx|sa)", re.IGNORECASE)
_READING_SQL: Final = re.compile(r"\s*(?:select|with|show|pragma|explain|values)\b", re.IGNORECASE)
_MAX_CANDIDATES: Final = 4
_ACTING: Final = (ast.Call, ast.Attribute, ast.withitem)


@dataclass(frozen=True, slots=True)
class Edge:
    """Functions that a call runs.

    `hands_out`: they open a session and give it to the caller for the length of a block, so that what they do to it
    they do to a session of the caller.
    """

    name: str
    targets: tuple[Target, ...]
    hands_out: bool = False


@dataclass(slots=True)
class Direct:
    """What code does itself, and what it calls, each in source order."""

    deeds: list[Deed] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


class DirectDeeds:
    """Answers for one project; remembered per function."""

    def __init__(self, resolver: Resolver, targets: Targets) -> None:
        self._resolver: Final = resolver
        self._targets: Final = targets
        self._indirect: Final = Indirect(resolver)
        self._sensitive: Final = SensitiveNames(resolver.project)
        self._memo: Final[dict[ast.AST, Direct]] = {}

    def of_function(self, target: Target) -> Direct:
        """What the body of a function does. Methods of unknown things are judged by the receiver's name only."""
        if target.node not in self._memo:
            found = self._memo[target.node] = Direct()
            acting = [node for node in own_nodes(target.node) if isinstance(node, _ACTING)]
            for node in sorted(acting, key=_position):
                self._add(node, target.inside, found)
        return self._memo[target.node]

    def of_call(self, call: ast.Call, place: Place) -> Direct:
        """What a call does. A method of something unknown may be any method of that name in the project."""
        found = Direct()
        self._call(call, place, found)
        return found if found.deeds or found.edges else self._of_unknown(call, place)

    def of_leaving(self, manager: ast.expr, place: Place) -> Direct:
        """What the end of `with manager:` does."""
        found = Direct()
        self._leave(manager, place, found, inside=False)
        return found

    def of_assignment(self, target: ast.Attribute, place: Place) -> Direct:
        """What assigning (or deleting) an attribute does to what relationships hold."""
        return Direct([Deed("assign", target, place.module)] if self._matters(target, place) else [])

    def _add(self, node: ast.AST, inside: Place, found: Direct) -> None:
        match node:
            case ast.Call():
                self._call(node, inside, found)
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                found.deeds += self.of_assignment(node, inside).deeds
            case ast.withitem(context_expr=manager):
                self._leave(manager, inside, found, inside=True)

    def _call(self, call: ast.Call, place: Place, found: Direct) -> None:
        callee = self._targets.callee(call, place)
        match callee:
            case Answer(value=FunctionObject() | LocalFunction() | ClassObject()):
                self._run(call, self._targets.of(callee), place, found)
                return
            case Answer(value=ModelClass()):
                if call.args or self._sets_relation(call):
                    found.deeds.append(Deed("write", call, place.module))
                return
        if callee is None and (self._set_by_name(call, place, found) or self._run_indirectly(call, place, found)):
            return
        if _advances(call):
            found.deeds.append(Deed("unseen", call, place.module))
            return
        match call.func:
            case ast.Attribute(value=receiver, attr=name):
                kind = self._of_method(call, receiver, name, place)
                if kind is not None:
                    found.deeds.append(Deed(kind, call, place.module, self._is_own(receiver, place)))
            case ast.Name() if callee is None and _is_variable(call.func, place):
                found.deeds.append(Deed("callback", call, place.module))

    def _set_by_name(self, call: ast.Call, place: Place, found: Direct) -> bool:
        """`setattr(owner, "name", value)`: an assignment, of whatever attribute where the name is not seen."""
        match call:
            case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[owner, named, *_]):
                if isinstance(named, ast.Constant):
                    target = ast.copy_location(ast.Attribute(owner, str(named.value), ast.Store()), call)
                    found.deeds += self.of_assignment(target, place).deeds
                else:
                    found.deeds.append(Deed("assign", call, place.module))
                return True
        return False

    def _run_indirectly(self, call: ast.Call, place: Place, found: Direct) -> bool:
        """A function out of a table, or one with arguments bound before; what a table gives may be anything else."""
        indirect = self._indirect.of(call, place)
        for one in indirect:
            self._run(one.call, self._targets.of(one.callee), place, found)
        if not indirect and isinstance(call.func, ast.Subscript):
            found.deeds.append(Deed("unseen", call, place.module))
            return True
        return bool(indirect)

    def _run(self, call: ast.Call, targets: list[Target] | None, place: Place, found: Direct) -> None:
        if targets is None:
            found.deeds.append(Deed("unseen", call, place.module))
        elif targets:
            found.edges.append(Edge(last_name(call), tuple(targets)))

    def _leave(self, manager: ast.expr, place: Place, found: Direct, *, inside: bool) -> None:
        """The end of a block. `inside`: of one in a function that is summarised, which may own what it leaves."""
        callee = self._targets.callee(manager, place) if isinstance(manager, ast.Call) else None
        targets = self._targets.of(callee) if isinstance(manager, ast.Call) else []
        session = _session_of(manager)
        own = inside and (session is None or self._is_own(session, place))
        if targets is None:
            found.deeds.append(Deed("unseen", manager, place.module, own))
        elif targets:
            found.edges.append(Edge(last_name(manager), tuple(targets), hands_out=not inside))
        else:
            found.deeds += [Deed(kind, manager, place.module, own) for kind in self._at_end(manager, session, place)]

    def _at_end(self, manager: ast.expr, session: ast.expr | None, place: Place) -> tuple[DeedKind, ...]:
        answer = self._value(manager, place)
        match answer:
            case Answer(value=Session()):
                return ("close",)
            case Answer(value=Managed(inner=Session())):
                return ("commit", "close")
        owner = self._value(session, place) if session is not None and session is not manager else None
        if isinstance(manager, ast.Attribute) and manager.attr == "no_autoflush":
            return ("flush",)  # what was held back is flushed from here on
        if owner is not None and isinstance(owner.value, Session):
            return ("flush",) if last_name(manager) == "begin_nested" else ("commit", "rollback")
        return ()

    def _is_own(self, session: ast.expr, place: Place) -> bool:
        """Whether a session is one that the function opened itself: then no other objects expire with it."""
        match session:
            case ast.Name():
                owner = self._value(session, place)
                if owner is None or not isinstance(owner.value, Session) or owner.value.scoped:
                    return False
                bound = place.scope.bindings.get(session.id, [])
                return bool(bound) and all(binding.kind in {"assignment", "with"} for binding in bound)
            case ast.Call():
                owner = self._value(session, place)
                return owner is not None and isinstance(owner.value, Session) and not owner.value.scoped
        return False

    def _of_method(self, call: ast.Call, receiver: ast.expr, name: str, place: Place) -> DeedKind | None:
        owner = self._value(receiver, place)
        match owner:
            case Answer(value=Session() | SessionFactory(kind="scoped")):
                return self._of_session_method(call, name, place)
            case Answer(value=Statement(style="query")):
                return "write" if name in {"update", "delete"} else None
            case Answer(value=Engine()) if name == "raw_connection":
                return "write"
            case Answer(value=Engine(is_connection=True)):
                return "write" if name == "execute" and not self._reads_only(call, place) else None
            case Answer(value=Object(of=ModelClass(model=model))):
                known = self._resolver.project.models.attribute(model, name)
                is_set_elsewhere = known is not None and known.kind == "other"
                return "unseen" if is_set_elsewhere or (known is None and model.has_unseen_base) else None
            case Answer():
                return None
        if name in _UNMISTAKABLE or (name in SESSION_METHODS and looks_like_session(receiver)):
            return self._of_session_method(call, name, place)
        if owner is None and name in {"add", "add_all", "merge"} and self._makes_rows(call, place):
            return "write"
        return None

    def _makes_rows(self, call: ast.Call, place: Place) -> bool:
        """Whether a call is given new mapped objects: what takes them may be a session."""
        parts = (part for argument in call.args for part in ast.walk(argument) if isinstance(part, ast.Call))
        answers = (self._value(part.func, place) for part in parts)
        return any(answer is not None and isinstance(answer.value, ModelClass) for answer in answers)

    def _of_session_method(self, call: ast.Call, name: str, place: Place) -> DeedKind | None:
        if name == "remove":
            return "close"
        if name in {"execute", "exec", "scalar", "scalars"}:
            return None if self._reads_only(call, place) else "write"
        kind = SESSION_METHODS.get(name)
        return "unseen" if kind is None else _OF_METHOD.get(kind)

    def _reads_only(self, call: ast.Call, place: Place) -> bool:
        """Whether what is executed is a SELECT."""
        first = call.args[0] if call.args else None
        answer = self._value(first, place) if first is not None else None
        if answer is not None and isinstance(answer.value, Statement):
            return answer.value.style in {"query", "select"}
        if isinstance(first, ast.Call) and last_name(first) in {"select", "text"} and first.args:
            if last_name(first) == "select":
                return True
            first = first.args[0]
        match first:
            case ast.Constant(value=str(sql)):
                return bool(_READING_SQL.match(sql))
        return False

    def _of_unknown(self, call: ast.Call, place: Place) -> Direct:
        match call.func:
            case ast.Attribute(value=receiver, attr=name) if self._value(receiver, place) is None:
                if isinstance(receiver, ast.Name) and _is_container(receiver, place):
                    return Direct()
                candidates = self._resolver.project.methods_named(name)
                if len(candidates) > _MAX_CANDIDATES:
                    return Direct([Deed("unseen", call, place.module)])
                found = Direct()
                for facts in candidates:
                    self._run(call, self._targets.of(Answer(FunctionObject(facts))), place, found)
                return found
        return Direct()

    def _matters(self, target: ast.Attribute, place: Place) -> bool:
        """Whether assigning an attribute may change what relationships hold, or run code that does."""
        owner = self._value(target.value, place)
        match owner:
            case Answer(value=Object(of=ModelClass(model=model))):
                return self._sensitive.changes(target.attr, model)
            case Answer(value=Object(of=ClassObject(facts=facts))):
                family = self._resolver.project.families.above(facts)
                return any(target.attr in one.methods for one in family)  # a property
            case None:
                return self._sensitive.changes(target.attr, None)
        return False

    def _sets_relation(self, call: ast.Call) -> bool:
        return any(keyword.arg is None or self._sensitive.changes(keyword.arg, None) for keyword in call.keywords)

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        return self._resolver.value(node, Place(place.module, place.scope.innermost(node)))


def looks_like_session(receiver: ast.expr) -> bool:
    """Whether something unknown has a name that sessions have: `self.db`, `session`, `Session()`."""
    return bool(_SESSION_NAME.fullmatch(last_name(receiver)))


def _session_of(manager: ast.expr) -> ast.expr | None:
    """The session whose block, or whose transaction's, `with manager:` would be."""
    match manager:
        case ast.Call(func=ast.Attribute(value=session, attr="begin" | "begin_nested")):
            return session
        case ast.Attribute(value=session, attr="no_autoflush"):
            return session
        case ast.Name() | ast.Attribute():
            return manager
    return None


def _advances(call: ast.Call) -> bool:
    """Whether a call runs a generator on, whose code is not seen where that happens: `next(numbers)`."""
    match call:
        case ast.Call(func=ast.Name(id="next"), args=[ast.Name() | ast.Attribute(), *_]):
            return True
    return False


def _is_variable(name: ast.Name, place: Place) -> bool:
    """Whether a name that is called is a parameter or variable of a function: a callback."""
    owner = place.scope.owner(name.id)
    return owner is not None and owner.is_function and all(b.kind != "import" for b in owner.bindings[name.id])


def _is_container(name: ast.Name, place: Place) -> bool:
    """Whether a variable holds a container or file made in this function, by its only assignment."""
    owner = place.scope.owner(name.id)
    bindings = owner.bindings[name.id] if owner is not None else []
    if len(bindings) != 1 or (value := bindings[0].value) is None:
        return False
    if isinstance(value, ast.Call):
        return last_name(value) in {"set", "dict", "list", "defaultdict", "OrderedDict", "Counter", "deque", "open"}
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.SetComp | ast.DictComp)


def _position(node: ast.AST) -> tuple[int, int]:
    placed = node.context_expr if isinstance(node, ast.withitem) else node
    return getattr(placed, "lineno", 0), getattr(placed, "col_offset", 0)
