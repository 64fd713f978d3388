"""The elements of a list become arguments: separators, comments and columns."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from alchemod.edits.verbs import drop, spread, spread_call, swap
from edits.files import File


def opened(code: str) -> str:
    """The code with the first list, tuple or set of a call opened."""
    file = File(code)
    call = next(node for node in ast.walk(file.tree) if isinstance(node, ast.Call) and (node.args or node.keywords))
    arguments = [*call.args, *(one for one in call.keywords if one.arg == "w")]
    displays = [one for one in arguments if isinstance(getattr(one, "value", one), ast.List | ast.Tuple | ast.Set)]
    return file.after(spread((displays or arguments)[-1]))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f([a, b])", "f(a, b)"),
        ("f( [a, b] )", "f( a, b )"),
        ("f((a, b), c)", "f(a, b, c)"),
        ("f(x, [a, b], c=d)", "f(x, a, b, c=d)"),
        ("f([a, *b])", "f(a, *b)"),
        ("f([a,])", "f(a)"),
        ("f((a,), b)", "f(a, b)"),
        ("f({a})", "f(a)"),
        ("f([])", "f()"),
        ("f([], b)", "f(b)"),
        ("f(x, w=[a, b])", "f(x, a, b)"),
        ("f(w=[a, b], c=d)", "f(a, b, c=d)"),
        ("f([(x for x in y)])", "f((x for x in y))"),
        ("f([[a, b]])", "f([a, b])"),
        ("f(a)", "f(*a)"),
        ("f(x, a or b, c=d)", "f(x, *a or b, c=d)"),
        ("f(w=a.b)", "f(*a.b)"),
        ("f(a for a in b)", "f(*(a for a in b))"),
        ("f((a := b))", "f(*(a := b))"),
    ],
)
def test_on_one_line(before: str, after: str) -> None:
    assert opened(f"{before}\n") == f"{after}\n"


def test_brackets_that_hug_the_parentheses() -> None:
    code = """\
        x = f([
            a,  # one
            # before b
            b(
                c,
            ),  # two
        ])
        """
    expected = """\
        x = f(
            a,  # one
            # before b
            b(
                c,
            ),  # two
        )
        """
    assert opened(code) == dedent(expected)


def test_brackets_on_lines_of_their_own() -> None:
    code = """\
        def g():
            x = f(
                [  # these
                    # before a
                    a,
                    # before b
                    b(
                        c,
                    ),
                    '''
                        text''',
                ],  # done
                w,
            )
        """
    expected = """\
        def g():
            x = f(  # these
                # before a
                a,
                # before b
                b(
                    c,
                ),
                '''
                        text''',  # done
                w,
            )
        """
    assert opened(code) == dedent(expected)


def test_what_follows_a_list_of_lines() -> None:
    code = """\
        x = f([
            (a, b),
            (c, d),  # last
        ], else_=e)
        """
    expected = """\
        x = f(
            (a, b),
            (c, d),  # last
            else_=e,
        )
        """
    assert opened(code) == dedent(expected)
    code = """\
        x = f([
            (a, b),
            (c, d)],
            else_=e)
        """
    expected = """\
        x = f(
            (a, b),
            (c, d),
            else_=e)
        """
    assert opened(code) == dedent(expected)


def test_aligned_elements_stay_aligned() -> None:
    code = """\
        x = f([a,
               b,
               g(c,
                 d)],
              w)
        """
    expected = """\
        x = f(a,
              b,
              g(c,
                d),
              w)
        """
    assert opened(code) == dedent(expected)


def test_together_with_other_edits() -> None:
    file = File("x = f([\n    a.b,\n    c\n], w, o=z)\n")
    call = file.expr("f([\n    a.b,\n    c\n], w, o=z)")
    second, keyword = call.args[1], call.keywords[0]
    verbs = [
        spread(call.args[0]),
        drop(second),
        drop(keyword),
        swap(call, "{_}.where({w}).order_by({o})", w=second, o=keyword.value),
        swap(file.expr("a.b"), "{_}.d"),
    ]
    assert file.after(*verbs) == "x = f(\n    a.b.d,\n    c\n).where(w).order_by(z)\n"


@pytest.mark.parametrize("code", ["f(([a]))", "class A(B, metaclass=[a]): pass"])
def test_what_cannot_be_opened(code: str) -> None:
    file = File(f"{code}\n")
    holder = next(node for node in ast.walk(file.tree) if isinstance(node, ast.Call | ast.ClassDef))
    target = holder.keywords[0] if holder.keywords else holder.args[0]  # type: ignore[union-attr]
    assert file.rewritten({"fix": [spread(target)]}).refused


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(g(a, b))", "f(a, b)"),
        ("f(x, g( a, *b ), c=d)", "f(x, a, *b, c=d)"),
        ("f(g(\n    a,  # one\n    b,\n))", "f(\n    a,  # one\n    b,\n)"),
        ("f(\n    g(\n        a,\n        b,  # two\n    )\n)", "f(\n    a,\n    b,  # two\n)"),
        ("f(\n    g(a,\n      b)\n)", "f(\n    a,\n    b\n)"),
        ("f(g(\n    h(c)))", "f(\n    h(c))"),
    ],
)
def test_the_arguments_of_a_call(before: str, after: str) -> None:
    file = File(f"{before}\n")
    inner = next(
        node for node in ast.walk(file.tree) if isinstance(node, ast.Call) and ast.unparse(node).startswith("g(")
    )
    assert file.after(spread_call(inner)) == f"{after}\n"


def test_arguments_of_a_call_with_edits_inside() -> None:
    file = File("x = f(g(a.b, c))\n")
    assert file.after(spread_call(file.expr("g(a.b, c)")), swap(file.expr("a.b"), "{_}.d")) == "x = f(a.b.d, c)\n"
