"""Remembered answers to questions that may depend on each other, or on themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
_NOWHERE = sys.maxsize


class Recall(Generic[Answer]):
    """Answers by question. A question that comes up while it is being answered has no answer there.

    What was found on the way of such a circle depends on where the circle was entered, so it is remembered only
    until the question that closes it has its answer. Questions asked later get the same answers in any order.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, Answer | None] = {}
        self._open: dict[Hashable, int] = {}
        self._passing: dict[Hashable, tuple[Answer | None, int]] = {}
        self._reach = _NOWHERE

    def __contains__(self, question: Hashable) -> bool:
        return question in self._known

    def __getitem__(self, question: Hashable) -> Answer | None:
        return self._known[question]

    @property
    def depth(self) -> int:
        """How many questions are being answered."""
        return len(self._open)

    def clear(self) -> None:
        """Forget all answers."""
        self._known.clear()

    def cut(self) -> None:
        """Say that the answer now looked for is not given its full depth, so that it is not remembered."""
        self._reach = -1

    def keep(self, question: Hashable, answer: Answer | None) -> None:
        """Remember the answer to a question met on the way, unless a circle was met too."""
        if self._reach == _NOWHERE:
            self._known[question] = answer

    def ask(self, question: Hashable, find: Callable[[], Answer | None]) -> Answer | None:
        """The answer, found by `find` the first time; None while `find` itself asks the same again."""
        if question in self._known:
            return self._known[question]
        if question in self._open:
            self._reach = min(self._reach, self._open[question])
            return None
        if question in self._passing:
            answer, reach = self._passing[question]
            self._reach = min(self._reach, reach)
            return answer
        return self._find(question, find)

    def _find(self, question: Hashable, find: Callable[[], Answer | None]) -> Answer | None:
        depth = self._open[question] = len(self._open)
        around, self._reach = self._reach, _NOWHERE
        answer: Answer | None = None
        try:
            answer = find()
        finally:
            del self._open[question]
            reach, self._reach = self._reach, min(around, self._reach if self._reach < depth else _NOWHERE)
            if not self._open:
                self._passing.clear()
        if reach >= depth:
            self._known[question] = answer
            if reach != _NOWHERE:
                self._passing = {key: kept for key, kept in self._passing.items() if kept[1] < depth}
        elif reach >= 0:
            self._passing[question] = (answer, reach)
        return answer
