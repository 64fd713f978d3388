"""What calls and assignments may do to the sessions of a function, through the functions of the project they call."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import Final

from alchemod.facts.module import ClassFacts, FunctionFacts, last_name
from alchemod.inference.functions import own_nodes
from alchemod.inference.loading.sensitive import SensitiveNames
from alchemod.inference.ownership.knowledge import Effect
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.resolver import Resolver
from alchemod.inference.scopes import FUNCTIONS
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

Effects = frozenset[Effect]

NONE: Final[Effects] = frozenset()
WRITE: Final[Effects] = frozenset(["write"])
_ANYTHING: Final[Effects] = frozenset(["write", "commit"])
_OF_METHOD: Final[dict[str, Effects]] = {
    "close": frozenset(["expunge"]),
    "commit": frozenset(["commit"]),
    "rollback": frozenset(["rollback"]),
    "flush": WRITE,
    "write": WRITE,
    "add": WRITE,
    "merge": WRITE,
    "expire": frozenset(["expire"]),
    "refresh": frozenset(["expire"]),
    "expunge": frozenset(["expunge"]),
}
"""Effects by the kinds of `SESSION_METHODS`; closing expunges all objects, refreshing drops what was loaded eagerly."""
_UNMISTAKABLE: Final = frozenset({"commit", "rollback", "expire_all", "expunge", "expunge_all", "add_all"})
_SESSION_NAME: Final = re.compile(r"(?:.*_)?(?:sess(?:ion)?|db|s|tx|sa)", re.IGNORECASE)
_READING_SQL: Final = re.compile(r"\s*(?:select|with|show|pragma|explain|values)\b", re.IGNORECASE)
_MAX_CALLS: Final = 5
_MAX_CANDIDATES: Final = 4


class SessionEffects:
    """Answers for one project; remembered per function."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver
        self._sensitive: Final = SensitiveNames(resolver.project)
        self._memo: Final[dict[ast.AST, Effects]] = {}

    def of_call(self, call: ast.Call, place: Place, depth: int = 0) -> Effects:
        """What `call`, in `place`, may do; callees of libraries that get no session are assumed to do nothing."""
        callee = self._value(call.func, place)
        match callee:
            case Answer(value=FunctionObject() | LocalFunction() as function):
                return self.of_function(function, depth)
            case Answer(value=ModelClass()):
                return WRITE if call.args or self._sets_relation(call) else NONE
            case Answer(value=ClassObject(facts=facts)):
                return self._of_constructor(facts, depth)
        match call.func:
            case ast.Attribute(value=receiver, attr=name):
                return self._of_method(call, receiver, name, place, depth)
            case ast.Name() if callee is None and _is_variable(call.func, place):
                return _ANYTHING
        return NONE

    def of_assignment(self, target: ast.Attribute, place: Place) -> Effects:
        """What assigning (or deleting) an attribute may do to what relationships hold."""
        owner = self._value(target.value, place)
        match owner:
            case Answer(value=Object(of=ModelClass(model=model))):
                return WRITE if self._sensitive.changes(target.attr, model) else NONE
            case Answer(value=Object(of=ClassObject(facts=facts))):
                # A property may do anything when it is set.
                return WRITE if any(target.attr in one.methods for one in self._family(facts)) else NONE
            case None:
                return WRITE if self._sensitive.changes(target.attr, None) else NONE
        return NONE

    def _family(self, facts: ClassFacts) -> list[ClassFacts]:
        return self._resolver.project.families.above(facts)

    def of_leaving(self, manager: ast.expr, place: Place) -> Effects:
        """What the end of `with manager:` may do."""
        answer = self._value(manager, place)
        match answer:
            case Answer(value=Session()):
                return _OF_METHOD["expunge"]
            case Answer(value=Managed(inner=Session())):
                return frozenset(["commit", "expunge"])
        match manager:
            case ast.Attribute(attr="no_autoflush"):
                return WRITE  # what was held back is flushed from here on
            case ast.Call(func=ast.Attribute(value=receiver, attr="begin" | "begin_nested" as name)):
                owner = self._value(receiver, place)
                if owner is not None and isinstance(owner.value, Session):
                    return frozenset(["commit", "rollback"]) if name == "begin" else WRITE
            case ast.Call():
                return self.of_call(manager, place)
        return NONE

    def of_function(self, function: FunctionObject | LocalFunction, depth: int = 0) -> Effects:
        """What a call of a function of the project may do."""
        inside = self._inside(function)
        if inside is None:
            return WRITE
        node = inside.scope.node
        assert isinstance(node, (*FUNCTIONS, ast.Lambda))
        if node in self._memo:
            return self._memo[node]
        if depth > _MAX_CALLS:
            return WRITE
        self._memo[node] = NONE  # a function that calls itself adds nothing to what it does otherwise
        self._memo[node] = found = frozenset(
            effect for part in own_nodes(node) for effect in self._of_node(part, inside, depth)
        )
        return found

    def _of_node(self, node: ast.AST, inside: Place, depth: int) -> Effects:
        match node:
            case ast.Call():
                found = self.of_call(node, inside, depth + 1)
                return WRITE if found and self._is_on_own_session(node, inside) else found
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                return self.of_assignment(node, inside)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                found = NONE.union(*(self.of_leaving(item.context_expr, inside) for item in items))
                return WRITE if found else NONE
        return NONE

    def _is_on_own_session(self, call: ast.Call, inside: Place) -> bool:
        """Whether a method is called on a session that the callee opened itself: other objects are not expired."""
        match call.func:
            case ast.Attribute(value=ast.Name() as receiver):
                owner = self._value(receiver, inside)
                bound = inside.scope.bindings.get(receiver.id, [])
                opened = bool(bound) and all(binding.kind in {"assignment", "with"} for binding in bound)
                return opened and owner is not None and isinstance(owner.value, Session) and not owner.value.scoped
        return False

    def _of_method(self, call: ast.Call, receiver: ast.expr, name: str, place: Place, depth: int) -> Effects:
        owner = self._value(receiver, place)
        match owner:
            case Answer(value=Session()):
                return self._of_session_method(call, name, place)
            case Answer(value=SessionFactory(kind="scoped")):
                return self._of_session_method(call, name, place)
            case Answer(value=Statement(style="query")):
                return WRITE if name in {"update", "delete"} else NONE
            case Answer(value=Engine(is_connection=True)):
                return WRITE if name == "execute" and not self._reads_only(call, place) else NONE
            case Answer(value=Object(of=ModelClass(model=model))):
                known = self._resolver.project.models.attribute(model, name)
                return WRITE if known is None and model.has_unseen_base else NONE
            case Answer():
                return NONE
        return self._of_unknown(call, receiver, name, place, depth)

    def _of_session_method(self, call: ast.Call, name: str, place: Place) -> Effects:
        if name == "remove":
            return _OF_METHOD["expunge"]
        if name in {"execute", "exec", "scalar", "scalars"}:
            return NONE if self._reads_only(call, place) else WRITE
        kind = SESSION_METHODS.get(name)
        return WRITE if kind is None else _OF_METHOD.get(kind, NONE)

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

    def _of_unknown(self, call: ast.Call, receiver: ast.expr, name: str, place: Place, depth: int) -> Effects:
        """A method of something unknown: judged by its name, and by the methods of that name in the project."""
        kind = SESSION_METHODS.get(name)
        if name in _UNMISTAKABLE or (kind is not None and looks_like_session(receiver)):
            return self._of_session_method(call, name, place)
        if depth > 0 or (isinstance(receiver, ast.Name) and _is_container(receiver, place)):
            return NONE
        candidates = self._methods.get(name, [])
        if len(candidates) > _MAX_CANDIDATES:
            return WRITE
        return NONE.union(*(self.of_function(FunctionObject(facts), depth + 1) for facts in candidates))

    @cached_property
    def _methods(self) -> dict[str, list[FunctionFacts]]:
        """The methods of all classes of the project by name."""
        found: dict[str, list[FunctionFacts]] = {}
        for facts in self._resolver.project.classes():
            for name, method in facts.methods.items():
                found.setdefault(name, []).append(method)
        return found

    def _of_constructor(self, facts: ClassFacts, depth: int) -> Effects:
        own = facts.methods.get("__init__")
        return self.of_function(FunctionObject(own), depth) if own is not None else NONE

    def _sets_relation(self, call: ast.Call) -> bool:
        return any(keyword.arg is None or self._sensitive.changes(keyword.arg, None) for keyword in call.keywords)

    def _inside(self, function: FunctionObject | LocalFunction) -> Place | None:
        if isinstance(function, FunctionObject):
            return self._resolver.function_place(function.facts)
        scope = function.place.scope.find(function.node)
        return Place(function.place.module, scope) if scope is not None else None

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        return self._resolver.value(node, Place(place.module, place.scope.innermost(node)))


def looks_like_session(receiver: ast.expr) -> bool:
    """Whether something unknown has a name that sessions have: `self.db`, `session`, `Session()`."""
    return bool(_SESSION_NAME.fullmatch(last_name(receiver)))


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
