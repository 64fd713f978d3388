"""Statements around a node, header lines, fingerprints."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from alchemod.engine.places import enclosing, fingerprint, header_end, shape, span, start


def tree_of(text: str) -> ast.Module:
    return ast.parse(dedent(text))


def name(tree: ast.Module, wanted: str) -> ast.Name:
    return next(node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == wanted)


CODE = """\
class A:
    @deco(HERE0)
    def f(self, x=HERE1):
        if HERE2:
            y = (1,
                 HERE3)
        else:
            HERE4
        try:
            pass
        except HERE5:
            HERE6
        match x:
            case 1:
                HERE7
        def g(): return HERE8
HERE9
"""


@pytest.mark.parametrize(
    ("wanted", "kind", "scope"),
    [
        ("HERE0", ast.FunctionDef, "A.f"),
        ("HERE1", ast.FunctionDef, "A.f"),
        ("HERE2", ast.If, "A.f"),
        ("HERE3", ast.Assign, "A.f"),
        ("HERE4", ast.Expr, "A.f"),
        ("HERE5", ast.Try, "A.f"),
        ("HERE6", ast.Expr, "A.f"),
        ("HERE7", ast.Expr, "A.f"),
        ("HERE8", ast.Return, "A.f.g"),
        ("HERE9", ast.Expr, ""),
    ],
)
def test_enclosing(wanted: str, kind: type[ast.stmt], scope: str) -> None:
    tree = tree_of(CODE)
    around = enclosing(tree, name(tree, wanted))
    assert isinstance(around.statement, kind)
    assert around.scope == scope


def test_a_statement_encloses_itself_and_not_its_body() -> None:
    tree = tree_of("def f():\n    x = 1\n")
    function = tree.body[0]
    assert enclosing(tree, function).statement is function


def test_the_module_is_in_no_statement() -> None:
    tree = tree_of("x = 1")
    assert enclosing(tree, tree).statement is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("x = f(\n    1,\n)\n", 3),
        ("for x in y:\n    pass\n", 1),
        ("def f(\n    a,\n):  # here\n\n    # comment\n    pass\n", 3),
        ("if x: pass\n", 1),
        ("class A:\n    @d\n    def f(self): ...\n", 1),
    ],
)
def test_header_end(text: str, end: int) -> None:
    assert header_end(ast.parse(text).body[0], text.split("\n")) == end


def test_the_span_of_a_node_without_position_is_that_of_its_parts() -> None:
    tree = tree_of("[x\n for x in y\n if z]")
    comprehension = next(node for node in ast.walk(tree) if isinstance(node, ast.comprehension))
    assert span(comprehension) == (2, 5, 3, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("f()", (1, 0)), ("a.b()", (1, 2)), ("(a\n .b\n .é(1))", (3, 2)), ("a.b", (1, 2)), ("a + b", (1, 0))],
)
def test_a_finding_in_a_chain_points_to_the_last_name(text: str, expected: tuple[int, int]) -> None:
    assert start(ast.parse(text, mode="eval").body) == expected


def mark(text: str, ordinal: int = 0) -> str:
    return fingerprint("ALC201", "a.py", "f", shape(ast.parse(text).body[0]), ordinal)


def test_a_fingerprint_survives_layout_and_the_body_of_a_block() -> None:
    assert mark("x = f(a, 'b')") == mark('x = f(  # note\n  a,\n  "b",\n)')
    assert mark("for x in y:\n    a()") == mark("for x in y:\n    b()")


@pytest.mark.parametrize("other", ["x = f(a, 'c')", "x = f(a)('b')", "y = f(a, 'b')", "x = f([a, 'b'])"])
def test_a_fingerprint_tells_statements_apart(other: str) -> None:
    assert mark("x = f(a, 'b')") != mark(other)


def test_a_fingerprint_tells_equal_statements_apart_by_ordinal() -> None:
    assert mark("f()", 0) != mark("f()", 1)


def test_a_deep_expression_has_a_fingerprint() -> None:
    assert len(mark("x" + ".f()" * 300)) == 16
