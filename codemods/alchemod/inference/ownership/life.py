"""The life of each session that a function opens: where it is closed, where it leaks, what gets out, what `with`
would change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from alchemod.facts.module import last_name
from alchemod.facts.nodes import children, walk
from alchemod.inference.control.domain import Channel, TooComplexError
from alchemod.inference.control.evaluation import Steps
from alchemod.inference.control.flow import Walker
from alchemod.inference.ownership.block import Obstacle, Plan, close_statements, name_given, plan_block, untangle
from alchemod.inference.ownership.comparison import Comparison, PlannedWalker, compare, leaks
from alchemod.inference.ownership.domain import SessionDomain
from alchemod.inference.ownership.knowledge import Opening, SessionKnowledge
from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.ownership.record import Record
from alchemod.inference.ownership.state import SESSION, Ref
from alchemod.inference.ownership.values import dotted
from alchemod.inference.scoping.scopes import FUNCTIONS, UNITS, Body, Scope


@dataclass(frozen=True, slots=True)
class SessionLife:
    """One session opened by the call `site`.

    `record` is None where the code was too complex to follow. `plan` is the block it can become, or `obstacle` why
    there is none; `comparison` is what that block changes.
    """

    site: ast.Call
    opening: Opening
    record: Record | None = None
    plan: Plan | None = None
    obstacle: Obstacle | None = None
    comparison: Comparison | None = None
    in_loop: bool = False
    """Whether the block would stand inside a loop of the function."""
    in_with: bool = False
    """Whether it is opened in the head of a `with` statement."""
    closing: ast.Call | None = None
    """The call of `closing()` that it is opened in, when that is the head of a `with` statement."""
    name: str | None = None
    """The name that the statement which opens it gives it, if it does nothing else."""
    is_optional: bool = False
    """Whether the name may hold a session of somebody else already, and this one is opened only if it does not."""
    is_shared: bool = False
    """Whether it was opened elsewhere; then `site` is where it is closed first."""

    @property
    def leaks(self) -> tuple[Channel, ...]:
        """How the function may be left with the session open."""
        return leaks(self.record) if self.record is not None else ()


def session_lives(scope: Scope, knowledge: SessionKnowledge) -> list[SessionLife]:
    """The sessions that the code of `scope`, a function or the top level of a file, opens itself, in source order.

    Sessions of functions inside it are theirs. A session whose factory is not plain is not followed.
    """
    function = scope.node
    assert isinstance(function, UNITS)
    steps: Steps = {}
    walked = walked_lives(scope, knowledge, steps)
    calls = {close for life in walked if life.record is not None for close in life.record.closes}
    closes = close_statements(function, calls)
    planned = [_planned(life, scope, knowledge, closes, steps) for life in walked]
    plans = [life.plan for life in planned if life.plan is not None]
    return [_untangled(life, plans, closes) for life in planned]


def walked_lives(scope: Scope, knowledge: SessionKnowledge, steps: Steps | None = None) -> list[SessionLife]:
    """The sessions of the function as they are, without a plan for any."""
    function = scope.node
    assert isinstance(function, UNITS)
    steps = {} if steps is None else steps
    found = [(call, opening) for call in own_calls(function) if (opening := knowledge.opening(call)) is not None]
    heads = {item.context_expr for node in _withs(function) for item in node.items}
    closings = {head.args[0]: head for head in heads if isinstance(head, ast.Call) and _is_closing(head)}
    return [
        SessionLife(
            call,
            opening,
            in_with=call in heads,
            closing=closings.get(call),
            record=_record(call, opening, scope, knowledge, steps),
        )
        for call, opening in found
    ]


def followed_lives(scope: Scope, knowledge: SessionKnowledge) -> list[SessionLife]:
    """The sessions of the code whose end is seen: those it opens, those that context managers give it, and those that
    it closes although others opened them."""
    unit = scope.node
    assert isinstance(unit, UNITS)
    steps: Steps = {}
    lives = walked_lives(scope, knowledge, steps)
    heads = {item.context_expr: _name_of(item) for node in _withs(unit) for item in node.items}
    opened = {life.site for life in lives}
    for call in own_calls(unit):
        managing = knowledge.managing(call) if call in heads and call not in opened else None
        if managing is not None:
            lives.append(SessionLife(call, managing, _record(call, managing, scope, knowledge, steps), in_with=True))
    lives = [replace(life, name=heads.get(life.site) or name_given(unit, life.site)) for life in lives]
    return [*lives, *_shared_lives(unit, scope, knowledge, lives, steps)]


def _shared_lives(
    unit: Body, scope: Scope, knowledge: SessionKnowledge, lives: list[SessionLife], steps: Steps
) -> Iterator[SessionLife]:
    """One life for each session that is closed here and was opened elsewhere, at its first `close()`."""
    closed = {close for life in lives if life.record is not None for close in life.record.closes}
    met: set[str] = set()
    for call in own_calls(unit):
        if call in closed or not isinstance(call.func, ast.Attribute) or SESSION_METHODS.get(call.func.attr) != "close":
            continue
        name = dotted(call.func.value)
        opening = knowledge.shared(call.func.value) if name is not None and name not in met else None
        if name is not None and opening is not None:
            met.add(name)
            record = _record(ast.arg(name), opening, scope, knowledge, steps, (name, SESSION))
            yield SessionLife(call, opening, record, name=name, is_shared=True)


def _is_closing(head: ast.Call) -> bool:
    return last_name(head) in {"closing", "aclosing"} and len(head.args) == 1 and not head.keywords


def own_calls(function: Body) -> Iterator[ast.Call]:
    """The calls that the code of the function makes, those in its inner functions, lambdas and classes left out."""
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            stack += reversed(children(node))


def _name_of(item: ast.withitem) -> str | None:
    """The name that a `with` item binds."""
    return item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else None


def _withs(function: Body) -> Iterator[ast.With | ast.AsyncWith]:
    return (node for node in walk(function) if isinstance(node, (ast.With, ast.AsyncWith)))


def _record(
    site: ast.Call | ast.arg,
    opening: Opening,
    scope: Scope,
    knowledge: SessionKnowledge,
    steps: Steps,
    given: tuple[str, Ref] | None = None,
) -> Record | None:
    if opening.factory != "plain":
        return None
    domain = SessionDomain(site, opening, scope, knowledge, given=given)
    assert isinstance(scope.node, UNITS)
    try:
        domain.record.exits = Walker(domain, steps).run(scope.node.body, domain.start)
    except TooComplexError:
        return None
    return domain.record


def _planned(
    life: SessionLife, scope: Scope, knowledge: SessionKnowledge, closes: frozenset[ast.stmt], steps: Steps
) -> SessionLife:
    function = scope.node
    assert isinstance(function, UNITS)
    record = life.record
    if record is None or life.in_with or life.closing is not None:
        return life
    name = name_given(function, life.site)
    life = replace(life, name=name, is_optional=_may_be_given(name, life.site, scope))
    in_loop = _is_in_loop(function, life.site)
    plan = plan_block(function, life.site, record, life.opening.is_async, closes)
    if not isinstance(plan, Plan):
        return replace(life, obstacle=plan, in_loop=in_loop)
    domain = SessionDomain(life.site, life.opening, scope, knowledge, plan.dropped)
    walker = PlannedWalker(domain, plan, steps)
    domain.bind_also(walker.binding)
    try:
        domain.record.exits = walker.run(function.body, domain.start)
    except TooComplexError:
        return replace(life, record=None)
    return replace(life, plan=plan, comparison=compare(record, domain.record), in_loop=in_loop)


def _may_be_given(name: str | None, site: ast.Call, scope: Scope) -> bool:
    """Whether a name has a value, and not just None, before a session is opened for it."""
    for binding in scope.bindings.get(name or "", ()):
        is_none = isinstance(binding.value, ast.Constant) and binding.value.value is None
        if binding.kind == "parameter" or (not is_none and getattr(binding.node, "lineno", 0) < site.lineno):
            return True
    return False


def _untangled(life: SessionLife, plans: list[Plan], closes: frozenset[ast.stmt]) -> SessionLife:
    if life.plan is None:
        return life
    plan = untangle(life.plan, plans, closes)
    return replace(life, plan=plan, obstacle=None if plan is not None else "crossing")


def _is_in_loop(function: Body, call: ast.Call) -> bool:
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            if any(part is call for part in walk(node)):
                return True
        elif not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            stack += children(node)
    return False
