"""Answers that depend on each other."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import pytest

from alchemod.facts.recall import Recall


class Aliases:
    """Names that stand for other names: the first that leads to a capital letter says which."""

    def __init__(self, edges: Mapping[str, str]) -> None:
        self.edges = edges
        self.recall: Recall[str] = Recall()
        self.looked = 0

    def ask(self, name: str) -> str | None:
        return self.recall.ask(name, lambda: self._find(name))

    def _find(self, name: str) -> str | None:
        self.looked += 1
        if name.isupper():
            return name
        return next((found for other in self.edges[name] if (found := self.ask(other)) is not None), None)


def test_answers_are_found_once() -> None:
    aliases = Aliases({"a": "bc", "b": "", "c": "X"})
    assert [aliases.ask("a"), aliases.ask("b"), aliases.ask("c"), aliases.ask("a")] == ["X", None, "X", "X"]
    assert aliases.looked == 4


def test_order_of_questions_does_not_change_answers() -> None:
    edges = {"a": "bX", "b": "c", "c": "a", "d": "eb", "e": "d", "f": "f"}
    expected = {"a": "X", "b": "X", "c": "X", "d": "X", "e": "X", "f": None}
    for order in permutations(edges):
        aliases = Aliases(edges)
        assert {name: aliases.ask(name) for name in order} == expected


def test_circles_met_again_cost_little() -> None:
    names = "abcdefghijklmnop"
    aliases = Aliases({name: names[index + 1 : index + 3] or "a" for index, name in enumerate(names)})
    assert aliases.ask("a") is None
    assert aliases.looked == len(names)


def test_a_question_cut_short_is_asked_again() -> None:
    recall: Recall[str] = Recall()

    def cut() -> str:
        recall.cut()
        return "shallow"

    assert recall.ask("a", lambda: recall.ask("b", cut)) == "shallow"
    assert recall.ask("a", lambda: "deep") == "deep"
    assert recall.ask("b", lambda: "deep") == "deep"


def test_an_error_leaves_no_question_open() -> None:
    recall: Recall[str] = Recall()

    def fail() -> str:
        raise ValueError("not to be answered")

    for _ in range(2):
        try:
            recall.ask("a", fail)
        except ValueError:
            assert recall.depth == 0
    assert recall.ask("a", lambda: "found") == "found"


def test_nothing_is_left_of_a_question_that_fails() -> None:
    recall: Recall[str] = Recall()

    def fails() -> str | None:
        recall.ask("inner", lambda: recall.ask("outer", lambda: None))
        raise ValueError("not to be answered")

    with pytest.raises(ValueError, match="not to be answered"):
        recall.ask("outer", fails)
    assert recall.depth == 0
    assert recall.ask("inner", lambda: "found") == "found"
