"""The parameters of a function: one comes, or all are set anew; where they go, and what becomes of the layout."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import add_parameter, rename, set_parameters
from edits.files import File, clean


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


def set_to(code: str, *wanted: int | str) -> str:
    file = File(clean(code))
    return file.after(set_parameters(file.node(ast.FunctionDef), *wanted))


def test_set_anew_with_one_more() -> None:
    assert set_to("def f(a, b):\n    return a\n", 0, 1, "c") == "def f(a, b, c):\n    return a\n"
    assert set_to("def f(a, b: int) -> int:\n    pass\n", 0, "c", 1) == "def f(a, c, b: int) -> int:\n    pass\n"
    before = "def f(\n    a,\n    b,\n):\n    return a\n"
    assert set_to(before, 0, 1, "c") == "def f(\n    a,\n    b,\n    c,\n):\n    return a\n"


def test_set_anew_without_others() -> None:
    assert set_to("def f(a, b, c,):\n    return 1\n", "x") == "def f(x,):\n    return 1\n"
    assert set_to("@at(1)\ndef f( a, b ): return a\n", 0) == "@at(1)\ndef f( a ): return a\n"


def test_set_anew_with_edits_inside() -> None:
    file = File("def f(a):\n    return a\n")
    returned = file.node(ast.Return).value
    assert returned is not None
    verbs = [set_parameters(file.node(ast.FunctionDef), 0, "b"), rename(returned, "b")]
    assert file.after(*verbs) == "def f(a, b):\n    return b\n"


@pytest.mark.parametrize("code", ["def f(a, # one\n      b):\n    pass\n", "def f(a, *, b):\n    pass\n"])
def test_not_set_anew(code: str) -> None:
    file = File(code)
    result = file.rewritten({"fix": [set_parameters(file.node(ast.FunctionDef), 0, "c")]})
    assert result.refused
