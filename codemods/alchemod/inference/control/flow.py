"""The walker: runs a block of code over the states of a domain, along every way control can take.

`Walker.run(block, state)` returns the state in which each channel is left. A domain says what happens at a
node; the walker knows the order and the ways: branches, loops to their fixpoint, `try`, `finally` and
`with` on every channel, early exits, suspension at `yield` and `await`. Bodies of functions, lambdas and
classes inside are not run; the domain sees their node and may ask `scopes` what they capture.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from alchemod.inference.control.domain import Channel, Channels, Domain, S, TooComplexError
from alchemod.inference.control.evaluation import MAX_TURNS, Evaluator, Steps

_BASE_CLASSES: Final = {"BaseException", "GeneratorExit", "CancelledError", "KeyboardInterrupt", "SystemExit"}


class Walker(Evaluator[S]):
    """Runs blocks of one function over a domain."""

    def __init__(self, domain: Domain[S], steps: Steps | None = None, *, budget: int = 20_000) -> None:
        super().__init__(domain, steps)
        self._budget = budget
        self._handled: list[Channels[S]] = []

    def run(self, block: Sequence[ast.stmt], state: S) -> Channels[S]:
        """Run `block` from `state`.

        Raises TooComplexError where the code is nested too deeply or the budget of statements is used up.
        """
        out: Channels[S] = {}
        try:
            self._add(out, "next", self._block(block, state, out))
        except RecursionError:
            raise TooComplexError from None
        return out

    # Blocks and statements: each takes a state, returns that of `next`, and adds the other exits to `out`.

    def _block(self, block: Sequence[ast.stmt], state: S | None, out: Channels[S]) -> S | None:
        self._descend()
        self._budget -= len(block)
        if self._budget < 0:
            raise TooComplexError
        for statement in block:
            if state is None:
                break
            run = _STATEMENTS.get(type(statement))
            if run is not None:
                state = run(self, statement, state, out)
        self._depth -= 1
        return state

    def _assign(self, node: ast.Assign, state: S | None, out: Channels[S]) -> S | None:
        state = self._event(node, self._evaluate(node.value, state, out), out)
        for target in node.targets:
            for part in _matched_targets(target, node.value):
                state = self._evaluate(part, state, out)
        return state

    def _annotated(self, node: ast.AnnAssign, state: S | None, out: Channels[S]) -> S | None:
        if node.value is None:
            return state
        state = self._event(node, self._evaluate(node.value, state, out), out)
        return self._evaluate(node.target, state, out)

    def _augmented(self, node: ast.AugAssign, state: S | None, out: Channels[S]) -> S | None:
        state = self._event(node, self._evaluate(node.value, state, out), out)
        return self._evaluate(node.target, self._may_raise(state, out), out)

    def _expression(self, node: ast.Expr, state: S | None, out: Channels[S]) -> S | None:
        return self._event(node, self._evaluate(node.value, state, out), out)

    def _delete(self, node: ast.Delete, state: S | None, out: Channels[S]) -> S | None:
        state = self._event(node, state, out)
        for target in node.targets:
            state = self._evaluate(target, state, out)
        return state

    def _return(self, node: ast.Return, state: S | None, out: Channels[S]) -> None:
        if node.value is not None:
            state = self._evaluate(node.value, state, out)
        self._add(out, "return", self._event(node, state, out))

    def _raise(self, node: ast.Raise, state: S | None, out: Channels[S]) -> None:
        for part in (node.exc, node.cause):
            if part is not None:
                state = self._evaluate(part, state, out)
        state = self._event(node, state, out)
        for channel in self._raised_by(node):
            self._add(out, channel, state)

    def _raised_by(self, node: ast.Raise) -> Sequence[Channel]:
        if node.exc is None and self._handled:
            return [channel for channel in ("raise", "base") if channel in self._handled[-1]]
        name = _last_name(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
        return ["base"] if name in _BASE_CLASSES else ["raise"]

    def _assert(self, node: ast.Assert, state: S | None, out: Channels[S]) -> S | None:
        holds, fails = self._branch(node.test, state, out)
        if node.msg is not None:
            fails = self._event(node, self._evaluate(node.msg, fails, out), out)
        self._add(out, "raise", fails)
        return holds

    def _import(self, node: ast.Import | ast.ImportFrom, state: S | None, out: Channels[S]) -> S | None:
        for alias in node.names:
            state = self._event(alias, state, out)
        return state

    def _definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, state: S | None, out: Channels[S]
    ) -> S | None:
        parts = [*node.decorator_list]
        if isinstance(node, ast.ClassDef):
            parts += [*node.bases, *(keyword.value for keyword in node.keywords)]
        else:
            parts += [*node.args.defaults, *(part for part in node.args.kw_defaults if part is not None)]
        for part in parts:
            state = self._evaluate(part, state, out)
        if node.decorator_list:
            state = self._may_raise(state, out)
        return self._event(node, state, out)

    def _declaration(self, node: ast.Global | ast.Nonlocal, state: S | None, out: Channels[S]) -> S | None:
        return self._event(node, state, out)

    def _type_alias(self, node: Any, state: S | None, out: Channels[S]) -> S | None:
        return self._evaluate(node.name, state, out)

    def _break(self, node: ast.Break, state: S | None, out: Channels[S]) -> None:
        self._add(out, "break", state)

    def _continue(self, node: ast.Continue, state: S | None, out: Channels[S]) -> None:
        self._add(out, "continue", state)

    def _if(self, node: ast.If, state: S | None, out: Channels[S]) -> S | None:
        joined: S | None = None
        while True:
            holds, fails = self._branch(node.test, state, out)
            joined = self._join(joined, self._block(node.body, holds, out))
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                node, state = node.orelse[0], fails
                continue
            return self._join(joined, self._block(node.orelse, fails, out))

    def _while(self, node: ast.While, state: S | None, out: Channels[S]) -> S | None:
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)

        def turn(head: S, inner: Channels[S]) -> tuple[S | None, S | None]:
            holds, fails = (head, None) if endless else self._branch(node.test, head, inner)
            return fails, self._block(node.body, holds, inner)

        return self._loop(node, turn, state, out)

    def _for(self, node: ast.For | ast.AsyncFor, state: S | None, out: Channels[S]) -> S | None:
        def turn(head: S, inner: Channels[S]) -> tuple[S | None, S | None]:
            element = self._event(node, head, inner)
            if isinstance(node, ast.AsyncFor):
                self._add(inner, "base", element)
            return element, self._block(node.body, self._evaluate(node.target, element, inner), inner)

        return self._loop(node, turn, self._evaluate(node.iter, state, out), out)

    def _loop(
        self,
        node: ast.For | ast.AsyncFor | ast.While,
        turn: Callable[[S, Channels[S]], tuple[S | None, S | None]],
        state: S | None,
        out: Channels[S],
    ) -> S | None:
        if state is None:
            return None
        done, inner = self._fixpoint(node, turn, state)
        broken = inner.pop("break", None)
        inner.pop("continue", None)
        self._pass_on(inner, out)
        if done is not None:
            done = self._domain.turned(node, state, done, True)
        done = self._block(node.orelse, done, out)
        if broken is not None:
            broken = self._domain.turned(node, state, broken, False)
        return self._join(done, broken)

    def _fixpoint(
        self, node: ast.AST, turn: Callable[[S, Channels[S]], tuple[S | None, S | None]], head: S
    ) -> tuple[S | None, Channels[S]]:
        for _ in range(MAX_TURNS):
            inner: Channels[S] = {}
            done, end = turn(head, inner)
            end = self._join(end, inner.get("continue"))
            again = self._join(head, None if end is None else self._domain.end_turn(node, end))
            if again is None or again is head or again == head:
                return done, inner
            head = again
        raise TooComplexError

    def _try(self, node: Any, state: S | None, out: Channels[S]) -> S | None:
        if not node.finalbody:
            return self._try_except(node, state, out)
        inner: Channels[S] = {}
        self._add(inner, "next", self._try_except(node, state, inner))
        return self._on_every_channel(inner, out, lambda left, exits: self._block(node.finalbody, left, exits))

    def _on_every_channel(
        self, inner: Channels[S], out: Channels[S], final: Callable[[S, Channels[S]], S | None]
    ) -> S | None:
        ends: list[tuple[S, S | None]] = []
        following: S | None = None
        for channel, left in inner.items():
            end = next((end for start, end in ends if start is left or start == left), left)
            if not any(start is left or start == left for start, _ in ends):
                end = final(left, out)
                ends.append((left, end))
            if channel == "next":
                following = end
            else:
                self._add(out, channel, end)
        return following

    def _try_except(self, node: Any, state: S | None, out: Channels[S]) -> S | None:
        if not node.handlers:
            return self._block(node.orelse, self._block(node.body, state, out), out)
        inner: Channels[S] = {}
        following = self._block(node.body, state, inner)
        pending: Channels[S] = {c: inner.pop(c) for c in ("raise", "base") if c in inner}
        self._pass_on(inner, out)
        following = self._block(node.orelse, following, out)
        group = not isinstance(node, ast.Try)
        for handler in node.handlers:
            caught, pending = _split(pending, handler, group)
            following = self._join(following, self._handler(handler, caught, out))
        self._pass_on(pending, out)
        return following

    def _handler(self, node: ast.ExceptHandler, caught: Channels[S], out: Channels[S]) -> S | None:
        entry: S | None = None
        for state in caught.values():
            entry = self._join(entry, state)
        if entry is None:
            return None
        if node.type is not None:
            entry = self._evaluate(node.type, entry, {})
        self._handled.append(caught)
        inner: Channels[S] = {}
        following = self._block(node.body, self._event(node, entry, inner), inner)
        self._handled.pop()
        if node.name is None:
            self._pass_on(inner, out)
            return following
        for channel, left in inner.items():
            self._add(out, channel, self._domain.forget(node, left))
        return None if following is None else self._domain.forget(node, following)

    def _with(self, node: ast.With | ast.AsyncWith, state: S | None, out: Channels[S]) -> S | None:
        levels = [out]
        waits = isinstance(node, ast.AsyncWith)
        for item in node.items:
            state = self._evaluate(item.context_expr, state, levels[-1])
            failed: Channels[S] = {}
            state = self._event(item, state, failed)
            if waits:
                self._add(failed, "base", failed.get("raise"))
            self._pass_on(failed, levels[-1])
            levels.append({})
            if item.optional_vars is not None:
                state = self._evaluate(item.optional_vars, state, levels[-1])
        state = self._block(node.body, state, levels[-1])
        for item in reversed(node.items):
            inner = levels.pop()
            self._add(inner, "next", state)
            state = self._leave(item, inner, levels[-1], waits)
        return state

    def _leave(self, item: ast.withitem, inner: Channels[S], out: Channels[S], waits: bool) -> S | None:
        following: S | None = None
        for channel, left in inner.items():
            end = self._domain.leave(item, channel, left)
            self._add(out, "raise", end)
            if waits:
                self._add(out, "base", end)
            if channel == "next" or (channel == "raise" and self._domain.swallows(item, left)):
                following = self._join(following, end)
            if channel != "next":
                self._add(out, channel, end)
        return following

    def _match(self, node: ast.Match, state: S | None, out: Channels[S]) -> S | None:
        state = self._evaluate(node.subject, state, out)
        joined: S | None = None
        for case in node.cases:
            matched = self._pattern(case.pattern, state, out)
            fails: S | None = None
            if case.guard is not None:
                matched, fails = self._branch(case.guard, matched, out)
            joined = self._join(joined, self._block(case.body, matched, out))
            state = fails if _irrefutable(case.pattern) else self._join(state, fails)
        return self._join(joined, state)

    def _pattern(self, pattern: ast.pattern, state: S | None, out: Channels[S]) -> S | None:
        for part in ast.walk(pattern):
            if isinstance(part, (ast.MatchAs, ast.MatchStar, ast.MatchMapping)):
                state = self._event(part, state, out)
            elif isinstance(part, (ast.MatchValue, ast.MatchClass)):
                expression = part.value if isinstance(part, ast.MatchValue) else part.cls
                state = self._evaluate(expression, state, out)
                if not isinstance(expression, ast.Constant):
                    self._may_raise(state, out)
        return state


def _split(pending: Channels[S], handler: ast.ExceptHandler, group: bool) -> tuple[Channels[S], Channels[S]]:
    """What the handler catches of `pending`, and what goes on to the next handler or outward."""
    if handler.type is None:
        return pending, {}
    classes = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {_last_name(part) for part in classes}
    if "BaseException" in names and not group:
        return pending, {}
    caught: Channels[S] = {}
    rest = dict(pending)
    if "raise" in pending and not names <= _BASE_CLASSES:
        caught["raise"] = pending["raise"]
        if "Exception" in names and not group:
            del rest["raise"]
    if "base" in pending and names & _BASE_CLASSES:
        caught["base"] = pending["base"]
    return caught, rest


def _matched_targets(target: ast.expr, value: ast.expr) -> Sequence[ast.expr]:
    """The targets bound one by one where a display is unpacked into as many names, which cannot fail."""
    match target, value:
        case ((ast.Tuple(elts=parts) | ast.List(elts=parts)), (ast.Tuple(elts=items) | ast.List(elts=items))):
            if len(parts) == len(items) and not any(isinstance(part, ast.Starred) for part in (*parts, *items)):
                return parts
    return [target]


def _last_name(node: ast.expr | None) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _irrefutable(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=inner) if inner is not None:
            return _irrefutable(inner)
        case ast.MatchOr(patterns=patterns):
            return any(_irrefutable(part) for part in patterns)
    return False


_STATEMENTS: Final[dict[type[ast.stmt], Any]] = {
    ast.Assign: Walker._assign,
    ast.AnnAssign: Walker._annotated,
    ast.AugAssign: Walker._augmented,
    ast.Expr: Walker._expression,
    ast.Delete: Walker._delete,
    ast.Return: Walker._return,
    ast.Raise: Walker._raise,
    ast.Assert: Walker._assert,
    ast.Import: Walker._import,
    ast.ImportFrom: Walker._import,
    ast.FunctionDef: Walker._definition,
    ast.AsyncFunctionDef: Walker._definition,
    ast.ClassDef: Walker._definition,
    ast.Global: Walker._declaration,
    ast.Nonlocal: Walker._declaration,
    ast.Break: Walker._break,
    ast.Continue: Walker._continue,
    ast.If: Walker._if,
    ast.While: Walker._while,
    ast.For: Walker._for,
    ast.AsyncFor: Walker._for,
    ast.Try: Walker._try,
    ast.TryStar: Walker._try,
    ast.With: Walker._with,
    ast.AsyncWith: Walker._with,
    ast.Match: Walker._match,
}
if hasattr(ast, "TypeAlias"):
    _STATEMENTS[ast.TypeAlias] = Walker._type_alias
