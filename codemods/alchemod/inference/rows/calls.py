"""What a call does with the rows it gets: takes them in, runs a function for each of them, hands them on."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from alchemod.inference.rows.knowledge import Act, RowKnowledge
from alchemod.inference.rows.notes import Notes
from alchemod.inference.rows.refs import NOTHING, Refs, is_under
from alchemod.inference.rows.state import RowState
from alchemod.inference.rows.values import SAME_ROWS, RowValues

Evaluate = Callable[[ast.expr, RowState], RowState | None]

PLAIN: Final = SAME_ROWS | {
    "len", "bool", "isinstance", "id", "type", "enumerate", "zip", "filter", "min", "max", "next", "sum", "any", "all",
}  # fmt: skip
"""Builtins that look at rows no further than to go over them."""
POPPING: Final = frozenset({"pop", "popleft"})
"""Methods that take one element after the other out of a list, when a `while` loop calls them."""
TAKING: Final = frozenset({"pop", "popleft", "remove", "discard", "clear"})
_TAKING_ALL: Final = frozenset({"extend", "update"})
_MUTATORS: Final = frozenset({"append", "extend", "insert", "add", "update"}) | TAKING


class Calls:
    """The calls of one function. `evaluate` runs an expression over a state."""

    def __init__(self, knowledge: RowKnowledge, notes: Notes, values: RowValues, evaluate: Evaluate) -> None:
        self._knowledge: Final = knowledge
        self._notes: Final = notes
        self._values: Final = values
        self._evaluate: Final = evaluate
        self._applied: Final[dict[ast.Call, ast.Call]] = {}

    def event(self, node: ast.Call, state: RowState) -> RowState:
        """A call, its arguments evaluated."""
        producer = self._knowledge.producer(node)
        if producer is not None:
            state = state.happened(self._act(node))
            self._values.produced(node, producer)
            return self._notes.produced(node, producer, state)
        self._values.made(node, self._values.of_call(node, state))
        if isinstance(node.func, ast.Attribute) and node.func.attr in POPPING:
            holders = self._values.of(node.func.value, state)
            self._notes.looped(node, frozenset(ref.element() for ref in holders if ref.many or ref.listed))
        state = self._consume_arguments(node, state)
        state = self._body_per_element(node, state)
        state = self._hand_over(node, state)
        return self._mutate(node, state.happened(self._act(node)))

    def _act(self, node: ast.Call) -> Act:
        return Act(node, node, self._knowledge)

    def _consume_arguments(self, node: ast.Call, state: RowState) -> RowState:
        if isinstance(node.func, ast.Name) and node.func.id in PLAIN:
            for argument in node.args:
                refs = self._values.of(argument, state)
                state = self._notes.executed(frozenset(ref for ref in refs if ref.path == ()), state)
        return state

    def _hand_over(self, node: ast.Call, state: RowState) -> RowState:
        """Rows as arguments or receiver of a call."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in PLAIN or node in self._applied:
            return state
        if name == "vars":
            self._notes.expose("reflection", self._values.union(node.args, state), node)
            return state
        if name in ("getattr", "hasattr") and len(node.args) >= 2:
            return self._getattr(node, state)
        for argument in self._knowledge.arguments(node):
            refs = self._values.of(argument, state)
            for ref in refs:
                if isinstance(node.func, ast.Attribute) and argument is node.func.value and (ref.many or ref.listed):
                    continue  # a method of a list, not of a row
                handed = self._knowledge.handed(node, argument, ref)
                state = self._notes.hand(ref, handed, node, state, alone=len(refs) == 1)
        return state

    def _getattr(self, node: ast.Call, state: RowState) -> RowState:
        named = node.args[1]
        for ref in self._values.of(node.args[0], state):
            if isinstance(named, ast.Constant) and isinstance(named.value, str):
                state = self._notes.read_member(ref, named.value, node, state, alone=True)
            else:
                self._notes.expose("reflection", [ref], node)
        return state

    def _mutate(self, node: ast.Call, state: RowState) -> RowState:
        """A method that changes a list: a collection of a row is written to, a local list takes rows in or loses
        some."""
        if not (isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS):
            return state
        holder = node.func.value
        if any(ref.many and ref.path for ref in self._values.of(holder, state)):
            state = state.happened(Act(node, node, self._knowledge, frozenset(["write"])))
        refs = self._values.union(node.args, state) if node.args else NOTHING
        if node.func.attr in _TAKING_ALL:
            refs = frozenset(ref.element() for ref in refs if ref.many or ref.listed)
        return self._notes.put(holder, refs, state)

    def _body_per_element(self, node: ast.Call, state: RowState) -> RowState:
        """`sorted(rows, key=lambda u: ...)` and `map(show, rows)` run a function for each row."""
        function, rows = function_over_rows(node)
        elements = self._values.elements(rows, state) if rows is not None else NOTHING
        if function is None or not elements:
            return state
        self._notes.looped(node, elements)
        if not isinstance(function, ast.Lambda):
            return self._function_per_element(node, function, elements, state)
        if len(function.args.args) != 1:
            return state
        start = state
        for ref in elements:
            start = start.forget_under(ref)
        inside = self._evaluate(function.body, start.bind(function.args.args[0].arg, elements))
        if inside is None or len(elements) != 1:
            return state
        (ref,) = elements
        read = inside.reads.get(ref.site) or frozenset()
        return state if ref.some else state.read(ref.site, (path for path in read if is_under(path, ref.path)))

    def _function_per_element(self, node: ast.Call, function: ast.expr, elements: Refs, state: RowState) -> RowState:
        row = ast.copy_location(ast.Name("row", ast.Load()), function)
        call = self._applied.setdefault(node, ast.copy_location(ast.Call(function, [row], []), node))
        for ref in elements:
            handed = self._knowledge.handed(call, call.args[0], ref)
            state = self._notes.hand(ref, handed, node, state, alone=len(elements) == 1)
            self._values.made(node, frozenset(ref.led(given).within() for given in handed.gives))
        return state.happened(Act(call, node, self._knowledge))


def function_over_rows(node: ast.Call) -> tuple[ast.expr | None, ast.expr | None]:
    """The function that a call runs for each element, and what the elements are those of."""
    key = next((keyword.value for keyword in node.keywords if keyword.arg == "key"), None)
    match node:
        case ast.Call(func=ast.Name(id="sorted" | "min" | "max"), args=[rows]):
            return key, rows
        case ast.Call(func=ast.Attribute(value=rows, attr="sort"), args=[]):
            return key, rows
        case ast.Call(func=ast.Name(id="map"), args=[body, rows]):
            return body, rows
        case ast.Call(func=ast.Name(id="filter"), args=[ast.expr() as body, rows]):
            return None if isinstance(body, ast.Constant) else body, rows
    return None, None
