"""Follows the rows of the producers of one function: who reads which path, and what happens on the way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from alchemod.facts.nodes import walk
from alchemod.inference.control.domain import Channel, Domain
from alchemod.inference.control.evaluation import Evaluator
from alchemod.inference.rows.calls import TAKING, Calls
from alchemod.inference.rows.knowledge import Act, Producer, RowKnowledge
from alchemod.inference.rows.notes import Notes
from alchemod.inference.rows.record import RootRecord
from alchemod.inference.rows.refs import NOTHING, Path, Refs, Root, RowRef, is_under
from alchemod.inference.rows.state import RowState
from alchemod.inference.rows.values import RowValues
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.comprehensions import bindings_in_place, comprehensions_by_last_clause, targets_of
from alchemod.inference.scoping.scopes import Comprehension, Scope

_CATCHING: Final = (ast.Try, ast.TryStar, ast.With, ast.AsyncWith)
_STOPPING: Final = frozenset({"any", "all", "next"})


class RowDomain(Domain[RowState]):
    """The walk over one function. What it notes is in `records`, by root; `given` are the parameters to follow."""

    def __init__(self, scope: Scope, knowledge: RowKnowledge, given: Mapping[ast.arg, Producer]) -> None:
        self.returned: Final[dict[RowRef, tuple[frozenset[Path] | None, frozenset[Act]]]] = {}
        """The rows that the function returns or yields, with what it read of them and what acted on the session."""
        self.returns_others = False
        """Whether it returns other things too."""
        self._scope: Final = scope
        self._knowledge: Final = knowledge
        self._notes: Final = Notes(knowledge, given, _own_name(scope))
        self._values: Final = RowValues(knowledge, self._notes)
        self._calls: Final = Calls(knowledge, self._notes, self._values, Evaluator(self).evaluate)
        self._bindings: Final = bindings_in_place(scope)
        self._own_stores: Final[dict[str, set[ast.Attribute]]] = {}
        self._turns: Final[dict[ast.AST, dict[RowRef, frozenset[Path]]]] = {}
        self._stopping: Final[set[ast.AST]] = set()
        self._comprehensions: Final = comprehensions_by_last_clause(scope)
        self._may_go_on: Final = any(isinstance(node, _CATCHING) for node in walk(scope.node))

    @property
    def records(self) -> Mapping[Root, RootRecord]:
        """What was noted of each root."""
        return self._notes.records

    @property
    def kept(self) -> Mapping[str, frozenset[RowRef] | None]:
        """The rows that attributes of the function's own object are given; None where that is not known."""
        names = self._notes.kept.keys() | self._own_stores.keys()
        return {
            name: frozenset(self._notes.kept.get(name, ()))
            if self._own_stores.get(name, set()) <= self._notes.filled
            else None
            for name in names
        }

    def join(self, a: RowState, b: RowState) -> RowState:
        """Names and effects of both, reads common to both."""
        return a.join(b)

    def event(self, node: ast.AST, state: RowState) -> RowState:
        """Dispatch on the type of the node."""
        handler = _EVENTS.get(type(node))
        return state if handler is None else handler(self, node, state)

    def raised(self, node: ast.AST, before: RowState, after: RowState | None) -> RowState | None:
        """What an exception leaves matters only where something may catch it."""
        return super().raised(node, before, after) if self._may_go_on else None

    def refine(self, test: ast.expr, truth: bool, state: RowState) -> RowState:
        """Rows that are empty, or None, leave nothing unread."""
        tested = _tested_for_rows(test, truth)
        if tested is not None:
            refs = self._values.of(tested, state)
            if not any(ref.path or ref.some or _may_be_missing(ref) for ref in refs):
                for ref in refs:
                    state = state.found_empty(ref.site)
        return state

    def leave(self, item: ast.withitem, channel: Channel, state: RowState) -> RowState:
        """A session or transaction block commits, rolls back or closes at its end."""
        return state.happened(Act(item, item, self._knowledge))

    def swallows(self, item: ast.withitem, state: RowState) -> bool:
        """Sessions and transactions pass exceptions on."""
        return self._knowledge.swallows(item.context_expr)

    def forget(self, handler: ast.ExceptHandler, state: RowState) -> RowState:
        """The name of the handler is gone."""
        return state.bind(handler.name or "", NOTHING)

    def end_turn(self, node: ast.AST, state: RowState) -> RowState:
        """What was read under the element on every way through this turn."""
        for ref in self._turns.get(node, {}):
            present = state.reads.get(ref.site, frozenset())
            if present is not None:
                self._turns[node][ref] = frozenset(path for path in present if is_under(path, ref.path))
        if node in self._comprehensions:
            self._comprehension_gives(self._comprehensions[node], state)
        return state

    def _comprehension_gives(self, node: Comprehension, state: RowState) -> None:
        """Note what the elements of a comprehension are, at the end of a turn of its last clause."""
        result = node.value if isinstance(node, ast.DictComp) else node.elt
        whole = len(node.generators) == 1 and not node.generators[0].ifs and not isinstance(node, ast.DictComp)
        refs = self._values.of(result, state)
        self._values.made(node, frozenset(ref.within() if whole else ref.within().part() for ref in refs))

    def turned(self, node: ast.AST, before: RowState, after: RowState, exhausted: bool) -> RowState:
        """Behind a loop that went over all rows, what each turn read has been read of each row."""
        turns = self._turns.get(node, {})
        after = after.end_turns(turns)
        if not isinstance(node, ast.comprehension):
            after = after.left_over(turns)
        for ref in turns.keys() - before.turning:
            after = after.read(ref.site, self._read_before(node, ref, before))
        if exhausted and node not in self._stopping and len(turns) == 1:
            for ref, paths in turns.items():
                if not ref.some:
                    after = after.read(ref.site, paths)
        return after

    def _read_before(self, node: ast.AST, ref: RowRef, before: RowState) -> list[Path]:
        """What an earlier loop read of each row, unless the loop `node` itself asks for other rows."""
        read = [path for path in before.reads.get(ref.site) or () if is_under(path, ref.path)]
        return [] if read and any(part is ref.site for part in walk(node)) else read

    def end_comprehension(self, node: Comprehension, before: RowState, after: RowState) -> RowState:
        """Its targets are gone."""
        for clause in node.generators:
            after = after.left_over(self._turns.get(clause, {}))
        names = {**after.names, **{name: before.names.get(name, NOTHING) for name in targets_of(node)}}
        return replace(after, names=names)

    def runs_now(self, generator: ast.GeneratorExp, call: ast.Call) -> bool:
        """Whoever gets a generator goes over it, perhaps later; those that may stop early make nothing certain."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in _STOPPING or not super().runs_now(generator, call):
            self._stopping.update(generator.generators)
        return True

    # Events

    def _call(self, node: ast.Call, state: RowState) -> RowState:
        return self._calls.event(node, state)

    def _attribute(self, node: ast.Attribute, state: RowState) -> RowState:
        if not isinstance(node.ctx, ast.Load):
            if self._notes.is_own(node):
                self._own_stores.setdefault(node.attr, set()).add(node)
            return state.happened(Act(node, node, self._knowledge))
        if self._notes.is_own(node) and (producer := self._knowledge.kept(node)) is not None:
            self._values.produced(node, producer)
            return self._notes.produced(node, producer, state)
        refs = self._values.of(node.value, state)
        if node.attr in TAKING:
            state = state.changed(ref for ref in refs if ref.many or ref.listed)
        for ref in refs:
            state = self._notes.read_member(ref, node.attr, node, state, alone=len(refs) == 1)
        self._notes.joined(refs)
        return state

    def _formatted(self, node: ast.FormattedValue, state: RowState) -> RowState:
        refs = self._values.of(node.value, state)
        for ref in refs:
            state = self._notes.hand(ref, self._knowledge.text(ref), node, state, alone=len(refs) == 1)
        return state

    def _subscript(self, node: ast.Subscript, state: RowState) -> RowState:
        """An item that is assigned or deleted is no longer one of the rows."""
        if isinstance(node.ctx, ast.Load):
            return state
        return state.changed(self._values.of(node.value, state))

    def _name(self, node: ast.Name, state: RowState) -> RowState:
        if isinstance(node.ctx, ast.Load):
            return state
        binding = self._bindings.get(node)
        return state.bind(node.id, NOTHING) if binding is None else self._bind(binding, state)

    def _bind(self, binding: Binding, state: RowState) -> RowState:
        match binding.kind:
            case "loop" | "comprehension":
                refs = self._target(binding, state, element=True)
            case "assignment" | "annotation" | "walrus":
                refs = self._target(binding, state, element=False)
            case "augmented":
                added = frozenset(ref.part() for ref in self._target(binding, state, element=False))
                refs = state.names.get(binding.name, NOTHING) | added
            case _:
                refs = NOTHING
        return state.bind(binding.name, refs)

    def _target(self, binding: Binding, state: RowState, *, element: bool) -> Refs:
        if binding.value is None:
            return NOTHING
        return self._values.target(binding.value, binding.position, state, element)

    def _next_element(self, node: ast.For | ast.AsyncFor | ast.comprehension, state: RowState) -> RowState:
        for source in _sources(node.iter):
            refs = self._values.of(source, state)
            state = self._notes.executed(frozenset(ref for ref in refs if ref.path == ()), state)
            elements = self._values.elements(source, state)
            self._notes.looped(node, elements)
            for ref in elements:
                self._turns.setdefault(node, {}).setdefault(ref, frozenset())
                state = state.start_turn(ref)
        return state

    def _store(self, node: ast.Assign | ast.AnnAssign, state: RowState) -> RowState:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets):
            refs = self._values.of(node.value, state)
            self._notes.expose("stored", refs, node)
            for target in targets:
                self._notes.assigned(target, refs, node.value)
                if isinstance(target, ast.Subscript):
                    state = self._notes.put(target.value, refs, state)
        return state

    def _return(self, node: ast.Return, state: RowState) -> RowState:
        refs = self._values.of(node.value, state)
        self._notes.expose("returned", refs, node)
        self.returns_others |= not (refs or node.value is None or _is_none(node.value))
        for ref in refs:
            state = self._notes.hand(ref, self._knowledge.given_away(node, ref), node, state, alone=len(refs) == 1)
            given = ref.part() if any(is_under(ref.path, turn.path) or ref == turn for turn in state.turning) else ref
            self._gives(given, state)
        return state.end_turns(state.turning)

    def _yield(self, node: ast.Yield | ast.YieldFrom, state: RowState) -> RowState:
        refs = self._values.of(node.value, state)
        self._notes.expose("yielded", refs, node)
        for ref in refs:
            self._gives(ref if isinstance(node, ast.YieldFrom) else ref.within().part(), state)
        return state

    def _gives(self, ref: RowRef, state: RowState) -> None:
        """Note what the function gives to its callers."""
        read, since = state.reads.get(ref.site, frozenset()), state.since.get(ref.site, frozenset())
        if ref in self.returned:
            before, acts = self.returned[ref]
            read = before if read is None else read if before is None else read & before
            since |= acts
        self.returned[ref] = read, since

    def _capture(self, node: ast.AST, state: RowState) -> RowState:
        inner = self._scope.innermost(node).find(node) if isinstance(node, ast.expr | ast.stmt) else None  # type: ignore[arg-type]
        names = inner.free_names() if inner is not None else set()
        for name in names & set(state.names):
            self._notes.expose("captured", state.names[name], node)
        return state


def _own_name(scope: Scope) -> str:
    """The name by which a method speaks of its object, "" for other functions."""
    is_method = scope.parent is not None and isinstance(scope.parent.node, ast.ClassDef) and bool(scope.parameters)
    return scope.parameters[0].arg if is_method else ""


def _may_be_missing(ref: RowRef) -> bool:
    """Whether None in the place of rows says nothing of other rows: one that a function is handed."""
    return isinstance(ref.site, ast.arg) and not (ref.many or ref.listed)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _sources(iterated: ast.expr) -> list[ast.expr]:
    """What is gone over: the arguments of `enumerate` and `zip`, else the iterable itself."""
    match iterated:
        case ast.Call(func=ast.Name(id="enumerate"), args=[first, *_]):
            return [first]
        case ast.Call(func=ast.Name(id="zip"), args=args):
            return args
    return [iterated]


def _tested_for_rows(test: ast.expr, truth: bool) -> ast.expr | None:
    """The expression that is empty or None when `test` comes out as `truth`."""
    match test:
        case ast.Name() | ast.NamedExpr() if not truth:
            return test
        case ast.Call(func=ast.Name(id="len"), args=[rows]) if not truth:
            return rows
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[rows]), comparators=[ast.Constant(value=0)]):
            empty = isinstance(test.ops[0], (ast.Eq, ast.LtE)) is truth
            return rows if empty and isinstance(test.ops[0], (ast.Eq, ast.LtE, ast.Gt, ast.NotEq)) else None
        case ast.Compare(left=rows, ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]) if truth:
            return rows
        case ast.Compare(left=rows, ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None)]) if (
            not truth
        ):
            return rows
    return None


_EVENTS: Final[dict[type[ast.AST], Callable[..., RowState]]] = {
    ast.Call: RowDomain._call,
    ast.Attribute: RowDomain._attribute,
    ast.Name: RowDomain._name,
    ast.FormattedValue: RowDomain._formatted,
    ast.Subscript: RowDomain._subscript,
    ast.Assign: RowDomain._store,
    ast.AnnAssign: RowDomain._store,
    ast.Return: RowDomain._return,
    ast.Yield: RowDomain._yield,
    ast.YieldFrom: RowDomain._yield,
    ast.For: RowDomain._next_element,
    ast.AsyncFor: RowDomain._next_element,
    ast.comprehension: RowDomain._next_element,
    ast.Lambda: RowDomain._capture,
    ast.GeneratorExp: RowDomain._capture,
    ast.FunctionDef: RowDomain._capture,
    ast.AsyncFunctionDef: RowDomain._capture,
    ast.ClassDef: RowDomain._capture,
}
RowDomain.wanted = frozenset(_EVENTS)
