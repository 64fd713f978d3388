"""The order in which the events of a function may happen: a graph that one walk makes.

A mark is something that happens: a node of the tree, the end of a `with` item, or an end of the function. The graph
says which mark may directly follow which, so that "what may happen after", "what lies between" and "is this always
followed by that" are questions of reachability. Paths through one `finally` are not told apart.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from alchemod.inference.control.domain import Channel, Domain, TooComplexError
from alchemod.inference.control.flow import Walker
from alchemod.inference.ownership.methods import SESSION_METHODS


class Left(NamedTuple):
    """The end of a `with` item, for one way out of its block."""

    item: ast.withitem
    channel: Channel

    @property
    def is_normal(self) -> bool:
        """Whether the block was left without an exception."""
        return self.channel not in ("raise", "base")


Mark: TypeAlias = ast.AST | Left | Channel
"""`next`, `return`, `raise` and `base` are the ends of the function; its own node is the start."""

GOING_ON: Final[tuple[Mark, ...]] = ("next", "return", "break", "continue")
"""The ends of a part of a function that are no exceptions."""
NORMAL_ENDS: Final[frozenset[Mark]] = frozenset(["next", "return"])
ENDS: Final[frozenset[Mark]] = frozenset(["next", "return", "raise", "base"])

_MAX_MARKS: Final = 6000
"""A block in which more happens is too long to follow: the ways from each mark to each other grow with its square."""
_METHODS: Final = frozenset([*SESSION_METHODS, "remove"])
_State: TypeAlias = frozenset[Mark]


class Order:
    """The marks of one block of code, each with those that may follow directly."""

    def __init__(self, start: ast.AST) -> None:
        self.start: Final = start
        self._next: Final[dict[Mark, list[Mark]]] = {start: []}
        """Few marks may follow one: lists are a quarter of sets."""

    @property
    def marks(self) -> Iterable[Mark]:
        """Everything that may happen, in the order it was first met."""
        return self._next

    def __len__(self) -> int:
        return len(self._next)

    def __contains__(self, mark: Mark) -> bool:
        return mark in self._next

    def add(self, before: Iterable[Mark], mark: Mark) -> None:
        """Note that `mark` may directly follow each of `before`."""
        self._next.setdefault(mark, [])
        for one in before:
            if mark not in (following := self._next[one]):
                following.append(mark)

    @cached_property
    def _previous(self) -> dict[Mark, list[Mark]]:
        previous: dict[Mark, list[Mark]] = {}
        for mark, following in self._next.items():
            for one in following:
                previous.setdefault(one, []).append(mark)
        return previous

    def after(self, mark: Mark, *, until: Collection[Mark] = ()) -> set[Mark]:
        """What may happen after `mark`, without passing a mark of `until` (these are included)."""
        return _reached(mark, self._next, until)

    def before(self, mark: Mark, *, until: Collection[Mark] = ()) -> set[Mark]:
        """What may have happened before `mark`, without passing a mark of `until` since (these are included)."""
        return _reached(mark, self._previous, until)

    def between(self, first: Mark, last: Mark, *, until: Collection[Mark] = ()) -> set[Mark]:
        """What may happen after `first` on a way to the next `last`, without passing a mark of `until`."""
        stops = {*until, last}
        forward = _reached(first, self._next, stops)
        if last not in forward:
            return set()
        return (forward & _reached(last, self._previous, {*until, first})) - stops - {first}

    def may_follow(self, first: Mark, last: Mark, *, until: Collection[Mark] = ()) -> bool:
        """Whether `last` may happen after `first` without passing a mark of `until` in between."""
        return last in _reached(first, self._next, {*until} - {last})

    def always_followed(self, mark: Mark, by: Collection[Mark], ends: Collection[Mark] = NORMAL_ENDS) -> bool:
        """Whether every way from `mark` to one of `ends` passes one of `by`, and some way gets to one of these."""
        reached = _reached(mark, self._next, by)
        return reached.isdisjoint({*ends} - {*by}) and not reached.isdisjoint(by)


def in_source_order(marks: Iterable[Mark]) -> list[Mark]:
    """Marks sorted by where they are written; the ends of blocks and functions come first."""
    return sorted(marks, key=lambda mark: (getattr(mark, "lineno", 0), getattr(mark, "col_offset", 0)))


def _reached(start: Mark, edges: Mapping[Mark, Iterable[Mark]], until: Collection[Mark]) -> set[Mark]:
    found: set[Mark] = set()
    stack = list(edges.get(start, ()))
    while stack:
        mark = stack.pop()
        if mark not in found:
            found.add(mark)
            if mark not in until:
                stack.extend(edges.get(mark, ()))
    return found


def order_of(
    block: Sequence[ast.stmt],
    start: ast.AST,
    swallows: Callable[[ast.withitem], bool],
    only_raises: Callable[[ast.Call], bool] = lambda call: False,
) -> Order | None:
    """The order of events in `block`, the body of `start`; None where the code is too complex to follow.

    `swallows` says whether a `with` item may swallow an exception, `only_raises` whether a call never returns.
    """
    domain = _Marks(Order(start), swallows, only_raises)
    try:
        channels = Walker(domain).run(block, frozenset([start]))
    except TooComplexError:
        return None
    for channel, state in channels.items():
        domain.order.add(state, channel)
    return domain.order


class _Marks(Domain[_State]):
    """The state is what may have happened last."""

    wanted = frozenset(
        [
            *(ast.Call, ast.Attribute, ast.Subscript, ast.Await, ast.Yield, ast.YieldFrom),
            *(ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete, ast.Return, ast.Raise),
            *(ast.For, ast.AsyncFor, ast.comprehension, ast.withitem, ast.ExceptHandler),
        ]
    )

    def __init__(
        self, order: Order, swallows: Callable[[ast.withitem], bool], only_raises: Callable[[ast.Call], bool]
    ) -> None:
        self.order: Final = order
        self._swallows: Final = swallows
        self._only_raises: Final = only_raises

    def join(self, a: _State, b: _State) -> _State:
        return a | b

    def event(self, node: ast.AST, state: _State) -> _State | None:
        if type(node) not in self.wanted:
            return state
        after = self._happens(node, state)
        return None if isinstance(node, ast.Call) and self._only_raises(node) else after

    def raised(self, node: ast.AST, before: _State, after: _State | None) -> _State | None:
        """A call that raises was made; taking a method of a session does not raise."""
        if isinstance(node, ast.Call):
            return frozenset([node])
        if isinstance(node, ast.Attribute) and node.attr in _METHODS:
            return None
        return super().raised(node, before, after)

    def leave(self, item: ast.withitem, channel: Channel, state: _State) -> _State:
        return self._happens(Left(item, channel), state)

    def swallows(self, item: ast.withitem, state: _State) -> bool:
        return self._swallows(item)

    def _happens(self, mark: Mark, state: _State) -> _State:
        self.order.add(state, mark)
        if len(self.order) > _MAX_MARKS:
            raise TooComplexError
        return frozenset([mark])
