"""How the session and its objects get out of a function: stored, captured, returned, raised."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alchemod.inference.ownership.calls import Calls
from alchemod.inference.ownership.knowledge import SessionKnowledge
from alchemod.inference.ownership.record import Record
from alchemod.inference.ownership.state import Facts, Ref, State, Value
from alchemod.inference.ownership.values import OBJECTS, Values
from alchemod.inference.scoping.scopes import FUNCTIONS, FunctionNode, Scope

_HOLDING: Final = ("session", "lazy", "carrier", "holder")
_CONTAINERS: Final = (ast.Tuple, ast.List, ast.Set, ast.Dict)


class Outlets:
    """The ways out of one function, for one session."""

    def __init__(self, record: Record, calls: Calls, scope: Scope, values: Values, knowledge: SessionKnowledge) -> None:
        self._record: Final = record
        self._calls: Final = calls
        self._scope: Final = scope
        self._values: Final = values
        self._knowledge: Final = knowledge

    def outside(self, value: ast.expr, node: ast.Name, facts: Facts) -> Facts:
        """A global or nonlocal name gets a value."""
        stored = self._values.of(value, facts)
        if any(ref.kind in ("session", "holder") for ref in stored):
            self._record.escape("stored", node)
        return facts.let_out((ref for ref in stored if ref.kind in OBJECTS or ref.kind in ("lazy", "carrier")), node)

    def capture(self, node: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, state: State) -> State:
        """A lambda, function or class inside keeps what it uses, and its defaults. A plain function that is only called
        holds the session."""
        inner = self._scope.find(node)
        names = inner.free_names() if inner is not None else set()
        given = [] if isinstance(node, ast.ClassDef) else [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        result: State = {}
        for life, facts in state.items():
            captured = {name: facts.names[name] for name in names & set(facts.names)}
            defaults = self._values.union(given, facts)
            value = defaults.union(*captured.values())
            holding = [name for name, held in captured.items() if any(ref.kind in _HOLDING for ref in held)]
            if any(ref.kind in _HOLDING for ref in defaults):
                self._record.escape("captured", node)
            elif len(holding) == 1 and isinstance(node, FUNCTIONS) and _is_plain(node, inner, holding[0]):
                facts = facts.bind(node.name, frozenset([Ref("holder", node, (holding[0],))]))
            elif holding:
                self._record.escape("captured", node)
            result[life] = facts.let_out((ref for ref in value if ref.kind in OBJECTS), node)
        return result

    def store(self, target: ast.Attribute | ast.Subscript, node: ast.Assign | ast.AnnAssign, state: State) -> State:
        """An attribute or item gets a value."""
        result: State = {}
        for life, facts in state.items():
            value = self._values.of(node.value, facts)
            holder = self._values.of(target.value, facts)
            if isinstance(target, ast.Attribute) and self._knowledge.attribute(target) in (
                "column",
                "computed",
                "deferred",
            ):
                value = frozenset(ref for ref in value if ref.kind not in ("parameter", "outer"))  # it holds no object
            result[life] = self._calls.put_into(target.value, holder, value, node, facts)
        return result

    def take(self, loop: ast.For | ast.AsyncFor | ast.comprehension, state: State) -> State:
        """A loop gives each element to attributes or items: `for self.row in rows`."""
        targets = [part for part in ast.walk(loop.target) if isinstance(part, ast.Attribute | ast.Subscript)]
        targets = [target for target in targets if isinstance(target.ctx, ast.Store)]
        for target in targets:
            result: State = {}
            for life, facts in state.items():
                value = self._values.element(self._values.of(loop.iter, facts))
                holder = self._values.of(target.value, facts)
                result[life] = self._calls.put_into(target.value, holder, value, loop, facts)
            state = result
        return state

    def give_back(self, node: ast.Return, state: State) -> State:
        """A `return`."""
        result: State = {}
        for life, facts in state.items():
            value = self._values.of(node.value, facts)
            if any(ref.kind in ("session", "carrier", "holder") for ref in value):
                self._record.escape("returned", node)
                if isinstance(node.value, _CONTAINERS):
                    self._record.escape("stored", node)
            leading = {(ref, node) for ref in value if ref.kind in OBJECTS or ref.kind == "lazy"}
            result[life] = replace(facts, returned=frozenset(leading))
        return result

    def throw(self, node: ast.Raise, state: State) -> State:
        """A `raise`, whose arguments get to whoever handles it."""
        arguments = [*node.exc.args, *(k.value for k in node.exc.keywords)] if isinstance(node.exc, ast.Call) else []
        return self.tell(arguments, node, state)

    def tell(self, arguments: Sequence[ast.expr], node: ast.AST, state: State) -> State:
        """The arguments of an exception, which keeps them as long as somebody holds it."""
        result: State = {}
        for life, facts in state.items():
            value = self._values.union(arguments, facts)
            if any(ref.kind in ("session", "holder") for ref in value):
                self._record.escape("stored", node)
            result[life] = facts.let_out((ref for ref in value if ref.kind in OBJECTS or ref.kind == "lazy"), node)
        return result

    def augment(self, node: ast.AugAssign, state: State) -> State:
        """`kept += rows` changes what `kept` holds in place, and that may be seen outside."""
        result: State = {}
        for life, facts in state.items():
            value = self._values.of(node.value, facts)
            holder = self._values.of(node.target, facts)
            seen = not isinstance(node.target, ast.Name) or any(ref.kind in ("parameter", "outer") for ref in holder)
            result[life] = self._kept(value, node, facts) if seen else facts
        return result

    def operate(self, node: ast.BinOp, state: State) -> State:
        """An operator of something from outside may keep its operand: `KEPT << row`."""
        result: State = {}
        for life, facts in state.items():
            sides = [self._values.of(side, facts) for side in (node.left, node.right)]
            foreign = any(ref.kind in ("parameter", "outer") for value in sides for ref in value)
            result[life] = self._kept(sides[0] | sides[1], node, facts) if foreign else facts
        return result

    def _kept(self, value: Value, node: ast.AST, facts: Facts) -> Facts:
        if any(ref.kind in ("session", "holder") for ref in value):
            self._record.escape("stored", node)
        return facts.let_out((ref for ref in value if ref.kind in OBJECTS or ref.kind == "lazy"), node)


def _is_plain(node: FunctionNode, inner: Scope | None, name: str) -> bool:
    """Whether a function inside runs as it is written, and does not set the name that it uses."""
    return inner is not None and not node.decorator_list and name not in inner.rebound_inside
