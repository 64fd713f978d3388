"""Who looks behind the attributes of a row: code to which it matters what happens to be loaded.

Such code copies `__dict__`, asks for attributes by variable names, or is not seen at all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from alchemod.facts.model import Model
from alchemod.facts.module import ClassFacts, FunctionFacts, last_name
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.resolver import Resolver
from alchemod.inference.scopes import FUNCTIONS, Scope
from alchemod.inference.summaries.direct import looks_like_session
from alchemod.inference.summaries.targets import Target, is_bound
from alchemod.inference.values import (
    Answer,
    ClassObject,
    FunctionObject,
    LocalFunction,
    Method,
    ModelClass,
    Object,
    Outside,
    Place,
)

_REFLECTING: Final = frozenset({"__dict__", "__getstate__", "__reduce__", "__reduce_ex__"})
_TEXT: Final = frozenset({"print", "str", "repr", "format", "ascii", "hash"})
_HARMLESS: Final = _TEXT | frozenset(
    {
        *("len", "isinstance", "bool", "type", "list", "tuple", "set", "frozenset", "any", "all", "sorted", "id"),
        *(
            "enumerate",
            "zip",
            "filter",
            "map",
            "min",
            "max",
            "next",
            "iter",
            "reversed",
            "sum",
            "callable",
            "issubclass",
        ),
    }
)
_KEEPING: Final = frozenset(
    {
        *("append", "add", "insert", "extend", "setdefault", "appendleft", "put", "put_nowait", "update", "discard"),
        *("remove", "index", "count", "push", "get", "pop"),
    }
)
"""Methods by which a container of unknown kind takes an object or compares it."""
_LOGGER: Final = re.compile(r"_?(?:log(?:ger|ging)?|logs)", re.IGNORECASE)
_LEVELS: Final = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_MAX_CALLS: Final = 5


class Opacity:
    """Answers for one project; remembered per function and parameter."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver
        self._memo: Final[dict[tuple[ast.AST, str], bool]] = {}

    def of_member(self, model: Model, name: str, depth: int = 0) -> bool:
        """Whether a property or method of a mapped class, or of a subclass, looks behind the object's attributes."""
        bodies = list(self._bodies(model, name))
        return not bodies or any(self._of_function(FunctionObject(facts), None, depth) for facts in bodies)

    def of_callee(self, call: ast.Call, argument: ast.expr, place: Place, depth: int = 0) -> bool:
        """Whether the callee of `call`, in `place`, may look behind the attributes of its argument."""
        callee = self._value(call.func, place)
        match callee:
            case Answer(value=Outside(definition=definition)):
                return self._of_library(definition.name, call, argument, place, depth)
            case Answer(value=FunctionObject() | LocalFunction() as function):
                return self._of_argument(function, call, argument, depth)
            case Answer(value=ModelClass() | Method()):
                return False
            case Answer(value=ClassObject(facts=facts)):
                return self._of_constructor(facts, call, argument, depth)
            case None:
                return self._of_unknown(call, argument, place, depth)
        return True

    def _of_library(self, dotted: str, call: ast.Call, argument: ast.expr, place: Place, depth: int) -> bool:
        name = dotted.rpartition(".")[2]
        if name in _HARMLESS and isinstance(call.func, ast.Name):
            return name in _TEXT and self._of_text(argument, place, depth)
        if dotted == "builtins.getattr":
            return not (len(call.args) > 1 and isinstance(call.args[1], ast.Constant))
        if dotted.startswith("logging.") or name in _LEVELS:
            return self._of_text(argument, place, depth)
        return True

    def _of_unknown(self, call: ast.Call, argument: ast.expr, place: Place, depth: int) -> bool:
        match call.func:
            case ast.Attribute(value=receiver, attr=name):
                if name in _LEVELS and _LOGGER.fullmatch(last_name(receiver)):
                    return self._of_text(argument, place, depth)
                return name not in _KEEPING and not (name in SESSION_METHODS and looks_like_session(receiver))
            case ast.Name(id=name) if name in _HARMLESS and place.scope.owner(name) is None:
                return name in _TEXT and self._of_text(argument, place, depth)
        return True

    def _of_text(self, argument: ast.expr, place: Place, depth: int) -> bool:
        """What makes text of an object calls its `__repr__` or `__str__`."""
        answer = self._value(argument, place)
        if answer is None or not isinstance(answer.value, Object) or not isinstance(answer.value.of, ModelClass):
            return False
        model = answer.value.of.model
        own = (facts for name in ("__repr__", "__str__") for facts in self._bodies(model, name))
        return any(self._of_function(FunctionObject(facts), None, depth) for facts in own)

    def _of_constructor(self, facts: ClassFacts, call: ast.Call, argument: ast.expr, depth: int) -> bool:
        own = facts.methods.get("__init__")
        if own is not None:
            receiver = Object(ClassObject(facts))
            return self._of_argument(FunctionObject(own, receiver), call, argument, depth)
        return not any(last_name(decorator) in {"dataclass", "define", "attrs", "s"} for decorator in facts.decorators)

    def _of_argument(
        self, function: FunctionObject | LocalFunction, call: ast.Call, argument: ast.expr, depth: int
    ) -> bool:
        inside = self._inside(function)
        if inside is None or not isinstance(inside.scope.node, FUNCTIONS):
            return True
        bound = isinstance(function, FunctionObject) and is_bound(function)
        parameter = Target(inside, bound).parameter_of(call, argument)
        return parameter is None or self._of_function(function, parameter, depth)

    def _of_function(self, function: FunctionObject | LocalFunction, parameter: str | None, depth: int) -> bool:
        """Whether a function looks behind the attributes of a parameter; None is its first one."""
        inside = self._inside(function)
        if inside is None or depth > _MAX_CALLS:
            return True
        if parameter is None:
            names = [parameter.arg for parameter in inside.scope.parameters]
            if not names:
                return False
            parameter = names[0]
        key = (inside.scope.node, parameter)
        if key not in self._memo:
            self._memo[key] = False  # a function that calls itself looks no further than it does otherwise
            self._memo[key] = len(inside.scope.bindings.get(parameter, ())) != 1 or any(
                self._of_use(use, parent, inside, depth) for use, parent in _uses(inside.scope, parameter)
            )
        return self._memo[key]

    def _of_use(self, use: ast.Name, parent: ast.AST, inside: Place, depth: int) -> bool:
        match parent:
            case ast.Attribute(attr=name):
                return name in _REFLECTING or self._of_attribute(use, name, inside, depth)
            case ast.Call() if use in parent.args:
                return self.of_callee(parent, use, inside, depth + 1)
            case ast.keyword(arg=name) if name is not None:
                call = _call_of(parent, inside.scope)
                return call is None or self.of_callee(call, use, inside, depth + 1)
            case ast.Subscript(value=value):
                return value is use
            case ast.FormattedValue():
                return self._of_text(use, inside, depth)
            case ast.Assign() | ast.AnnAssign() | ast.Starred() | ast.For() | ast.comprehension() | ast.keyword():
                return True
        return False

    def _of_attribute(self, use: ast.Name, name: str, inside: Place, depth: int) -> bool:
        answer = self._value(use, inside)
        if answer is None or not isinstance(answer.value, Object) or not isinstance(answer.value.of, ModelClass):
            return False
        model = answer.value.of.model
        found = self._resolver.project.models.attribute(model, name)
        if found is None or found.kind not in {"property", "method", "hybrid"}:
            return False
        return self.of_member(model, name, depth + 1)

    def _bodies(self, model: Model, name: str) -> Iterator[FunctionFacts]:
        """The definitions of a method that an object of the class may have: the nearest one, those of subclasses."""
        nearest = next((facts.methods[name] for facts in model.family if name in facts.methods), None)
        if nearest is not None:
            yield nearest
        for subclass in self._resolver.project.models.subclasses(model):
            if name in subclass.facts.methods:
                yield subclass.facts.methods[name]

    def _inside(self, function: FunctionObject | LocalFunction) -> Place | None:
        if isinstance(function, FunctionObject):
            return self._resolver.function_place(function.facts)
        scope = function.place.scope.find(function.node)
        return Place(function.place.module, scope) if scope is not None else None

    def _value(self, node: ast.expr, place: Place) -> Answer | None:
        return self._resolver.value(node, Place(place.module, place.scope.innermost(node)))


def _uses(scope: Scope, name: str) -> Iterator[tuple[ast.Name, ast.AST]]:
    """The reads of a parameter in a function and in the functions inside it, each with the node around it."""
    for parent in ast.walk(scope.node):
        for child in ast.iter_child_nodes(parent):
            if isinstance(child, ast.Name) and child.id == name and isinstance(child.ctx, ast.Load):
                yield child, parent


def _call_of(keyword: ast.keyword, scope: Scope) -> ast.Call | None:
    return next((n for n in ast.walk(scope.node) if isinstance(n, ast.Call) and keyword in n.keywords), None)
