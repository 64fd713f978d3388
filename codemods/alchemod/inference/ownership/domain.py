"""Follows one session of one function: its life, its objects, what gets out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from alchemod.inference.control.domain import Channel, Domain
from alchemod.inference.ownership.calls import Calls
from alchemod.inference.ownership.effects import Effects
from alchemod.inference.ownership.knowledge import Leaving, Opening, SessionKnowledge
from alchemod.inference.ownership.outlets import Outlets
from alchemod.inference.ownership.patterns import Capture, captured
from alchemod.inference.ownership.reads import read_attribute
from alchemod.inference.ownership.record import Record, note
from alchemod.inference.ownership.state import (
    NONE,
    NOTHING,
    SESSION,
    Data,
    Facts,
    Life,
    Ref,
    State,
    Value,
    is_open,
    join,
    with_life,
)
from alchemod.inference.ownership.values import ASKING, OBJECTS, TIED, Values, tested_for_none
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.comprehensions import bindings_in_place, targets_of
from alchemod.inference.scoping.scopes import Comprehension, FunctionNode, Scope


class SessionDomain(Domain[State]):
    """The walk for the session opened by the call `site`, or for what is `given` from the start under a name, a
    parameter or something from outside (`self.db`), or for objects of a closed session that the call `site` has
    `made`. Statements in `dropped` are taken as removed."""

    def __init__(
        self,
        site: ast.Call | ast.arg,
        opening: Opening,
        scope: Scope,
        knowledge: SessionKnowledge,
        dropped: frozenset[ast.stmt] = frozenset(),
        given: tuple[str, Ref] | None = None,
        made: tuple[Ref, Data] | None = None,
    ) -> None:
        self.record: Final = Record(site)
        self._site: Final = site
        self._scope: Final = scope
        self._opening: Final = opening
        self._made: Final = made
        gives = made[0] if made is not None else SESSION
        self._values: Final = Values(site, scope, knowledge, given[0] if given is not None else None, gives)
        self._effects: Final = Effects(self.record, opening, scope, self._values, knowledge)
        self._calls: Final = Calls(self.record, self._effects, scope, self._values, knowledge)
        self._outlets: Final = Outlets(self.record, self._calls, scope, self._values, knowledge)
        self._knowledge: Final = knowledge
        self._dropped: Final = {_call_of(statement) for statement in dropped}
        self._computed: Final[set[ast.Attribute]] = set()
        self._bindings: Final = bindings_in_place(scope)
        self._outer_bindings: Final = {binding.target: binding for binding in scope.outer_bindings}
        parameters = {p.arg: frozenset([Ref("parameter", p.arg)]) for p in scope.parameters}
        self.start: Final = _start(site, parameters, given)

    def bind_also(self, binding: Binding) -> None:
        """Take in a binding that the code has only under a plan."""
        self._bindings[binding.target] = binding

    def join(self, a: State, b: State) -> State:
        """Life by life."""
        return join(a, b)

    def event(self, node: ast.AST, state: State) -> State | None:
        """Dispatch on the type of the node; expressions that only compute change nothing."""
        handler = _EVENTS.get(type(node))
        if handler is None:
            return state
        return handler(self, node, state)

    def raised(self, node: ast.AST, before: State, after: State | None) -> State | None:
        """An opener that raises has opened nothing; a close that raises has been tried; a failed flush expires."""
        if isinstance(node, ast.Call):
            if node is self._site:
                return before
            if node in self._dropped:
                return None
            effect = self._effects.of_method(node, before)
            if effect == "close":
                return after
            if effect in ("commit", "flush"):
                after = join(
                    after or before, {life: facts.expired().in_transaction("failed") for life, facts in before.items()}
                )
        if isinstance(node, ast.Attribute):
            return {life: f for life, f in before.items() if not self._is_session(node.value, f)} or None
        if isinstance(node, ast.withitem) and any(self._is_session(node.context_expr, f) for f in before.values()):
            return None
        return super().raised(node, before, after)

    def refine(self, test: ast.expr, truth: bool, state: State) -> State | None:
        """Truth and None of names that may be the session."""
        tested = tested_for_none(test)
        if tested is None:
            return state
        name, none_if = tested
        refined: State = {}
        for life, facts in state.items():
            value = facts.names.get(name, NOTHING)
            if value and value <= {NONE, SESSION}:
                value = value & {NONE} if truth is none_if else value - {NONE}
                if not value:
                    continue
                facts = facts.bind(name, value)
            refined[life] = facts
        return refined or None

    def leave(self, item: ast.withitem, channel: Channel, state: State) -> State:
        """`with s:` closes; `with s.begin():` commits or rolls back."""

        def change(life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
            value = self._values.of(item.context_expr, facts)
            if SESSION in value:
                yield from self._left(item, channel, life, facts)
            elif any(ref.kind == "carrier" for ref in value):
                yield life, self._effects.end_transaction(item.context_expr, channel, facts)
            else:
                yield life, facts

        return with_life(state, change)

    def _left(self, item: ast.withitem, channel: Channel, life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
        """The end of the block that gave the session."""
        leaving = self._opening.leaving or Leaving()
        if channel in ("raise", "base") and leaving.commits != "no":
            facts = self._effects.rolled_back(item, facts)
        elif leaving.commits != "no":
            committed = self._effects.committed(item, facts)
            facts = committed if leaving.commits == "must" else facts.join(committed)
        yield "C" if is_open([life]) and leaving.closes else life, facts.in_transaction("none")

    def swallows(self, item: ast.withitem, state: State) -> bool:
        """A session and its transactions do not; others may."""
        return not any(
            ref.kind in ("session", "carrier")
            for facts in state.values()
            for ref in self._values.of(item.context_expr, facts)
        )

    def forget(self, handler: ast.ExceptHandler, state: State) -> State:
        """The name of the handler is gone."""
        return self._bind(handler.name or "", NOTHING, handler, state)

    def end_comprehension(self, node: Comprehension, before: State, after: State) -> State:
        """What it gives is known now; its targets are gone."""
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for facts in after.values():
            value = self._values.union(results, facts)
            self._values.made(node, frozenset(Ref("rows", r.site, r.path) if r.kind == "data" else r for r in value))
        names = targets_of(node)
        old = {name: NOTHING.union(*(f.names.get(name, NOTHING) for f in before.values())) for name in names}
        return {life: replace(facts, names={**facts.names, **old}) for life, facts in after.items()}

    # Events

    def _call(self, node: ast.Call, state: State) -> State | None:
        if node in self._dropped:
            return state
        if node is self._site:
            return with_life(state, self._open)
        return self._calls.event(node, state)

    def _open(self, life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
        if self._made is not None:
            yield "C", facts.put(self._site, self._made[1])
            return
        if is_open([life]):
            note(self.record.lost, self._site)
        yield "O", facts.in_transaction("none")

    def _name(self, node: ast.Name, state: State) -> State:
        if isinstance(node.ctx, ast.Load):
            return state
        binding = self._bindings.get(node)
        if binding is not None and not isinstance(node.ctx, ast.Del):
            return self._bind_from(binding, node, state)
        outer = self._outer_bindings.get(node)
        if outer is not None and outer.value is not None:
            state = {life: self._outlets.outside(outer.value, node, facts) for life, facts in state.items()}
        return self._bind(node.id, NOTHING, node, state)

    def _bind_from(self, binding: Binding, node: ast.AST, state: State) -> State:
        result: State = {}
        for life, facts in state.items():
            value = self._values.of(binding.value, facts)
            if binding.kind in ("loop", "comprehension"):
                value = self._values.element(value)
            elif binding.kind in ("except", "import", "function", "class"):
                value = NOTHING
            elif binding.kind == "augmented":
                value |= facts.names.get(binding.name, NOTHING)
            for _ in binding.position or ():
                value = self._values.element(value)
            result[life] = facts.bind(binding.name, value)
            if SESSION in value:
                self._note_captured(binding.name, node)
        self._note_lost(binding.name, node, state, result)
        return result

    def _note_captured(self, name: str, node: ast.AST) -> None:
        """A function inside that stands above the place where the session gets its name may use it all the same."""
        line = getattr(node, "lineno", 0)
        for inner in self._scope.children:
            if not inner.is_comprehension and inner.node.lineno < line and name in inner.free_names():  # type: ignore[union-attr]
                self.record.escape("captured", inner.node)

    def _bind(self, name: str, value: Value, node: ast.AST, state: State) -> State:
        result = {life: facts.bind(name, value) for life, facts in state.items()}
        self._note_lost(name, node, state, result)
        return result

    def _note_lost(self, name: str, node: ast.AST, before: State, after: State) -> None:
        for life, facts in before.items():
            if is_open([life]) and SESSION in facts.names.get(name, NOTHING):
                held = NOTHING.union(*after[life].names.values())
                if not any(ref.kind in ("session", "carrier", "lazy", "holder", "unknown") for ref in held):
                    note(self.record.lost, node)

    def _definition(self, node: FunctionNode | ast.ClassDef | ast.Lambda, state: State) -> State:
        bound = state if isinstance(node, ast.Lambda) else self._bind(node.name, NOTHING, node, state)
        return self._outlets.capture(node, bound)

    def _pattern(self, node: Capture, state: State) -> State:
        result: State = {}
        for life, facts in state.items():
            result |= self._bind(captured(node) or "", self._values.matched(node, facts), node, {life: facts})
        return result

    def _generator(self, node: ast.GeneratorExp, state: State) -> State:
        """It asks for nothing itself once the session is closed; what an open session has may be asked for later."""
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        for life, facts in state.items():
            value = NOTHING.union(*(facts.names.get(name, NOTHING) for name in names))
            value |= self._values.of(node.generators[0].iter, facts)
            if any(ref.kind in (ASKING if life == "C" else TIED) for ref in value):
                self._values.made(node, frozenset([Ref("lazy", node)]))
        return state

    def _attribute(self, node: ast.Attribute, state: State) -> State:
        if not isinstance(node.ctx, ast.Load):
            return self._write_attribute(node, state)
        result: State = {}
        for life, facts in state.items():
            value = self._values.of(node.value, facts)
            if any(ref.kind in ("data", "unknown") for ref in value):
                outcome, facts = read_attribute(node, value, life, facts, self._knowledge)
                source = next((ref.site for ref in value if isinstance(ref.site, ast.AST)), None)
                self.record.use(node, "read", life, outcome, source)
            result[life] = facts
        return result

    def _write_attribute(self, node: ast.Attribute, state: State) -> State:
        result: State = {}
        for life, facts in state.items():
            for ref in self._values.of(node.value, facts):
                if ref.kind == "data" and isinstance(ref.site, ast.AST) and ref.site in facts.data:
                    self.record.use(node, "write", life, "unknown")
                    data = facts.data[ref.site]
                    facts = facts.put(ref.site, data.assigned((*ref.path, node.attr), node in self._computed))
                    if data.tied:
                        facts = self._effects.written(node, facts)
            result[life] = facts
        return result

    def _subscript(self, node: ast.Subscript, state: State) -> State:
        if isinstance(node.ctx, ast.Load):
            for life, facts in state.items():
                value = self._values.of(node.value, facts)
                if any(ref.kind == "lazy" for ref in value):
                    self.record.use(node, "lazy", life, "fails")
                if any(ref.kind in TIED for ref in value) and self._knowledge.product(node).kind != "plain":
                    sliced = isinstance(node.slice, ast.Slice)
                    self._values.made(node, value if sliced else self._values.element(value))
        return state

    def _assign(self, node: ast.Assign | ast.AnnAssign, state: State) -> State:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, (ast.Attribute, ast.Subscript)) and isinstance(part.ctx, ast.Store):
                    state = self._outlets.store(part, node, state)
                match part:
                    case ast.Attribute(value=held, attr="bind") if any(
                        self._is_session(held, facts) for facts in state.values()
                    ):
                        note(self.record.rebound, node)
            if isinstance(target, ast.Attribute) and node.value and self._knowledge.is_computed(node.value):
                self._computed.add(target)
        return state

    def _yield(self, node: ast.Yield | ast.YieldFrom, state: State) -> State:
        result: State = {}
        for life, facts in state.items():
            value = self._values.of(node.value, facts)
            if SESSION in value:
                self.record.escape("yielded", node)
                self.record.use(node, "session", life, "fails")
                note(self.record.yields, node)
                if facts.transaction != {"none"} or any(data.tied for data in facts.data.values()):
                    self.record.loaded_before_yield = True
                if isinstance(self._site, ast.Call):
                    facts = facts.let_out([SESSION], node)
            elif any(ref.kind in OBJECTS or ref.kind in ("lazy", "carrier") for ref in value):
                self.record.use(node, "yields", life, "unknown")
            result[life] = facts
        return result

    def _next_element(self, node: ast.For | ast.AsyncFor | ast.comprehension, state: State) -> State:
        return self._outlets.take(node, self._calls.consume(node.iter, node, state))

    def _enter(self, node: ast.withitem, state: State) -> State:
        if any(self._is_session(node.context_expr, facts) for facts in state.values()):
            note(self.record.managed, node)
        return state

    def _is_session(self, node: ast.expr, facts: Facts) -> bool:
        return SESSION in self._values.of(node, facts)

    def _get_out(self, node: ast.AugAssign | ast.BinOp | ast.Return | ast.Raise | ast.Assert, state: State) -> State:
        match node:
            case ast.AugAssign():
                return self._outlets.augment(node, state)
            case ast.BinOp():
                return self._outlets.operate(node, state)
            case ast.Return():
                return self._outlets.give_back(node, state)
            case ast.Raise():
                return self._outlets.throw(node, state)
            case ast.Assert():
                return self._outlets.tell([node.msg] if node.msg is not None else [], node, state)

    def _handler(self, node: ast.ExceptHandler, state: State) -> State:
        return state if node.name is None else self._bind(node.name, NOTHING, node, state)


def _start(site: ast.AST, parameters: dict[str, Value], given: tuple[str, Ref] | None) -> State:
    if given is None:
        return {"N": Facts(parameters)}
    name, ref = given
    data: dict[ast.AST, Data] = {site: Data()} if ref.kind in ("data", "rows") else {}
    return {"O": Facts({**parameters, name: frozenset([ref])}, data=data)}


def _call_of(statement: ast.stmt) -> ast.expr | None:
    if not isinstance(statement, ast.Expr):
        return None
    return statement.value.value if isinstance(statement.value, ast.Await) else statement.value


_EVENTS: Final[dict[type[ast.AST], Callable[..., State | None]]] = {
    ast.Call: SessionDomain._call,
    ast.Name: SessionDomain._name,
    ast.Attribute: SessionDomain._attribute,
    ast.Subscript: SessionDomain._subscript,
    ast.FunctionDef: SessionDomain._definition,
    ast.AsyncFunctionDef: SessionDomain._definition,
    ast.ClassDef: SessionDomain._definition,
    ast.Lambda: SessionDomain._definition,
    ast.GeneratorExp: SessionDomain._generator,
    ast.Assign: SessionDomain._assign,
    ast.AnnAssign: SessionDomain._assign,
    ast.AugAssign: SessionDomain._get_out,
    ast.BinOp: SessionDomain._get_out,
    ast.Return: SessionDomain._get_out,
    ast.Raise: SessionDomain._get_out,
    ast.Assert: SessionDomain._get_out,
    ast.Yield: SessionDomain._yield,
    ast.YieldFrom: SessionDomain._yield,
    ast.For: SessionDomain._next_element,
    ast.AsyncFor: SessionDomain._next_element,
    ast.comprehension: SessionDomain._next_element,
    ast.withitem: SessionDomain._enter,
    ast.ExceptHandler: SessionDomain._handler,
    ast.MatchAs: SessionDomain._pattern,
    ast.MatchStar: SessionDomain._pattern,
    ast.MatchMapping: SessionDomain._pattern,
}
