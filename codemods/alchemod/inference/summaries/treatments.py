"""What a callee does with one argument: its body is walked with the parameter in its hands."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from alchemod.facts.module import last_name
from alchemod.facts.recall import Recall
from alchemod.inference.control.domain import TooComplexError
from alchemod.inference.control.flow import Walker
from alchemod.inference.ownership.domain import SessionDomain
from alchemod.inference.ownership.knowledge import Opening, SessionKnowledge
from alchemod.inference.ownership.record import Record, UseKind
from alchemod.inference.ownership.state import Facts, Ref, RefKind
from alchemod.inference.resolving.functions import enclosing_function, own_nodes
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.summaries.targets import Target, Targets, makes_plain_object
from alchemod.inference.summaries.vocabulary import (
    LENT,
    SHOWN,
    UNSEEN,
    Certain,
    Deed,
    Given,
    Kept,
    Reads,
    Treatment,
    either,
)
from alchemod.inference.values import Answer, ClassObject, Outside, Place, Session

_MAX_CALLS: Final = 6
_HARMLESS: Final = frozenset(
    {
        *("len", "isinstance", "bool", "type", "print", "str", "repr", "format", "id", "hash", "callable", "hasattr"),
        *("list", "tuple", "set", "any", "all", "sorted"),
    }
)
_LOGGER: Final = "logging.Logger."
_UNDERSTOOD: Final = frozenset({"staticmethod", "classmethod", "contextmanager", "asynccontextmanager"})
"""Decorators under which a call (with a `with` around it, for the last two) runs the body once, with its arguments."""
_MANAGERS: Final = frozenset({"contextmanager", "asynccontextmanager"})
_KEEPING: Final = frozenset({"stored", "captured", "registered", "kept"})
_READING: Final[frozenset[UseKind]] = frozenset({"read", "pass", "yields"})
_REFS: Final[dict[Given, RefKind]] = {
    "session": "session",
    "object": "data",
    "rows": "rows",
    "lazy": "lazy",
    "carrier": "carrier",
    "holder": "holder",
}


class Treatments:
    """Answers for one project; remembered per function, parameter and what it is given."""

    def __init__(self, targets: Targets, sources: Callable[[Place], SessionKnowledge]) -> None:
        self._targets: Final = targets
        self._sources: Final = sources
        self._recall: Final[Recall[Treatment]] = Recall()
        self._placed: Final[dict[ast.AST, tuple[set[ast.expr], set[ast.expr]]]] = {}

    def of_argument(self, call: ast.Call, argument: ast.expr, place: Place, given: Given) -> Treatment:
        """What the callee of `call`, in `place`, does with `argument`, which is of the kind `given`."""
        callee = self._targets.callee(call, place)
        match callee:
            case Answer(value=Outside(definition=definition)):
                is_builtin = definition.name.startswith("builtins.")
                shows = is_builtin and definition.name.rpartition(".")[2] in _HARMLESS
                return SHOWN if shows or definition.name.startswith(_LOGGER) else UNSEEN
        if makes_plain_object(callee):
            return LENT  # what the new object refers to is followed with it
        targets = self._targets.of(callee)
        if not targets or not all(self._runs_now(target, call, place) for target in targets):
            return UNSEEN
        is_async = given == "session" and self._is_async(argument, place)
        treatment = either(
            self.of_parameter(target, target.parameter_of(call, argument), given, is_async) for target in targets
        )
        makes = callee is not None and isinstance(callee.value, ClassObject)
        return replace(treatment, held="result") if makes and treatment.held == "receiver" else treatment

    def of_capture(self, target: Target, name: str, call: ast.Call, place: Place) -> Treatment:
        """What a function inside another one does with the session that it uses under the name `name`."""
        node = target.node
        if isinstance(node, ast.Lambda) or any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own_nodes(node)):
            return UNSEEN
        if isinstance(node, ast.AsyncFunctionDef) and call not in self._parts(place)[0]:
            return UNSEEN
        key = (node, name, "captured")
        return self._recall.ask(key, lambda: self._walk(target, ast.arg(name), "session", False)) or LENT

    def of_parameter(self, target: Target, name: str | None, given: Given, is_async: bool = False) -> Treatment:
        """What a function does with what it gets for a parameter."""
        parameter = next((part for part in target.inside.scope.parameters if part.arg == name), None)
        if parameter is None:
            return UNSEEN
        key = (target.node, name, given, is_async)
        if key not in self._recall and self._recall.depth > _MAX_CALLS:
            self._recall.cut()
            return UNSEEN
        # A function that calls itself adds nothing to what it does otherwise.
        found = self._recall.ask(key, lambda: self._walk(target, parameter, given, is_async)) or LENT
        return replace(found, at=tuple(replace(deed, calls=(target.name, *deed.calls)) for deed in found.at))

    def _walk(self, target: Target, parameter: ast.arg, given: Given, is_async: bool) -> Treatment:
        node = target.node
        if not isinstance(node, FUNCTIONS):
            return UNSEEN
        sources = self._sources(target.inside)
        ref = Ref(_REFS[given], None if given == "session" else parameter)
        opening = Opening("plain", is_async)
        domain = SessionDomain(parameter, opening, target.inside.scope, sources, given=(parameter.arg, ref))
        try:
            domain.record.exits = Walker(domain).run(node.body, domain.start)
        except TooComplexError:
            return UNSEEN
        return _summary(domain.record, ref, target)

    def _runs_now(self, target: Target, call: ast.Call, place: Place) -> bool:
        """Whether the call runs the whole body before it is over: no generator, no coroutine that waits."""
        node = target.node
        if isinstance(node, ast.Lambda):
            return False
        decorators = {last_name(decorator) for decorator in node.decorator_list}
        if not decorators <= _UNDERSTOOD:
            return False
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own_nodes(node)):
            return bool(decorators & _MANAGERS) and call in self._parts(place)[1]
        return not isinstance(node, ast.AsyncFunctionDef) or call in self._parts(place)[0]

    def _parts(self, place: Place) -> tuple[set[ast.expr], set[ast.expr]]:
        """What the code around a place awaits, and the heads of its `with` blocks."""
        around = (enclosing_function(place.scope) or place.scope.root).node
        if around not in self._placed:
            awaited, heads = self._placed[around] = set(), set()
            for node in ast.walk(around):
                if isinstance(node, ast.Await):
                    awaited.add(node.value)
                elif isinstance(node, ast.withitem):
                    heads.add(node.context_expr)
        return self._placed[around]

    def _is_async(self, argument: ast.expr, place: Place) -> bool:
        answer = self._targets.value(argument, place)
        return answer is not None and isinstance(answer.value, Session) and answer.value.is_async


def _summary(record: Record, ref: Ref, target: Target) -> Treatment:
    ends = [record.exits[channel] for channel in ("next", "return") if channel in record.exits]
    ways = [facts for state in record.exits.values() for facts in state.values()]
    normal = [facts for state in ends for facts in state.values()]
    lives = {life for state in ends for life in state}
    closes: Certain = "no" if "C" not in lives else "must" if lives == {"C"} else "may"
    return Treatment(
        _kept(record, ways, ref),
        closes,
        frozenset(record.effects),
        _reads(record),
        "returned" in record.escapes or any(_leads_to(facts, ref) for facts in normal),
        frozenset.intersection(*(facts.done for facts in normal)) if normal else frozenset(),
        "receiver" if "held" in record.escapes else "no",
        tuple(_deeds(record, target)),
    )


def _kept(record: Record, ways: list[Facts], ref: Ref) -> Kept:
    added = any(use.kind == "elsewhere" for use in record.uses.values())
    seen = any(out.kind == ref.kind and out.site is ref.site for facts in ways for out, _ in facts.out)
    if added or seen or _KEEPING & record.escapes.keys():
        return "yes"
    return "unknown" if "unknown callee" in record.escapes else "no"


def _reads(record: Record) -> Reads:
    outcomes = {use.closed for use in record.uses.values() if use.kind in _READING}
    return "unknown" if outcomes - {"works"} else "columns" if outcomes else "nothing"


def _leads_to(facts: Facts, ref: Ref) -> bool:
    return ref.site is not None and any(out.site is ref.site for out, _ in facts.returned)


def _deeds(record: Record, target: Target) -> Iterator[Deed]:
    for effect, node in record.effects.items():
        inner = record.lent[node].at if isinstance(node, ast.Call) and node in record.lent else ()
        deeper = next((deed for deed in inner if deed.kind == effect), None)
        yield deeper or Deed(effect, node, target.inside.module)
