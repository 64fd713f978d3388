"""What other files can see of a file, and which names of it have changed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from alchemod.facts.collecting import collect
from alchemod.facts.interface import changed_names, interface
from alchemod.facts.module import Module


def facts(source: str) -> Module:
    return collect(ast.parse(source), "shop", Path("shop.py"), source.encode(), is_package=False)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("x = f(1)", "x = (\n    f(1)\n)", set()),
        ("x = f(1)", "x = f(2)", {"x"}),
        ("x = 1", "x = True", {"x"}),
        ("x = f([a], b)", "x = f([a, b])", {"x"}),
        ("x = [[a], b]", "x = [[a, b]]", {"x"}),
        ("def f(a): return 1", "def f(a): return 2", set()),
        ("def f(a): pass", "def f(a=None): pass", {"f"}),
        ("class A(B): x = 1", "class A(C): x = 1", {"A"}),
        ("class A(B): x = 1", "class A(B): x = 2", {"x"}),
        ("from a import b", "from a import c as b", {"b"}),
        ("from a import *", "from b import *", {"*"}),
    ],
)
def test_names_that_look_different_from_outside(before: str, after: str, changed: set[str]) -> None:
    assert changed_names(interface(facts(before)), interface(facts(after))) == changed


def test_a_chain_of_any_length_has_a_shape() -> None:
    long, longer = (facts(f"x = q{'.f()' * number}") for number in (1_000, 1_001))
    assert changed_names(interface(long), interface(longer)) == {"x"}
