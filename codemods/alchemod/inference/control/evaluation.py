"""Evaluates expressions over the states of a domain: the steps in order, both ways at a fork, the edges of
exceptions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final, Generic, TypeAlias

from alchemod.inference.control.domain import Channel, Channels, Domain, S, TooComplexError
from alchemod.inference.control.steps import Fork, MayRaise, Step, steps_of
from alchemod.inference.scoping.scopes import Comprehension

Steps: TypeAlias = dict[ast.expr, list[Step]]
"""The steps of expressions already met. Walks of one function with domains of one class may share them."""

MAX_DEPTH: Final = 100
MAX_TURNS: Final = 30


class Evaluator(Generic[S]):
    """Evaluates the expressions of one function. A state None is a way that is not taken."""

    def __init__(self, domain: Domain[S], steps: Steps | None = None) -> None:
        self._domain: Final = domain
        self._depth = 0
        self._steps: Final[Steps] = {} if steps is None else steps

    def evaluate(self, node: ast.expr, state: S) -> S | None:
        """The state behind `node`, exceptions left aside: for a domain that runs the body of a lambda itself."""
        return self._evaluate(node, state, {})

    def _evaluate(self, node: ast.expr, state: S | None, out: Channels[S]) -> S | None:
        """The state behind `node`; exits of its evaluation are added to `out`."""
        if state is None:
            return None
        steps = self._steps.get(node)
        if steps is None:
            steps = self._steps[node] = steps_of(node, self._domain.wanted, self._domain.runs_now)
        for step in steps:
            if isinstance(step, MayRaise):
                self._add(out, "raise", state)
            elif isinstance(step, Fork):
                state = self._fork(step, state, out)
            else:
                state = self._event(step, state, out)
            if state is None:
                return None
        return state

    def _event(self, node: ast.AST, state: S | None, out: Channels[S]) -> S | None:
        if state is None:
            return None
        after = self._domain.event(node, state)
        self._add(out, "raise", self._domain.raised(node, state, after))
        if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom)):
            self._add(out, "base", state if after is None else after)
        return after

    def _branch(self, test: ast.expr, state: S | None, out: Channels[S]) -> tuple[S | None, S | None]:
        """The states in which `test` is true and false."""
        self._descend()
        holds: S | None
        fails: S | None
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            fails, holds = self._branch(test.operand, state, out)
        elif isinstance(test, ast.BoolOp):
            holds, fails = self._bool(test, state, out)
        else:
            state = self._evaluate(test, state, out)
            holds = fails = None
            if state is not None:
                holds = self._domain.refine(test, True, state)
                fails = self._domain.refine(test, False, state)
        self._depth -= 1
        return holds, fails

    def _bool(self, node: ast.BoolOp, state: S | None, out: Channels[S]) -> tuple[S | None, S | None]:
        stopped: S | None = None
        goes_on_if = isinstance(node.op, ast.And)
        for value in node.values:
            holds, fails = self._branch(value, state, out)
            state, stops = (holds, fails) if goes_on_if else (fails, holds)
            stopped = self._join(stopped, stops)
        return (state, stopped) if goes_on_if else (stopped, state)

    def _fork(self, fork: Fork, state: S, out: Channels[S]) -> S | None:
        self._descend()
        result: S | None
        match fork.node:
            case ast.BoolOp(values=values):
                result = self._short_circuit(fork.node, values, state, out)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                holds, fails = self._branch(test, state, out)
                result = self._join(self._evaluate(body, holds, out), self._evaluate(orelse, fails, out))
            case ast.Compare():
                result = self._comparison(fork.node, state, out)
            case _:
                result = self._comprehension(fork.node, state, out)
        self._depth -= 1
        return result

    def _short_circuit(self, node: ast.BoolOp, values: Sequence[ast.expr], state: S, out: Channels[S]) -> S | None:
        """Like `_bool`, but the last operand is evaluated for its value, not for its truth."""
        following: S | None = state
        stopped: S | None = None
        for value in values[:-1]:
            holds, fails = self._branch(value, following, out)
            following, stops = (holds, fails) if isinstance(node.op, ast.And) else (fails, holds)
            stopped = self._join(stopped, stops)
        return self._join(stopped, self._evaluate(values[-1], following, out))

    def _comparison(self, node: ast.Compare, state: S, out: Channels[S]) -> S | None:
        following = self._evaluate(node.left, state, out)
        stopped: S | None = None
        for operand in node.comparators:
            following = self._event(node, self._evaluate(operand, following, out), out)
            stopped = self._join(stopped, following)
        return stopped

    def _comprehension(self, node: Comprehension, state: S, out: Channels[S]) -> S | None:
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        done = self._clauses(node, node.generators, results, state, out)
        return None if done is None else self._domain.end_comprehension(node, state, done)

    def _clauses(
        self,
        node: Comprehension,
        clauses: Sequence[ast.comprehension],
        results: Sequence[ast.expr],
        state: S | None,
        out: Channels[S],
    ) -> S | None:
        if not clauses:
            for result in results:
                state = self._evaluate(result, state, out)
            return state
        clause, *rest = clauses
        start = head = self._evaluate(clause.iter, state, out)
        if start is None or head is None:
            return None
        for _ in range(MAX_TURNS):
            element = self._event(clause, head, out)
            if clause.is_async:
                self._add(out, "base", element)
            turn = self._evaluate(clause.target, element, out)
            skipped: S | None = None
            for test in clause.ifs:
                turn, fails = self._branch(test, turn, out)
                skipped = self._join(skipped, fails)
            end = self._join(skipped, self._clauses(node, rest, results, turn, out))
            if end is not None:
                end = self._domain.end_turn(clause, end)
            again = self._join(head, end)
            if again is None or again is head or again == head:
                return None if element is None else self._domain.turned(clause, start, element, True)
            head = again
        raise TooComplexError

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooComplexError

    def _may_raise(self, state: S | None, out: Channels[S]) -> S | None:
        self._add(out, "raise", state)
        return state

    def _join(self, a: S | None, b: S | None) -> S | None:
        if a is None or a is b:
            return b
        return a if b is None else self._domain.join(a, b)

    def _add(self, out: Channels[S], channel: Channel, state: S | None) -> None:
        if state is not None:
            present = out.get(channel)
            if present is not state:
                out[channel] = state if present is None else self._domain.join(present, state)

    def _pass_on(self, inner: Channels[S], out: Channels[S]) -> None:
        for channel, state in inner.items():
            self._add(out, channel, state)
