"""A function gets one more parameter: where it goes, and what becomes of the layout."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import add_parameter, rename
from edits.files import File


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(): pass", "def f(*, s): pass"),
        ("def f(a, b=1): pass", "def f(a, b=1, *, s): pass"),
        ("def f(a,): pass", "def f(a, *, s,): pass"),
        ("def f(a, *rest): pass", "def f(a, *rest, s): pass"),
        ("def f(a, *, b=1): pass", "def f(a, *, b=1, s): pass"),
        ("def f(**kw): pass", "def f(*, s, **kw): pass"),
        ("def f(a, **kw): pass", "def f(a, *, s, **kw): pass"),
        ("def f(a, *, b, **kw): pass", "def f(a, *, b, s, **kw): pass"),
        ("async def f(self, a: int = 1) -> int: pass", "async def f(self, a: int = 1, *, s) -> int: pass"),
    ],
)
def test_where_the_parameter_goes(before: str, after: str) -> None:
    file = File(before + "\n")
    function = file.tree.body[0]
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    assert file.after(add_parameter(function, "s")) == after + "\n"


def test_lines_and_comments_of_the_others_stay() -> None:
    file = File(
        """\
        def f(
            a,  # first
            b=1,  # second
        ):
            return a.x
        """
    )
    function = file.tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    expected = "def f(\n    a,  # first\n    b=1,  # second\n    *,\n    s,\n):\n    return a.y\n"
    assert file.after(add_parameter(function, "s"), rename(file.expr("a.x"), "y")) == expected


def test_a_function_without_named_parameters_is_left_alone() -> None:
    file = File("def f(a, /): pass\n")
    function = file.tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    with pytest.raises(AssertionError):
        file.after(add_parameter(function, "s"))
