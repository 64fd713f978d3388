"""Functions that open a session and give it to their caller, whose it is from then on."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from alchemod.facts.module import last_name
from alchemod.facts.recall import Recall
from alchemod.inference.ownership.knowledge import Opening, SessionKnowledge
from alchemod.inference.ownership.life import SessionLife, walked_lives
from alchemod.inference.resolving.functions import own_nodes
from alchemod.inference.scoping.scopes import FUNCTIONS
from alchemod.inference.summaries.targets import Target, Targets
from alchemod.inference.values import Answer, Place

_TRANSPARENT: Final = frozenset({"staticmethod", "classmethod"})
_HANDLED: Final = frozenset({"returned", "lent"})
"""The escapes of a session that nobody but the caller has afterwards."""


class Openers:
    """Answers for one project; remembered per function."""

    def __init__(self, targets: Targets, sources: Callable[[Place], SessionKnowledge]) -> None:
        self._targets: Final = targets
        self._sources: Final = sources
        self._recall: Final[Recall[Opening]] = Recall()

    def of(self, callee: Answer | None) -> Opening | None:
        """How a call of `callee` opens a session; None unless every function it may run opens one and returns it."""
        found = [self._of_function(target) for target in self._targets.of(callee) or ()]
        if not found or callee is None:
            return None
        first = found[0]
        if first is None or any(opening != first for opening in found):
            return None
        if callee.certainty == "proved":
            return first
        return replace(first, proved=False, reason=first.reason or callee.missing or "")

    def _of_function(self, target: Target) -> Opening | None:
        return self._recall.ask(target.node, lambda: self._found(target))

    def _found(self, target: Target) -> Opening | None:
        node = target.node
        if not isinstance(node, FUNCTIONS) or not {last_name(part) for part in node.decorator_list} <= _TRANSPARENT:
            return None
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own_nodes(node)):
            return None
        lives = walked_lives(target.inside.scope, self._sources(target.inside))
        given = [life for life in lives if is_given_away(life)]
        return given[0].opening if len(given) == 1 else None


def is_given_away(life: SessionLife) -> bool:
    """Whether every normal end of the function gives the open session to the caller, and nothing else has it."""
    record = life.record
    if record is None:
        return False
    gives = "returned" in record.escapes and record.escapes.keys() <= _HANDLED
    return gives and "next" not in record.exits and set(record.exits.get("return", ())) == {"O"}
