"""Answers to questions that depend on each other in circles, such as what a function does that calls itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Answer = TypeVar("Answer")
_NOWHERE: Final = sys.maxsize
_CUT: Final = -1


@dataclass(slots=True)
class _Provisional(Generic[Answer]):
    """An answer found while a circle is being gone round: it rests on the question at depth `reach`."""

    answer: Answer
    reach: int


class Components(Generic[Answer]):
    """Answers by question, found when they are first asked for.

    A question that comes up while it is being answered gets the answer of the round before: in the first round `start`,
    which promises everything. The questions of a circle are answered again until nothing changes; after `rounds` tries
    `settled` makes of each answer one that holds in any case. Questions nested deeper than `max_depth` get `beyond`,
    and what rests on that is not remembered. The answers do not depend on who asks first.
    """

    def __init__(
        self, start: Answer, beyond: Answer, settled: Callable[[Answer], Answer], *, rounds: int = 6, max_depth: int = 8
    ) -> None:
        self._start: Final = start
        self._beyond: Final = beyond
        self._settled: Final = settled
        self._rounds: Final = rounds
        self._max_depth: Final = max_depth
        self._known: Final[dict[Hashable, Answer]] = {}
        self._open: Final[dict[Hashable, int]] = {}
        self._assumed: Final[dict[Hashable, Answer]] = {}
        self._fresh: Final[dict[Hashable, _Provisional[Answer]]] = {}
        self._reach = _NOWHERE
        self._changed = False

    def ask(self, question: Hashable, find: Callable[[], Answer]) -> Answer:
        """The answer, found by `find`."""
        if question in self._known:
            return self._known[question]
        if question in self._open:
            self._reach = min(self._reach, self._open[question])
            return self._assumed.get(question, self._start)
        if (fresh := self._fresh.get(question)) is not None:
            self._reach = min(self._reach, fresh.reach)
            return fresh.answer
        if len(self._open) >= self._max_depth:
            self._reach = _CUT
            return self._beyond
        return self._find(question, find)

    def _find(self, question: Hashable, find: Callable[[], Answer]) -> Answer:
        depth = self._open[question] = len(self._open)
        around, changed_around = self._reach, self._changed
        try:
            for number in range(1, self._rounds + 1):
                self._reach, self._changed = _NOWHERE, False
                answer = find()
                reach = self._reach
                if reach > depth:
                    self._known[question] = answer
                    break
                self._changed |= answer != self._assumed.get(question, self._start)
                self._assumed[question] = answer
                if reach < depth:
                    self._fresh[question] = _Provisional(answer, reach)
                    changed_around |= self._changed
                    around = min(around, reach)
                    break
                if not self._changed or number == self._rounds:
                    answer = self._close(question, depth, settle=self._changed)
                    break
                self._drop(depth)
        finally:
            del self._open[question]
            self._reach, self._changed = around, changed_around
            if not self._open:
                self._fresh.clear()
                self._assumed.clear()
        return answer

    def _close(self, head: Hashable, depth: int, *, settle: bool) -> Answer:
        """The answers of the circle that `head` leads are those of the last round."""
        members = [question for question, fresh in self._fresh.items() if fresh.reach >= depth]
        found = {question: self._fresh.pop(question).answer for question in members}
        found[head] = self._assumed[head]
        for question, answer in found.items():
            self._known[question] = self._settled(answer) if settle else answer
            self._assumed.pop(question, None)
        return self._known[head]

    def _drop(self, depth: int) -> None:
        """Forget what was found in this round; the assumptions stay."""
        for question in [question for question, fresh in self._fresh.items() if fresh.reach >= depth]:
            del self._fresh[question]
