"""What a call does to the session that is followed, to its transaction and to its objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.inference.ownership.effects import Effects, arguments_of
from alchemod.inference.ownership.knowledge import Product, SessionKnowledge
from alchemod.inference.ownership.record import EscapeKind, Outcome, Record, note
from alchemod.inference.ownership.state import (
    NOTHING,
    SESSION,
    Data,
    Facts,
    Life,
    Ref,
    RefKind,
    State,
    Value,
    is_open,
    with_life,
)
from alchemod.inference.ownership.values import OBJECTS, TIED, Values, receiver_of
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.summaries.vocabulary import Given, Treatment

_CONSUMERS: Final = {"list", "sorted", "tuple", "set", "frozenset", "dict", "next", "min", "max", "any", "all", "sum"}
_PASS_ON: Final = {
    "list",
    "sorted",
    "tuple",
    "set",
    "frozenset",
    "reversed",
    "iter",
    "enumerate",
    "zip",
    "next",
    "filter",
}
_PLAIN: Final = {
    "len",
    "str",
    "repr",
    "bool",
    "int",
    "float",
    "isinstance",
    "hasattr",
    "id",
    "type",
    "print",
    "any",
    "all",
}
_APPLYING: Final = {"map", "filter", "reduce", "starmap"}
_CLOSING: Final = {"closing", "aclosing"}
_STACKS: Final = {"enter_context", "enter_async_context", "push", "push_async_exit"}
_MUTATORS: Final = {"append", "add", "insert", "extend", "update", "setdefault", "put", "put_nowait", "appendleft"}
_ADDERS: Final = {"add", "add_all", "merge", "merge_all"}


class Calls:
    """The calls of one function, for one session."""

    def __init__(
        self, record: Record, effects: Effects, scope: Scope, values: Values, knowledge: SessionKnowledge
    ) -> None:
        self._record: Final = record
        self._receiver: Final = receiver_of(scope)
        self._scope: Final = scope
        self._values: Final = values
        self._knowledge: Final = knowledge
        self._effects: Final = effects

    def event(self, call: ast.Call, state: State) -> State | None:
        """The state after the call."""

        def change(life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
            yield from self._one(call, life, facts)

        return with_life(state, change)

    def consume(self, source: ast.expr, node: ast.AST, state: State) -> State:
        """Iterating over `source`."""

        def change(life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
            yield self._consumed(self._values.of(source, facts), node, life, facts)

        return with_life(state, change)

    def put_into(self, target: ast.expr, holder: Value, value: Value, node: ast.AST, facts: Facts) -> Facts:
        """`value` is stored in an attribute or item of `target`, or appended to it."""
        if any(ref.kind in ("session", "holder") for ref in value):
            own = Ref("parameter", self._receiver)
            if own in holder and all(ref == own or ref.kind == "holder" for ref in holder):
                self._record.escape("held", node)
                return facts.bind(self._receiver or "", holder | {Ref("holder", node)})
            self._record.escape("stored", node)
        kept = [ref for ref in value if ref.kind in OBJECTS or ref.kind in ("lazy", "carrier", "holder")]
        if any(ref.kind in ("data", "rows") for ref in holder):
            return facts.let_out((ref for ref in value if ref.kind in ("parameter", "outer")), node)
        if not kept:
            return facts
        if isinstance(target, ast.Name) and not any(ref.kind in ("parameter", "outer") for ref in holder):
            facts = facts.bind(target.id, holder | frozenset(kept))
            if self._is_fresh(target.id):
                return facts
        return facts.let_out(kept, node)

    # One call in one life

    def _one(self, call: ast.Call, life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
        receiver = NOTHING
        if isinstance(call.func, ast.Attribute):
            receiver = self._values.of(call.func.value, facts)
        elif isinstance(call.func, ast.Name):
            receiver = self._values.of(call.func, facts) & facts.names.get(call.func.id, NOTHING)
        if SESSION in receiver and isinstance(call.func, ast.Attribute):
            yield from self._effects.method(call, call.func.attr, life, facts)
            return
        arguments = [(part, self._values.of(part, facts)) for part in arguments_of(call)]
        if _reads_frame(call) and any(SESSION in value for value in facts.names.values()):
            self._record.escape("captured", call)
        if not any(receiver) and not any(value for _, value in arguments):
            yield life, self._new_object(call, facts)
            return
        lives = list(self._receive(call, receiver, life, facts))
        for argument, value in arguments:
            lives = [after for way in lives for after in self._pass(call, argument, value, *way)]
        for way_life, way_facts in lives:
            yield way_life, self._result(call, receiver, arguments, way_facts)

    def _receive(self, call: ast.Call, receiver: Value, life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
        """The receiver is an object, a lazy value, a transaction or connection of the session, or holds the session."""
        kinds = {ref.kind for ref in receiver}
        held = next((ref for ref in receiver if ref.kind == "holder"), None)
        if held is not None:
            yield from self._lend(call, self._knowledge.through(call, held.path[0] if held.path else None), life, facts)
            return
        if "lazy" in kinds and self._knowledge.product(call).kind != "lazy":
            yield self._consumed(receiver, call, life, facts)
            return
        if "carrier" in kinds:
            self._record.use(call, "session", life, "fails")
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "rollback", "close"):
                begun = next(ref.site for ref in receiver if ref.kind == "carrier")
                facts = self._effects.ended(begun, call, facts)
        yield life, facts

    def _pass(
        self, call: ast.Call, argument: ast.expr, value: Value, life: Life, facts: Facts
    ) -> Iterator[tuple[Life, Facts]]:
        """An argument goes to the callee."""
        kinds = {ref.kind for ref in value}
        name = _callee_name(call)
        if SESSION in value:
            if name in _CLOSING:
                self._values.made(call, frozenset([SESSION]))
                yield life, facts
            elif name in _STACKS:
                note(self._record.managed, call)
                self._values.made(call, frozenset([SESSION]))
                yield life, facts
            elif name in _MUTATORS and isinstance(call.func, ast.Attribute):
                self._record.escape("stored", call)
                yield life, facts
            else:
                yield from self._lend(call, self._knowledge.treatment(call, argument, "session"), life, facts)
            return
        if "holder" in kinds and not (isinstance(call.func, ast.Name) and name in _PLAIN):
            yield from self._lend(call, self._knowledge.treatment(call, argument, "holder"), life, facts)
            return
        if "lazy" in kinds and isinstance(call.func, ast.Name) and name in _CONSUMERS:
            life, facts = self._consumed(value, call, life, facts)
        elif kinds & {"lazy", "rows"} and self._hands_on(call, facts):
            facts = facts.let_out(value, call)
        elif kinds & {"carrier", "lazy"} and not (isinstance(call.func, ast.Name) and name in _PASS_ON | _PLAIN):
            self._lend_carrier(call, argument, kinds, life)
        if kinds & OBJECTS:
            facts = self._lend_objects(call, argument, value, life, facts)
        yield life, facts

    def _hands_on(self, call: ast.Call, facts: Facts) -> bool:
        """Whether what is gone over gets to code that may keep it: `KEEP.extend(q)`, `map(KEEP.append, q)`."""
        name = _callee_name(call)
        if isinstance(call.func, ast.Attribute) and name in _MUTATORS:
            holder = call.func.value
            return not (isinstance(holder, ast.Name) and self._is_fresh(holder.id))
        called = call.args[0] if name in _APPLYING and isinstance(call.func, ast.Name) and call.args else None
        return called is not None and not isinstance(called, ast.Lambda) and _name_of(called) not in _PLAIN

    def _lend(self, call: ast.Call, treatment: Treatment, life: Life, facts: Facts) -> Iterator[tuple[Life, Facts]]:
        record = self._record
        record.use(call, "session", life, "fails")
        record.escape(self._escape_by(treatment), call)
        record.lent[call] = treatment
        if treatment.held != "no":
            facts = self._hold(call, treatment, facts)
        facts = self._effects.of_callee(call, treatment, facts)
        if treatment.returned:
            self._values.made(call, frozenset([SESSION]))
        if treatment.closes == "must":
            yield "C" if is_open([life]) else life, facts
            return
        if life == "C":
            note(record.reuses, call)
            life = "R"
        yield life, facts
        if treatment.closes == "may" and is_open([life]):
            yield "C", facts

    def _escape_by(self, treatment: Treatment) -> EscapeKind:
        if treatment.kept != "no":
            return "kept" if treatment.kept == "yes" else "unknown callee"
        return "closed by callee" if treatment.closes != "no" else "lent"

    def _hold(self, call: ast.Call, treatment: Treatment, facts: Facts) -> Facts:
        """The callee keeps the session in the object it makes, or in the one whose method it is."""
        holder = frozenset([Ref("holder", call)])
        if treatment.held == "result":
            self._values.made(call, holder)
            return facts
        match call.func:
            case ast.Attribute(value=ast.Name(id=name)) if name in self._scope.bindings:
                value = facts.names.get(name, NOTHING)
                if not any(ref.kind in ("parameter", "outer") for ref in value):
                    return facts.bind(name, value | holder)
        self._record.escape("kept", call)
        return facts

    def _lend_carrier(self, call: ast.Call, argument: ast.expr, kinds: set[RefKind], life: Life) -> None:
        treatment = self._knowledge.treatment(call, argument, "carrier" if "carrier" in kinds else "lazy")
        self._record.use(call, "lazy" if "lazy" in kinds else "session", life, "fails")
        if treatment.kept != "no" and "carrier" in kinds:
            self._record.escape("registered", call)

    def _lend_objects(self, call: ast.Call, argument: ast.expr, value: Value, life: Life, facts: Facts) -> Facts:
        refs = [ref for ref in value if ref.kind in OBJECTS]
        name = _callee_name(call)
        if name == "object_session" or (name in _ADDERS and self._is_other_session(call)):
            self._record.use(call, "elsewhere", life, "fails")
            return facts.change(Data.given_away, (ref.site for ref in refs if isinstance(ref.site, ast.AST)))
        if name in _MUTATORS and isinstance(call.func, ast.Attribute):
            holder = self._values.of(call.func.value, facts)
            return self.put_into(call.func.value, holder, frozenset(refs), call, facts)
        treatment = self._knowledge.treatment(call, argument, _given(refs))
        if treatment.reads != "nothing":
            self._record.use(call, "pass", life, self._outcome_of_lending(treatment, refs, facts))
        return facts.let_out(refs, call) if treatment.kept != "no" else facts

    def _outcome_of_lending(self, treatment: Treatment, refs: list[Ref], facts: Facts) -> Outcome:
        if treatment.reads == "unknown":
            return "unknown"
        held = [facts.data[ref.site] for ref in refs if isinstance(ref.site, ast.AST) and ref.site in facts.data]
        return "fails" if any("X" in data.elements and data.tied for data in held) else "works"

    def _result(self, call: ast.Call, receiver: Value, arguments: list[tuple[ast.expr, Value]], facts: Facts) -> Facts:
        """What the call gives, if it comes from the session or an object."""
        name = _callee_name(call)
        given = NOTHING.union(*(value for _, value in arguments))
        if isinstance(call.func, ast.Name) and name in _PLAIN:
            return facts
        match call:
            case ast.Call(func=ast.Name(id="next"), args=[ast.GeneratorExp() as generator, *_]):
                self._values.made(call, self._first_of(generator, facts))
                return facts
        if isinstance(call.func, ast.Name) and name in _PASS_ON:
            self._values.made(call, frozenset(_listed(ref, name) for ref in given if ref.kind in TIED))
            return facts
        if name in _CLOSING | _STACKS or (call in self._record.lent and self._record.lent[call].held == "result"):
            return facts
        if not any(ref.kind in TIED for ref in receiver | given):
            return self._new_object(call, facts, given)
        if not any(ref.kind in ("session", "lazy", "carrier", "holder") for ref in receiver | given):
            self._effects.holds[call] = given
            if self._knowledge.product(call).holds:
                return self._new_object(call, facts, given)
        return self._effects.product(call, facts, receiver | given)

    def _first_of(self, generator: ast.GeneratorExp, facts: Facts) -> Value:
        """What `next()` of a generator gives: an element of what it goes over, or something made of one."""
        source = self._values.of(generator.generators[0].iter, facts)
        element = frozenset(ref for ref in self._values.element(source) if ref.kind in TIED)
        match generator:
            case ast.GeneratorExp(elt=ast.Name(id=name), generators=[ast.comprehension(target=ast.Name(id=target))]):
                if name == target:
                    return element
        if self._knowledge.product(generator.elt).kind == "plain":
            return NOTHING
        return frozenset(Ref("unknown", ref.site) for ref in element)

    def _new_object(self, call: ast.Call, facts: Facts, given: Value = NOTHING) -> Facts:
        """A call that has nothing to do with the session may still make a mapped object, added to it later."""
        product = self._knowledge.product(call)
        if product.kind == "object":
            self._values.made(call, frozenset([Ref("data", call)]))
            self._effects.holds[call] = self._values.union(product.holds, facts)
            return facts.put(call, Data(tied=False, queried=False))
        return facts

    def _consumed(self, value: Value, node: ast.AST, life: Life, facts: Facts) -> tuple[Life, Facts]:
        lazies = [ref for ref in value if ref.kind == "lazy"]
        if not lazies:
            return life, facts
        self._record.use(node, "lazy", life, "fails", _source_of(lazies))
        for ref in lazies:
            if isinstance(ref.site, ast.AST):
                facts = self._effects.put(ref.site, Product("objects"), facts)
        if isinstance(node, ast.Call):
            facts = self._effects.product(node, facts, value)
        if life == "C":
            note(self._record.reuses, node)
            life = "R"
        return life, facts.in_transaction("begun")

    def _is_fresh(self, name: str) -> bool:
        """Whether the name only ever holds containers made in this function."""
        bindings = self._scope.bindings.get(name, [])
        return bool(bindings) and all(_is_new_container(binding.value) for binding in bindings)

    def _is_other_session(self, call: ast.Call) -> bool:
        if not isinstance(call.func, ast.Attribute):
            return False
        return self._knowledge.product(call.func.value).kind == "session"


def _reads_frame(call: ast.Call) -> bool:
    """Whether the callee sees all names of the function."""
    match call.func:
        case ast.Name(id="exec" | "eval"):
            return True
        case ast.Name(id="locals" | "vars"):
            return not call.args
    return False


def _source_of(refs: list[Ref]) -> ast.AST | None:
    return next((ref.site for ref in refs if isinstance(ref.site, ast.AST)), None)


def _given(refs: list[Ref]) -> Given:
    return "rows" if all(ref.kind == "rows" for ref in refs) else "object"


def _listed(ref: Ref, name: str) -> Ref:
    if name == "next":
        return ref.step("[]") if ref.kind == "rows" else ref
    if ref.kind == "lazy" and name in _CONSUMERS:
        return Ref("rows", ref.site)
    return ref


def _is_new_container(value: ast.expr | None) -> bool:
    match value:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="list" | "dict" | "set" | "defaultdict" | "deque")):
            return True
    return False


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _callee_name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
