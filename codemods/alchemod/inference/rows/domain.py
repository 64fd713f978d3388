"""Follows the rows of the producers of one function: who reads which path, and what happens on the way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from alchemod.inference.bindings import Binding
from alchemod.inference.domain import Channel, Domain
from alchemod.inference.evaluation import Evaluator
from alchemod.inference.rows.knowledge import Path, RowKnowledge
from alchemod.inference.rows.record import ExposureKind, ProducerRecord
from alchemod.inference.rows.state import NOTHING, Refs, RowRef, RowState, is_under
from alchemod.inference.rows.values import SAME_ROWS, RowValues
from alchemod.inference.scopes import Comprehension, Scope, bindings_in_place, comprehensions_by_last_clause, targets_of

_STOPPING: Final = frozenset({"any", "all", "next"})
_PLAIN: Final = frozenset(
    {"len", "bool", "isinstance", "id", "type", "enumerate", "zip", "filter", "min", "max", "next"}
)
_REFLECTING: Final = frozenset({"__dict__", "__getstate__"})
_TAKING: Final = frozenset({"pop", "popleft", "remove", "discard", "clear"})
_MUTATORS: Final = frozenset({"append", "extend", "insert", "add", "update"}) | _TAKING


class RowDomain(Domain[RowState]):
    """The walk over one function. What it notes is in `records`, by producer."""

    def __init__(self, scope: Scope, knowledge: RowKnowledge) -> None:
        self.records: Final[dict[ast.Call, ProducerRecord]] = {}
        self._scope: Final = scope
        self._knowledge: Final = knowledge
        self._values: Final = RowValues(knowledge)
        self._bindings: Final = bindings_in_place(scope)
        self._turns: Final[dict[ast.AST, dict[RowRef, frozenset[Path]]]] = {}
        self._stopping: Final[set[ast.AST]] = set()
        self._comprehensions: Final = comprehensions_by_last_clause(scope)

    def join(self, a: RowState, b: RowState) -> RowState:
        """Names and effects of both, reads common to both."""
        return a.join(b)

    def event(self, node: ast.AST, state: RowState) -> RowState:
        """Dispatch on the type of the node."""
        handler = _EVENTS.get(type(node))
        return state if handler is None else handler(self, node, state)

    def refine(self, test: ast.expr, truth: bool, state: RowState) -> RowState:
        """Rows that are empty, or None, leave nothing unread."""
        tested = _tested_for_rows(test, truth)
        if tested is not None:
            refs = self._values.of(tested, state)
            if not any(ref.path or ref.some for ref in refs):
                for ref in refs:
                    state = state.found_empty(ref.site)
        return state

    def leave(self, item: ast.withitem, channel: Channel, state: RowState) -> RowState:
        """A session or transaction block commits, rolls back or closes at its end."""
        return state.happened(self._knowledge.effects_of_leaving(item.context_expr), item) if state.since else state

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
        self._values.made(node, frozenset(ref._replace(listed=True, some=ref.some or not whole) for ref in refs))

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
        return [] if read and any(part is ref.site for part in ast.walk(node)) else read

    def end_comprehension(self, node: Comprehension, before: RowState, after: RowState) -> RowState:
        """Its targets are gone."""
        for clause in node.generators:
            after = after.left_over(self._turns.get(clause, {}))
        names = {**after.names, **{name: before.names.get(name, NOTHING) for name in targets_of(node)}}
        return replace(after, names=names)

    def runs_now(self, generator: ast.GeneratorExp, call: ast.Call) -> bool:
        """Consumers that may stop early make nothing certain."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name in _STOPPING:
            self._stopping.update(generator.generators)
        return name == "next" or super().runs_now(generator, call)

    # Events

    def _call(self, node: ast.Call, state: RowState) -> RowState:
        producer = self._knowledge.producer(node)
        state = self._acted(node, state)
        if producer is not None:
            self._values.produced(node, producer.many)
            record = self.records.setdefault(node, ProducerRecord(node, producer))
            record.earlier.update(site for site in state.since if site is not node)
            return state if producer.lazy else state.executed(node)
        self._values.made(node, self._values.of_call(node, state))
        state = self._consume_arguments(node, state)
        state = self._body_per_element(node, state)
        state = self._mutate(node, state)
        return self._hand_over(node, state)

    def _acted(self, node: ast.Call | ast.Attribute, state: RowState) -> RowState:
        """What a call or an assignment does to a session; nobody asks before rows are there."""
        return state.happened(self._knowledge.effects(node), node) if state.since else state

    def _consume_arguments(self, node: ast.Call, state: RowState) -> RowState:
        if isinstance(node.func, ast.Name) and node.func.id in SAME_ROWS | _PLAIN:
            for argument in node.args:
                state = self._executed(self._values.of(argument, state), state)
        return state

    def _executed(self, refs: Refs, state: RowState) -> RowState:
        """A lazy producer is executed when its rows are asked for."""
        for ref in refs:
            if ref.path == () and self.records[ref.site].producer.lazy and ref.site not in state.since:
                state = state.executed(ref.site)
        return state

    def _hand_over(self, node: ast.Call, state: RowState) -> RowState:
        """Rows as arguments or receiver of a call."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in SAME_ROWS | _PLAIN:
            return state
        if name == "getattr" and len(node.args) >= 2:
            return self._getattr(node, state)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            for ref in self._values.of(argument, state):
                reads = self._knowledge.reads(node, argument)
                inside = ref if not (ref.many or ref.listed) else ref.element()
                for path in reads.may | reads.must:
                    self._note_read(inside, (*inside.path, *path), node, state)
                    if path in reads.must and not ref.some:
                        state = state.read(ref.site, [(*inside.path, *path)])
                if reads.opaque:
                    self.records[ref.site].expose("reflection" if name == "vars" else "callee", ref.path, node)
        return state

    def _getattr(self, node: ast.Call, state: RowState) -> RowState:
        named = node.args[1]
        for ref in self._values.of(node.args[0], state):
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                state = self._read_member(ref, named.value, node, state, alone=True)
            else:
                self.records[ref.site].expose("reflection", ref.path, node)
        return state

    def _mutate(self, node: ast.Call, state: RowState) -> RowState:
        """A method that changes a list: a collection of a row is written to, a local list takes rows in or loses
        some."""
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS):
            return state
        holder = node.func.value
        if any(ref.many and ref.path for ref in self._values.of(holder, state)):
            state = state.happened(["write"], node)
        if isinstance(holder, ast.Name) and node.args:
            refs = self._values.union(node.args, state)
            taken = frozenset(ref._replace(listed=True, some=True) for ref in refs)
            state = state.bind(holder.id, state.names.get(holder.id, NOTHING) | taken) if taken else state
        return state

    def _body_per_element(self, node: ast.Call, state: RowState) -> RowState:
        """`sorted(rows, key=lambda u: ...)` and `map(lambda u: ..., rows)` run the body for each row."""
        body, rows = _lambda_over_rows(node)
        if body is None or rows is None or len(body.args.args) != 1:
            return state
        elements = self._values.elements(rows, state)
        if not elements:
            return state
        name = body.args.args[0].arg
        start = state
        for ref in elements:
            start = start.forget_under(ref)
        inside = Evaluator(self).evaluate(body.body, start.bind(name, elements))
        if inside is None or len(elements) != 1:
            return state
        (ref,) = elements
        read = inside.reads.get(ref.site) or frozenset()
        return state if ref.some else state.read(ref.site, (path for path in read if is_under(path, ref.path)))

    def _attribute(self, node: ast.Attribute, state: RowState) -> RowState:
        refs = self._values.of(node.value, state)
        if not isinstance(node.ctx, ast.Load):
            return self._acted(node, state)
        if node.attr in _TAKING:
            state = state.changed(ref.site for ref in refs if ref.many or ref.listed)
        for ref in refs:
            state = self._read_member(ref, node.attr, node, state, alone=len(refs) == 1)
            self.records[ref.site].joined |= {other.site for other in refs if other.site is not ref.site}
        return state

    def _read_member(self, ref: RowRef, name: str, node: ast.AST, state: RowState, *, alone: bool) -> RowState:
        if ref.many or ref.listed:
            return state
        path = (*ref.path, name)
        record = self.records[ref.site]
        if name in _REFLECTING:
            record.expose("reflection", ref.path, node)
            return state
        match self._knowledge.member(ref.site, path):
            case "relationship" | "collection":
                self._note_read(ref, path, node, state)
                if alone and not ref.some:
                    return state.read(ref.site, [path])
            case "member":
                record.expose("member", path, node)
        return state

    def _note_read(self, ref: RowRef, path: Path, node: ast.AST, state: RowState) -> None:
        self.records[ref.site].read(path, node, state.since.get(ref.site, frozenset()))

    def _subscript(self, node: ast.Subscript, state: RowState) -> RowState:
        """An item that is assigned or deleted is no longer one of the rows."""
        if isinstance(node.ctx, ast.Load):
            return state
        return state.changed(ref.site for ref in self._values.of(node.value, state))

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
            state = self._executed(self._values.of(source, state), state)
            for ref in self._values.elements(source, state):
                self._turns.setdefault(node, {}).setdefault(ref, frozenset())
                loops = self.records[ref.site].loops
                if node not in loops:
                    loops.append(node)
                state = state.start_turn(ref)
        return state

    def _store(self, node: ast.Assign | ast.AnnAssign, state: RowState) -> RowState:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets):
            self._expose("stored", self._values.of(node.value, state), node)
        return state

    def _return(self, node: ast.Return, state: RowState) -> RowState:
        self._expose("returned", self._values.of(node.value, state), node)
        return state.end_turns(state.turning)

    def _yield(self, node: ast.Yield | ast.YieldFrom, state: RowState) -> RowState:
        self._expose("yielded", self._values.of(node.value, state), node)
        return state

    def _capture(self, node: ast.AST, state: RowState) -> RowState:
        inner = self._scope.innermost(node).find(node) if isinstance(node, ast.expr | ast.stmt) else None  # type: ignore[arg-type]
        names = inner.free_names() if inner is not None else set()
        for name in names & set(state.names):
            self._expose("captured", state.names[name], node)
        return state

    def _expose(self, kind: ExposureKind, refs: Iterable[RowRef], node: ast.AST) -> None:
        for ref in refs:
            self.records[ref.site].expose(kind, ref.path, node)


def _sources(iterated: ast.expr) -> list[ast.expr]:
    """What is gone over: the arguments of `enumerate` and `zip`, else the iterable itself."""
    match iterated:
        case ast.Call(func=ast.Name(id="enumerate"), args=[first, *_]):
            return [first]
        case ast.Call(func=ast.Name(id="zip"), args=args):
            return args
    return [iterated]


def _lambda_over_rows(node: ast.Call) -> tuple[ast.Lambda | None, ast.expr | None]:
    key = next((keyword.value for keyword in node.keywords if keyword.arg == "key"), None)
    match node:
        case ast.Call(func=ast.Name(id="sorted" | "min" | "max"), args=[rows]) if isinstance(key, ast.Lambda):
            return key, rows
        case ast.Call(func=ast.Attribute(value=rows, attr="sort"), args=[]) if isinstance(key, ast.Lambda):
            return key, rows
        case ast.Call(func=ast.Name(id="map"), args=[ast.Lambda() as body, rows]):
            return body, rows
    return None, None


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
