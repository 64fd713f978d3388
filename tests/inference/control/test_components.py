"""Questions that depend on each other: circles come to rest, and answers do not depend on who asks first."""

from collections.abc import Mapping

import pytest

from alchemod.inference.control.components import Components

Names = frozenset[str]
EVERYTHING: Names = frozenset("abcxyz")


def greatest(calls: Mapping[str, list[str]], own: Mapping[str, str], order: str, **limits: int) -> dict[str, Names]:
    """What is said on every way: a node says its own letters and those that all of its callees say."""
    table: Components[Names] = Components(EVERYTHING, frozenset("?"), lambda answer: frozenset("!"), **limits)

    def of(node: str) -> Names:
        def find() -> Names:
            inner = [of(callee) for callee in calls[node]]
            return frozenset(own[node]) | (frozenset.intersection(*inner) if inner else frozenset())

        return table.ask(node, find)

    return {node: of(node) for node in order}


CHAIN = {"a": ["b"], "b": ["c"], "c": []}
CIRCLE = {"a": ["b", "c"], "b": ["a"], "c": []}
OWN = {"a": "x", "b": "y", "c": "z"}


def test_what_does_not_depend_on_itself() -> None:
    assert greatest(CHAIN, OWN, "a") == {"a": frozenset("xyz")}


@pytest.mark.parametrize("order", ["abc", "bac", "cba", "cab"])
def test_a_circle_comes_to_rest_whoever_asks_first(order: str) -> None:
    # a says x and what b and c both say: z, since b says all that a says. A way out of the circle goes through c.
    found = greatest(CIRCLE, OWN, order)
    assert found == {"a": frozenset("xz"), "b": frozenset("xyz"), "c": frozenset("z")}


def test_circles_in_circles() -> None:
    calls = {"a": ["b"], "b": ["c", "a"], "c": ["b"]}
    # No way leads out of these circles: nothing is reached that does not say everything.
    everything = dict.fromkeys("abc", EVERYTHING)
    assert [greatest(calls, OWN, order) for order in ("abc", "cba", "bca")] == [everything] * 3


def test_what_does_not_come_to_rest_is_settled() -> None:
    table: Components[int] = Components(0, -1, lambda answer: 99, rounds=3)

    def find() -> int:
        return table.ask("n", find) + 1

    assert table.ask("n", find) == 99
    assert table.ask("n", find) == 99


def test_what_lies_too_deep_is_not_remembered() -> None:
    table: Components[int] = Components(0, 1000, lambda answer: answer, max_depth=3)

    def of(number: int) -> int:
        return table.ask(number, lambda: 0 if number == 0 else of(number - 1) + 1)

    assert of(5) > 1000
    assert of(2) == 2
    assert of(4) == 4
