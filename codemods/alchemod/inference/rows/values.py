"""What an expression may be, as far as rows are concerned."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Final

from alchemod.inference.rows.knowledge import Producer, RowKnowledge
from alchemod.inference.rows.notes import Notes
from alchemod.inference.rows.refs import NOTHING, Refs, RowRef, within_reach
from alchemod.inference.rows.state import RowState

SAME_ROWS: Final = frozenset({"list", "sorted", "tuple", "set", "frozenset", "reversed", "iter"})
_SOME_ROWS: Final = frozenset({"filter", "islice"})
_ONE_ROW: Final = frozenset({"next", "min", "max"})
_TAKING: Final = frozenset({"pop", "popleft"})


class RowValues:
    """The values of expressions in one function."""

    def __init__(self, knowledge: RowKnowledge, notes: Notes) -> None:
        self._knowledge: Final = knowledge
        self._notes: Final = notes
        self._producers: Final[dict[ast.Call | ast.Attribute, Refs]] = {}
        self._made: Final[dict[ast.expr, Refs]] = {}

    def produced(self, call: ast.Call | ast.Attribute, producer: Producer) -> None:
        """Note that `call` is a producer."""
        self._producers[call] = frozenset([RowRef(call, *producer.given)])

    def made(self, node: ast.expr, refs: Refs) -> None:
        """Note what a call or comprehension gave when it was evaluated."""
        if refs:
            self._made[node] = self._made.get(node, NOTHING) | refs

    def of(self, node: ast.expr | None, state: RowState) -> Refs:
        """What `node` may be, once it has been evaluated."""
        match node:
            case ast.Name(id=name):
                return state.names.get(name, NOTHING)
            case ast.Call():
                return self._producers.get(node) or self._made.get(node, NOTHING) | self._notes.given_by(node)
            case ast.Await(value=value) | ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.of(value, state)
            case ast.Attribute():
                return self._producers.get(node) or self._attribute(node, state) | self._notes.given_by(node)
            case ast.Subscript(value=value, slice=index):
                return self._subscript(self.of(value, state), index)
            case ast.IfExp(body=body, orelse=orelse):
                return self.of(body, state) | self.of(orelse, state)
            case ast.BoolOp(values=parts):
                return self.union(parts, state)
            case ast.BinOp(left=left, right=right):
                return self.union((left, right), state)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.Dict(values=parts):
                return frozenset(ref.within().part() for ref in self.union(parts, state))
            case None:
                return NOTHING
        return self._made.get(node, NOTHING)

    def union(self, nodes: Iterable[ast.expr], state: RowState) -> Refs:
        """What any of `nodes` may be."""
        return NOTHING.union(*(self.of(node, state) for node in nodes))

    def of_call(self, call: ast.Call, state: RowState) -> Refs:
        """What a call that is no producer gives, if it hands on rows it got."""
        match call.func:
            case ast.Name(id=name) if call.args:
                given = self.of(call.args[-1] if name == "filter" else call.args[0], state)
                if name in SAME_ROWS:
                    return given
                if name in _SOME_ROWS:
                    return frozenset(ref.part() for ref in given)
                if name in _ONE_ROW:
                    return frozenset(ref.element().part() for ref in given)
            case ast.Attribute(value=holder, attr=name):
                held = self.of(holder, state)
                if name in _TAKING:
                    return frozenset(ref.element().part() for ref in held)
                if name in ("values", "items", "copy"):
                    return frozenset(ref for ref in held if ref.many or ref.listed)
                if name in ("get", "setdefault"):
                    return frozenset(ref.element().part() for ref in held if ref.listed)
        return NOTHING

    def elements(self, source: ast.expr, state: RowState) -> Refs:
        """What an element of `source` may be, when it is iterated over."""
        return frozenset(ref.element() for ref in self.of(source, state) if ref.many or ref.listed)

    def target(self, source: ast.expr, position: tuple[int, ...] | None, state: RowState, element: bool) -> Refs:
        """What a name gets from `source` (or, with `element`, from an element of it) at a position of unpacking."""
        if element and position and isinstance(source, ast.Call) and isinstance(source.func, ast.Name):
            if source.func.id == "enumerate" and source.args:
                rest = position[1:]
                return self.target(source.args[0], rest, state, True) if position[0] == 1 else NOTHING
            if source.func.id == "zip" and position[0] < len(source.args):
                rows = self.target(source.args[position[0]], position[1:], state, True)
                return rows if len(source.args) == 1 else frozenset(ref.part() for ref in rows)
        if element and position and (held := self._values_of_pairs(source, state)) is not None:
            for index in position[1:]:
                held = self._position(held, index)
            return held if position[0] == 1 else NOTHING
        refs = self.elements(source, state) if element else self.of(source, state)
        for index in position if position is not None else ():
            refs = self._position(refs, index)
        return frozenset(ref.part() for ref in refs) if position is None else refs

    def _values_of_pairs(self, source: ast.expr, state: RowState) -> Refs | None:
        """The second parts of the pairs that `d.items()` and `groupby(rows)` give, sorted or not; None for others."""
        while isinstance(source, ast.Call) and isinstance(source.func, ast.Name) and source.func.id in SAME_ROWS:
            if not source.args:
                return None
            source = source.args[0]
        match source:
            case ast.Call(func=ast.Attribute(value=holder, attr="items"), args=[]):
                return frozenset(ref.element().part() for ref in self.of(holder, state) if ref.listed)
            case ast.Call(func=ast.Name(id="groupby") | ast.Attribute(attr="groupby"), args=[rows, *_]):
                return frozenset(ref.part() for ref in self.of(rows, state) if ref.many or ref.listed)
        return None

    def _position(self, refs: Refs, index: int) -> Refs:
        found = set()
        for ref in refs:
            if ref.many or ref.listed:
                found.add(ref.element().part())
                continue
            match self._knowledge.member(ref, f"#{index}"):
                case "entity":
                    found.add(ref.step(f"#{index}", many=False))
        return frozenset(found)

    def _attribute(self, node: ast.Attribute, state: RowState) -> Refs:
        found = set()
        for ref in self.of(node.value, state):
            if ref.many or ref.listed:
                continue
            kind = self._knowledge.member(ref, node.attr)
            step = ref.step(node.attr, kind == "collection")
            if kind in ("relationship", "collection", "entity") and within_reach(step.path) == step.path:
                found.add(step)
        return frozenset(found)

    def _subscript(self, refs: Refs, index: ast.expr) -> Refs:
        if isinstance(index, ast.Slice):
            return frozenset(ref.part() for ref in refs)
        if isinstance(index, ast.Constant) and isinstance(index.value, int) and index.value >= 0:
            return self._position(refs, index.value)
        return frozenset(ref.element().part() for ref in refs if ref.many or ref.listed)
