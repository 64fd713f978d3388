"""The `with` block that a session opened by hand can become: where it starts and ends, which `close()` goes.

The block ends where the last `close()` stood, or with the last use of a session that is never closed. A `close()`
goes only where nothing but an exit from the block follows it; elsewhere it stays, for closing twice is harmless and
the work behind it must not move into the transaction.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from alchemod.facts.module import last_name
from alchemod.inference.control.dominance import enclosing_suites, suites_of
from alchemod.inference.ownership.record import Record, Use
from alchemod.inference.ownership.state import is_open
from alchemod.inference.scoping.scopes import Body, contains

Opener: TypeAlias = ast.Assign | ast.AnnAssign
_CLOSING: Final = frozenset({"close", "aclose"})


@dataclass(frozen=True, slots=True)
class Plan:
    """How the code becomes a `with` block.

    The statements `suite[first]` to `suite[last]` become the block. `opener` is its head; it is `suite[first]`, or
    with `around_try` the first statement of the body of the `try` that `suite[first]` is (then the `try` moves into
    the block). `dropped` are `close()` statements, and `if s:` around nothing else, that go; `kept` are those that
    stay. `dissolved` are `try` statements left without handlers and `finally`; `emptied` lose only their `finally`.
    """

    name: str
    call: ast.Call
    opener: Opener
    suite: list[ast.stmt]
    first: int
    last: int
    dropped: frozenset[ast.stmt]
    kept: frozenset[ast.stmt]
    dissolved: frozenset[ast.Try]
    emptied: frozenset[ast.Try]
    is_async: bool
    around_try: bool = False

    @property
    def maker(self) -> ast.expr:
        """The expression that opens the session."""
        assert self.opener.value is not None
        return self.opener.value

    @property
    def annotation(self) -> ast.expr | None:
        """What the opener says of the type of the name."""
        return self.opener.annotation if isinstance(self.opener, ast.AnnAssign) else None

    @property
    def body(self) -> list[ast.stmt]:
        """The statements of the block as they are now, dropped ones at its own level left out."""
        start = self.first if self.around_try else self.first + 1
        return [statement for statement in self.suite[start : self.last + 1] if statement not in self.dropped]

    @property
    def removals(self) -> list[ast.stmt]:
        """The dropped statements that lie in no other dropped one, in source order."""
        outermost = [
            statement
            for statement in self.dropped
            if not any(other is not statement and contains(other, statement) for other in self.dropped)
        ]
        return sorted(outermost, key=lambda statement: statement.lineno)

    @property
    def gap(self) -> list[ast.stmt]:
        """The statements between the opener and the `try` whose `finally` closes, which move into the block."""
        body = self.body
        for index, statement in enumerate(body):
            if isinstance(statement, ast.Try) and statement in self.dissolved | self.emptied:
                return body[:index]
        return []


Obstacle: TypeAlias = Literal["unnamed", "conditional", "loop", "try", "outside", "empty", "crossing"]
"""Why there is no plan: the session is opened inside an expression; in one branch but used behind it (an ownership
flag); in a loop but used behind it; in a `try` behind other statements; in another block; it is never used; or its
block would cross that of another session."""


def plan_block(
    function: Body, call: ast.Call, record: Record, is_async: bool, closes: frozenset[ast.stmt]
) -> Plan | Obstacle:
    """The plan for the session that `call` opens. `closes` are the statements that close some session of it."""
    chain = list(enclosing_suites(function.body, call))
    if not chain:
        return "unnamed"
    suite, first = chain[-1]
    opener = suite[first]
    name = _opened_name(opener, call)
    if name is None or not isinstance(opener, (ast.Assign, ast.AnnAssign)) or not isinstance(suite, list):
        return "unnamed"
    own = {statement for statement in closes if _closes(statement, record)}
    live = [*record.closes, *(use.node for use in record.uses.values() if is_open(use.lives) and use.kind == "session")]
    ends = [_index_of(suite, node) for node in live]
    around_try = False
    if any(end is None or end < first for end in ends):
        outer = _around(chain, opener)
        if outer == "try" and first == 0:
            suite, first = _as_list(chain[-2])
            ends = [_index_of(suite, node) for node in live]
            around_try = True
            if any(end is None for end in ends):
                return "outside"
        else:
            return outer
    ends += [_index_of(suite, use.node) for use in record.uses.values() if _is_live(use, bool(own))]
    last = max((end for end in ends if end is not None), default=first)
    if last == first and not around_try:
        return "empty"
    dropped = {statement for statement in own if _only_exit_follows(suite, last, statement, closes)}
    guards = {guard for statement in dropped for guard in [_guard_of(suite, statement, name)] if guard is not None}
    tries = _emptied_tries(suite[first : last + 1], dropped | guards)
    return Plan(
        name,
        call,
        opener,
        suite,
        first,
        last,
        frozenset(dropped | guards),
        frozenset(own - dropped),
        frozenset(node for node in tries if not node.handlers),
        frozenset(node for node in tries if node.handlers),
        is_async,
        around_try,
    )


def _is_live(use: Use, closed: bool) -> bool:
    """Whether the block has to reach a use of an object or lazy value, wherever the suite goes on to it. Where the
    session is closed by hand, the block ends there, and reads of objects behind it are no reason to go on."""
    return is_open(use.lives) and (use.kind == "lazy" or not closed)


def untangle(plan: Plan, others: Iterable[Plan], closes: frozenset[ast.stmt]) -> Plan | None:
    """The plan with its block reaching as far as the blocks of other sessions that start inside it, if nothing but
    closing lies between the two ends (which of them is closed first makes no difference). None if they cross."""
    for other in others:
        if other.suite is plan.suite and plan.first < other.first <= plan.last < other.last:
            if not closes.issuperset(_unguarded(plan.suite[plan.last + 1 : other.last + 1])):
                return None
            plan = replace(plan, last=other.last)
    return plan


def close_statements(function: Body, calls: set[ast.Call]) -> frozenset[ast.stmt]:
    """The statements of the function that are one of these `close()` calls and nothing else."""
    found: set[ast.stmt] = set()
    stack: list[Sequence[ast.stmt]] = [function.body]
    while stack:
        for statement in stack.pop():
            if _close_call(statement) in calls:
                found.add(statement)
            stack += suites_of(statement)
    return frozenset(found)


def _close_call(statement: ast.stmt) -> ast.expr | None:
    """The call of a statement that is nothing but a `close()`. `invalidate()` closes too, but also throws the
    connections away, which the end of a block does not."""
    match statement:
        case ast.Expr(value=ast.Await(value=call)) | ast.Expr(value=call):
            return call if last_name(call) in _CLOSING else None
    return None


def _closes(statement: ast.stmt, record: Record) -> bool:
    return _close_call(statement) in record.closes


def name_given(function: Body, call: ast.Call) -> str | None:
    """The name that the statement around `call` gives what the call opens, if it does nothing else."""
    suite, index = next(reversed(list(enclosing_suites(function.body, call))), ((), 0))
    return _opened_name(suite[index], call) if suite else None


def _opened_name(statement: ast.stmt, call: ast.Call) -> str | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_of(value, call):
            return name
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_of(value, call):
            return name
    return None


def _is_of(value: ast.expr, call: ast.Call) -> bool:
    """Whether an expression is the call, or waits for it."""
    return value is call or (isinstance(value, ast.Await) and value.value is call)


def _index_of(suite: Sequence[ast.stmt], node: ast.AST) -> int | None:
    match node:
        case ast.comprehension(iter=placed) | ast.withitem(context_expr=placed):
            pass
        case ast.expr() | ast.stmt() as placed:
            pass
        case _:
            return None
    return next((index for index, statement in enumerate(suite) if contains(statement, placed)), None)


def _as_list(level: tuple[Sequence[ast.stmt], int]) -> tuple[list[ast.stmt], int]:
    suite, index = level
    assert isinstance(suite, list)
    return suite, index


def _around(chain: list[tuple[Sequence[ast.stmt], int]], opener: ast.stmt) -> Obstacle:
    if len(chain) < 2:
        return "outside"
    suite, index = chain[-2]
    match suite[index]:
        case ast.If() | ast.Match():
            return "conditional"
        case ast.For() | ast.AsyncFor() | ast.While():
            return "loop"
        case ast.Try(body=body) if opener in body:
            return "try"
    return "outside"


def _guard_of(suite: Sequence[ast.stmt], statement: ast.stmt, name: str) -> ast.If | None:
    """The `if s:`, `if s is not None:` or `if s.is_active:` around nothing but this statement."""
    chain = list(enclosing_suites(suite, statement))
    if len(chain) < 2:
        return None
    outer, index = chain[-2]
    match outer[index]:
        case ast.If(test=test, body=[only], orelse=[]) as guard if only is statement and _tests_for(test, name):
            return guard
    return None


def _tests_for(test: ast.expr, name: str) -> bool:
    match test:
        case ast.Name(id=tested) | ast.Attribute(value=ast.Name(id=tested), attr="is_active"):
            return tested == name
        case ast.Compare(
            left=ast.Name(id=tested), ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None)]
        ):
            return tested == name
    return False


def _emptied_tries(block: Sequence[ast.stmt], dropped: set[ast.stmt]) -> list[ast.Try]:
    found: list[ast.Try] = []
    stack: list[Sequence[ast.stmt]] = [block]
    while stack:
        for statement in stack.pop():
            if isinstance(statement, ast.Try) and statement.finalbody and dropped.issuperset(statement.finalbody):
                found.append(statement)
            stack += suites_of(statement)
    return found


def _only_exit_follows(suite: Sequence[ast.stmt], last: int, close: ast.stmt, closes: frozenset[ast.stmt]) -> bool:
    """Whether nothing but an exit from the block `suite[:last + 1]` follows `close` on every way. Closing other
    sessions does not count."""
    chain = list(enclosing_suites(suite[: last + 1], close))
    for level in range(len(chain) - 1, -1, -1):
        inner, index = chain[level]
        rest = [statement for statement in inner[index + 1 :] if statement not in closes]
        if rest:
            return len(rest) == 1 and _is_plain_exit(rest[0]) and _leaves(rest[0], chain[:level], close, closes)
        if level and not _falls_out(*chain[level - 1], close, chain[: level - 1], closes):
            return False
    return True


def _is_plain_exit(statement: ast.stmt) -> bool:
    match statement:
        case ast.Return(value=value):
            return value is None or _is_plain(value)
        case ast.Raise(exc=exception, cause=None):
            return exception is None or isinstance(exception, ast.Name)
    return isinstance(statement, (ast.Break, ast.Continue))


def _is_plain(value: ast.expr) -> bool:
    match value:
        case ast.Constant() | ast.Name():
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(_is_plain(part) for part in parts)
        case ast.Dict(keys=keys, values=parts):
            return all(part is not None and _is_plain(part) for part in (*keys, *parts))
    return False


def _leaves(
    leaving: ast.stmt,
    chain: Sequence[tuple[Sequence[ast.stmt], int]],
    close: ast.stmt,
    closes: frozenset[ast.stmt],
) -> bool:
    """Whether `leaving` goes out of the block without other work on the way."""
    for outer, index in chain:
        match outer[index]:
            case ast.With() | ast.AsyncWith():
                return False
            case ast.For() | ast.AsyncFor() | ast.While() if isinstance(leaving, (ast.Break, ast.Continue)):
                return False
            case ast.Try(finalbody=final) | ast.TryStar(finalbody=final) as around:
                if not _is_within(final, close) and not closes.issuperset(_unguarded(final)):
                    return False
                if isinstance(leaving, ast.Raise) and around.handlers and _is_within(around.body, close):
                    return False
    return True


def _falls_out(
    outer: Sequence[ast.stmt],
    index: int,
    close: ast.stmt,
    chain: Sequence[tuple[Sequence[ast.stmt], int]],
    closes: frozenset[ast.stmt],
) -> bool:
    """Whether the end of the suite that holds `close`, inside the statement `outer[index]`, is the end of that
    statement with no work of its own."""
    match outer[index]:
        case ast.If() | ast.Match():
            return True
        case ast.Try() | ast.TryStar() as around:
            if _is_within(around.finalbody, close):
                return not any(_may_catch(suite[i], close) for suite, i in chain)
            if _is_within(around.body, close) and around.orelse:
                return False
            return closes.issuperset(_unguarded(around.finalbody))
    return False


def _may_catch(statement: ast.stmt, inner: ast.stmt) -> bool:
    """Whether `statement` is a `try` that may handle an exception of `inner`, or a `with` that ends after it."""
    match statement:
        case ast.Try(body=body, handlers=[_, *_]) | ast.TryStar(body=body, handlers=[_, *_]):
            return _is_within(body, inner)
        case ast.With() | ast.AsyncWith():
            return True
    return False


def _unguarded(block: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements of a block, with those of a one-line `if` in its place."""
    return [
        statement.body[0]
        if isinstance(statement, ast.If) and not statement.orelse and len(statement.body) == 1
        else statement
        for statement in block
    ]


def _is_within(block: Sequence[ast.stmt], statement: ast.stmt) -> bool:
    return any(contains(outer, statement) for outer in block)
