"""What a callee does with a session or an object it gets: keeps it, closes it, commits, reads."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Final

from alchemod.facts.models import Models
from alchemod.facts.module import last_name
from alchemod.inference.functions import own_nodes
from alchemod.inference.ownership.knowledge import LENT, Certain, Effect, Kept, Treatment
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.resolver import Resolver
from alchemod.inference.scopes import Scope
from alchemod.inference.values import (
    Answer,
    FunctionObject,
    LocalFunction,
    ModelClass,
    Object,
    Outside,
    Place,
)

_MAX_CALLS: Final = 6
_HARMLESS: Final = frozenset(
    {"len", "isinstance", "bool", "type", "print", "str", "list", "tuple", "set", "any", "all", "sorted"}
)
_LOGGER: Final = "logging.Logger."
_EFFECTS: Final[dict[str, Effect]] = {
    "commit": "commit", "rollback": "rollback", "expire": "expire", "expunge": "expunge",
    "write": "write", "add": "write", "merge": "write", "flush": "write", "refresh": "write",
}  # fmt: skip
_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Callees:
    """Summaries of what functions do with one argument, remembered per function and parameter."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver: Final = resolver
        self._memo: dict[tuple[ast.AST, str], Treatment] = {}

    def treatment(self, call: ast.Call, argument: ast.expr, place: Place) -> Treatment:
        """What the callee of `call` does with `argument`, one of its arguments."""
        callee = self._resolver.value(call.func, place)
        match callee:
            case Answer(value=Outside(definition=definition)) if definition.name.startswith("builtins."):
                name = definition.name.rpartition(".")[2]
                return replace(LENT, reads="unknown") if name in _HARMLESS else Treatment()
            case Answer(value=Outside(definition=definition)) if definition.name.startswith(_LOGGER):
                return replace(LENT, reads="unknown")
            case Answer(value=ModelClass(model=model)) if not any("__init__" in one.methods for one in model.family):
                return LENT  # what the new object refers to is followed with it
            case Answer(value=FunctionObject(facts=facts)):
                inside = self._resolver.function_place(facts)
            case Answer(value=LocalFunction(node=ast.FunctionDef() | ast.AsyncFunctionDef() as node, place=outer)):
                scope = outer.scope.find(node)
                inside = Place(outer.module, scope) if scope is not None else None
            case _:
                return Treatment()
        if inside is None or not isinstance(inside.scope.node, _FunctionNode):
            return Treatment()
        parameter = parameter_of(call, argument, inside.scope.node, bound=_is_bound(callee))
        return self._of(inside, parameter, 0) if parameter is not None else Treatment()

    def _of(self, inside: Place, parameter: str, depth: int) -> Treatment:
        node = inside.scope.node
        assert isinstance(node, _FunctionNode)
        key = (node, parameter)
        if key in self._memo:
            return self._memo[key]
        if depth > _MAX_CALLS or _is_understood(node) is False:
            return Treatment()
        self._memo[key] = LENT  # a function that calls itself adds nothing to what it does otherwise
        self._memo[key] = found = self._summary(inside, node, parameter, depth)
        return found

    def _summary(self, inside: Place, node: _FunctionNode, parameter: str, depth: int) -> Treatment:
        if len(inside.scope.bindings.get(parameter, ())) != 1 or _captures(inside.scope, parameter):
            return Treatment()
        found = LENT
        unconditional = {id(part) for statement in node.body for part in ast.walk(statement) if _is_plain(statement)}
        uses = _uses(node, parameter)
        for use, parent in uses:
            treatment = self._use(use, parent, inside, depth)
            if treatment.closes == "must" and (id(use) not in unconditional or _leaves_early(node)):
                treatment = replace(treatment, closes="may")
            found = _together(found, treatment)
        return found

    def _use(self, use: ast.Name, parent: ast.AST, inside: Place, depth: int) -> Treatment:
        match parent:
            case ast.Call() if use in parent.args or any(keyword.value is use for keyword in parent.keywords):
                return self._passed_on(use, parent, inside, depth)
            case ast.Attribute():
                return self._member(parent, inside)
            case ast.Compare() | ast.If() | ast.While() | ast.Assert() | ast.UnaryOp() | ast.FormattedValue():
                return LENT if not isinstance(parent, ast.FormattedValue) else replace(LENT, reads="unknown")
        return Treatment()

    def _passed_on(self, use: ast.Name, call: ast.Call, inside: Place, depth: int) -> Treatment:
        place = Place(inside.module, inside.scope.innermost(call))
        callee = self._resolver.value(call.func, place)
        match callee:
            case Answer(value=Outside(definition=definition)) if definition.name.startswith("builtins."):
                known = definition.name.rpartition(".")[2] in _HARMLESS
                return replace(LENT, reads="unknown") if known else Treatment()
            case Answer(value=FunctionObject(facts=facts)):
                target = self._resolver.function_place(facts)
                if target is None or not isinstance(target.scope.node, _FunctionNode):
                    return Treatment()
                parameter = parameter_of(call, use, target.scope.node, bound=_is_bound(callee))
                return self._of(target, parameter, depth + 1) if parameter is not None else Treatment()
        if isinstance(call.func, ast.Attribute) and SESSION_METHODS.get(call.func.attr) in {"add", "merge", "write"}:
            return Treatment("yes", "no", frozenset(["write"]), "unknown")
        return Treatment()

    def _member(self, attribute: ast.Attribute, inside: Place) -> Treatment:
        place = Place(inside.module, inside.scope.innermost(attribute))
        owner = self._resolver.value(attribute.value, place)
        if isinstance(attribute.ctx, ast.Store):
            return replace(LENT, effects=frozenset(["write"]))
        if owner is not None and isinstance(owner.value, Object) and isinstance(owner.value.of, ModelClass):
            return _of_object(owner.value.of, attribute.attr, self._resolver.project.models)
        method = SESSION_METHODS.get(attribute.attr)
        if method is None:
            return Treatment("no", "no", frozenset(), "unknown")
        if method == "close":
            return replace(LENT, closes="must")
        if method == "enter":
            return replace(LENT, closes="may")
        effect = _EFFECTS.get(method)
        return replace(LENT, effects=frozenset([effect]) if effect is not None else frozenset())


def _of_object(cls: ModelClass, name: str, models: Models) -> Treatment:
    found = models.attribute(cls.model, name)
    if found is not None and found.kind in {"column", "column_property"}:
        return replace(LENT, reads="columns")
    return replace(LENT, reads="unknown")


def parameter_of(call: ast.Call, argument: ast.expr, function: _FunctionNode, *, bound: bool) -> str | None:
    """The name of the parameter that gets `argument`; None when it goes into `*args`, `**kwargs` or is not known."""
    for keyword in call.keywords:
        if keyword.value is argument:
            names = {arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)}
            return keyword.arg if keyword.arg in names else None
    parameters = [*function.args.posonlyargs, *function.args.args]
    for index, given in enumerate(call.args):
        if isinstance(given, ast.Starred):
            return None
        if given is argument:
            position = index + bound
            return parameters[position].arg if position < len(parameters) else None
    return None


def _is_bound(callee: Answer | None) -> bool:
    """Whether a method gets its first parameter from what it was taken from."""
    if callee is None or not isinstance(callee.value, FunctionObject) or callee.value.facts.owner is None:
        return False
    decorators = {last_name(decorator) for decorator in callee.value.facts.decorators}
    if "staticmethod" in decorators:
        return False
    return "classmethod" in decorators or isinstance(callee.value.receiver, Object)


def _is_understood(node: _FunctionNode) -> bool:
    """Whether calling the name runs this body once with these arguments."""
    return not [name for name in map(last_name, node.decorator_list) if name not in {"staticmethod", "classmethod"}]


def _uses(node: _FunctionNode, name: str) -> list[tuple[ast.Name, ast.AST]]:
    """The reads of a name in a function's own code, each with the node around it."""
    return [
        (child, parent)
        for parent in own_nodes(node)
        for child in ast.iter_child_nodes(parent)
        if isinstance(child, ast.Name) and child.id == name
    ]


def _captures(scope: Scope, name: str) -> bool:
    return any(name in child.free_names() for child in scope.children if not child.is_comprehension)


def _is_plain(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return)


def _leaves_early(node: _FunctionNode) -> bool:
    returns = [part for part in own_nodes(node) if isinstance(part, ast.Return)]
    return any(part not in node.body for part in returns)


def _together(one: Treatment, other: Treatment) -> Treatment:
    kept: Kept = (
        "yes" if "yes" in (one.kept, other.kept) else "unknown" if "unknown" in (one.kept, other.kept) else "no"
    )
    closes: Certain = (
        "must" if "must" in (one.closes, other.closes) else "may" if "may" in (one.closes, other.closes) else "no"
    )
    order = ("nothing", "columns", "unknown")
    return Treatment(kept, closes, one.effects | other.effects, max(one.reads, other.reads, key=order.index))
