"""Compares a function as it is with the same function under the plan: what happens at points that become closed."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alchemod.inference.control.domain import Channel, Channels, Domain
from alchemod.inference.control.evaluation import Steps
from alchemod.inference.control.flow import Walker
from alchemod.inference.ownership.block import Plan
from alchemod.inference.ownership.record import Record, Use
from alchemod.inference.ownership.state import Facts, Ref, State, is_open
from alchemod.inference.scoping.bindings import Binding

Exposure: TypeAlias = Literal["lazy", "object"]

_LEAK_ORDER: Final[tuple[Channel, ...]] = ("next", "return", "raise", "base")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the block changes.

    `failing` are uses at newly closed points that then fail, in source order; `doubtful` those that may. `lazy_out` and
    `objects_out` are the places where a lazy value or an object gets to the caller along an exit that becomes closed,
    `expired_out` those where an object does that the end of the block has expired. `newly_open` are uses that were
    closed and become open.
    """

    failing: tuple[Use, ...]
    doubtful: tuple[Use, ...]
    lazy_out: tuple[ast.AST, ...]
    objects_out: tuple[ast.AST, ...]
    newly_open: tuple[Use, ...]
    expired_out: tuple[ast.AST, ...] = ()


def compare(before: Record, after: Record) -> Comparison:
    """Compare the walk of the function as it is with that of the function under a plan."""
    failing: list[Use] = []
    doubtful: list[Use] = []
    newly_open: list[Use] = []
    for key, use in after.uses.items():
        lives = before.uses[key].lives if key in before.uses else set()
        if is_open(lives) and not is_open(use.lives) and "C" in use.lives:
            if use.closed in ("fails", "may fail"):
                failing.append(use)
            elif use.closed == "unknown":
                doubtful.append(use)
        elif is_open(use.lives) and not is_open(lives):
            newly_open.append(use)
        elif not is_open(use.lives) and _fails(use) and not _fails(before.uses.get(key)):
            failing.append(use)
    lazy_out, objects_out = _let_out(before, after)
    expired = tuple(sorted(_expired(after) - _expired(before), key=line_of))
    return Comparison(_sorted(failing), _sorted(doubtful), lazy_out, objects_out, _sorted(newly_open), expired)


def leaks(record: Record) -> tuple[Channel, ...]:
    """The channels by which the function is left with the session possibly open."""
    return tuple(channel for channel in _LEAK_ORDER if is_open(record.exits.get(channel, {})))


def line_of(node: ast.AST) -> int:
    """The line of a node, or of the part of it that has one."""
    for part in (node, getattr(node, "target", None), getattr(node, "context_expr", None)):
        line = getattr(part, "lineno", None)
        if isinstance(line, int):
            return line
    return 0


class PlannedWalker(Walker[State]):
    """Walks a function as it would be under a plan, over the nodes it has now."""

    def __init__(self, domain: Domain[State], plan: Plan, steps: Steps) -> None:
        super().__init__(domain, steps)
        self._plan: Final = plan
        self._statement, self.binding = _with_statement(plan)

    def _block(self, block: Sequence[ast.stmt], state: State | None, out: Channels[State]) -> State | None:
        plan = self._plan
        if block is plan.suite:
            block = [*block[: plan.first], self._statement, *block[plan.last + 1 :]]
        elif plan.around_try and plan.opener in block:
            block = [statement for statement in block if statement is not plan.opener]
        return super()._block(block, state, out)


def _with_statement(plan: Plan) -> tuple[ast.With | ast.AsyncWith, Binding]:
    target = ast.copy_location(ast.Name(plan.name, ast.Store()), plan.call)
    item = ast.withitem(plan.call, target)
    statement = (ast.AsyncWith if plan.is_async else ast.With)(items=[item], body=plan.body)
    return ast.copy_location(statement, plan.opener), Binding(plan.name, "with", item, target, plan.call)


def _let_out(before: Record, after: Record) -> tuple[tuple[ast.AST, ...], tuple[ast.AST, ...]]:
    lazies: set[ast.AST] = set()
    objects: set[ast.AST] = set()
    for channel in leaks(before):
        if is_open(after.exits.get(channel, {})):
            continue
        left = [facts for life, facts in before.exits[channel].items() if is_open([life])]
        for ref, where in frozenset().union(*(_seen_outside(facts, channel) for facts in left)):
            (lazies if ref.kind in ("lazy", "carrier") else objects).add(where)
    return tuple(sorted(lazies, key=line_of)), tuple(sorted(objects, key=line_of))


def _seen_outside(facts: Facts, channel: Channel) -> frozenset[tuple[Ref, ast.AST]]:
    return facts.out | facts.returned if channel == "return" else facts.out


def _fails(use: Use | None) -> bool:
    """Whether a use may fail where the session is closed."""
    return use is not None and use.closed in ("fails", "may fail")


def _expired(record: Record) -> frozenset[ast.AST]:
    """The places where an object gets out of the function whose attributes are expired when the function ends."""
    found: set[ast.AST] = set()
    for channel in ("next", "return"):
        for facts in record.exits.get(channel, {}).values():
            for ref, where in _seen_outside(facts, channel):
                data = facts.data.get(ref.site) if isinstance(ref.site, ast.AST) else None
                if data is not None and data.tied and "X" in data.elements:
                    found.add(where)
    return frozenset(found)


def _sorted(uses: list[Use]) -> tuple[Use, ...]:
    return tuple(sorted(uses, key=lambda use: line_of(use.node)))
