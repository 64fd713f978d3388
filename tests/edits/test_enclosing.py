"""Code of several lines that becomes the only argument of a new call goes on lines of its own; comments stay."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import rename, swap
from edits.files import File, clean


def executed(code: str, ending: str = "all") -> str:
    """`s.query(A)...all()` becomes `s.scalars(select(A)...).all()`, `filter` becomes `where`."""
    file = File(clean(code))
    verbs = []
    for node in ast.walk(file.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=chain, attr=name)) if name == ending:
                template = f"s.scalars({{chain}}).{ending}()"
                verbs.append(swap(node, template, chain=chain))
            case ast.Attribute(attr="filter"):
                verbs.append(rename(node, "where"))
            case ast.Attribute(value=ast.Name(id="s"), attr="query"):
                verbs.append(swap(node, "select"))
    return file.after(*verbs)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = s.query(A).filter(b).all()\n", "x = s.scalars(select(A).where(b)).all()\n"),
        (
            """\
            def f():
                x = (
                    s.query(A)
                    .filter(b)
                    .all()
                )
            """,
            """\
            def f():
                x = s.scalars(
                    select(A)
                    .where(b)
                ).all()
            """,
        ),
        (
            """\
            def f():
                return (s.query(A)
                         .filter(bbb,
                                 ccc)
                         .all())
            """,
            """\
            def f():
                return s.scalars(
                    select(A)
                    .where(bbb,
                           ccc)
                ).all()
            """,
        ),
        (
            """\
            x = s.query(A).filter(
                b,
                c,
            ).all()
            """,
            """\
            x = s.scalars(
                select(A).where(
                    b,
                    c,
                )
            ).all()
            """,
        ),
        (
            """\
            x = s.query(A). \\
                filter(b). \\
                all()
            """,
            """\
            x = s.scalars(
                select(A)
                .where(b)
            ).all()
            """,
        ),
        (
            """\
            x = (
                s.query(A)
                .filter(b)
                .all())
            """,
            """\
            x = s.scalars(
                select(A)
                .where(b)
            ).all()
            """,
        ),
        (
            """\
            if a:
            \tx = s.query(A) \\
            \t\t.filter(b) \\
            \t\t.all()
            """,
            """\
            if a:
            \tx = s.scalars(
            \t\tselect(A)
            \t\t.where(b)
            \t).all()
            """,
        ),
        (
            """\
            x = f(a, (
                s.query(A)
                .filter(b)
            ).all())
            """,
            """\
            x = f(a, s.scalars(
                select(A)
                .where(b)
            ).all())
            """,
        ),
        ('x = s.query(A).filter("""a\n b""").all()\n', 'x = s.scalars(select(A).where("""a\n b""")).all()\n'),
        (
            """\
            x = (s.query(A)
                  .filter('''a
              b''', c)
                  .all())
            """,
            """\
            x = s.scalars(
                select(A)
                .where('''a
              b''', c)
            ).all()
            """,
        ),
    ],
)
def test_lines_of_a_chain(code: str, expected: str) -> None:
    assert executed(code) == clean(expected)


def test_comments_stay_with_their_links() -> None:
    code = """\
        x = (  # of all
            s.query(A)  # the class
            # only these
            .filter(b)  # and so
            # at last
            .all()  # now
            # end
        )
        """
    expected = """\
        x = s.scalars(  # of all
            select(A)  # the class
            # only these
            .where(b)  # and so
            # at last
            # now
            # end
        ).all()
        """
    assert executed(code) == clean(expected)


def test_comments_of_a_chain_without_lines_of_its_own() -> None:
    code = """\
        x = (s.query(A)  # the class
              # only these
              .filter(b)
              .all())  # now
        """
    expected = """\
        x = s.scalars(
            select(A)  # the class
            # only these
            .where(b)
        ).all()  # now
        """
    assert executed(code) == clean(expected)


def test_the_target_itself_in_a_header() -> None:
    file = File(clean("for a in (\n    s.query(A)\n    .filter(b)\n):\n    pass\n"))
    chain = file.expr("s.query(A)\n    .filter(b)")
    expected = "for a in s.scalars(\n    s.query(A)\n    .filter(b)\n):\n    pass\n"
    assert file.after(swap(chain, "s.scalars({_})")) == expected


def test_windows_newlines() -> None:
    file = File("x = (s.query(A)\r\n      .b()\r\n      .all())\r\n")
    call = file.expr("s.query(A)\r\n      .b()\r\n      .all()")
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    changed = file.after(swap(call, "s.scalars({chain}).all()", chain=call.func.value))
    assert changed == "x = s.scalars(\r\n    s.query(A)\r\n    .b()\r\n).all()\r\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            """\
            def f():
                return (
                    s.query(A)
                    .filter(b)
                    .first()
                ) is None
            """,
            """\
            def f():
                return not s.query(
                    s.query(A)
                    .filter(b)
                    .exists()
                ).scalar()
            """,
        ),
        (
            """\
            x = s.query(A).filter(
                b,
            ).first() is None
            """,
            """\
            x = not s.query(
                s.query(A).filter(
                    b,
                ).exists()
            ).scalar()
            """,
        ),
        ("x = s.query(A).first() is None\n", "x = not s.query(s.query(A).exists()).scalar()\n"),
    ],
)
def test_an_argument_that_goes_on_behind_the_old_code(code: str, expected: str) -> None:
    file = File(clean(code))
    compared = file.node(ast.Compare)
    assert isinstance(compared.left, ast.Call)
    assert isinstance(compared.left.func, ast.Attribute)
    chain = compared.left.func.value
    assert file.after(swap(compared, "not s.query({chain}.exists()).scalar()", chain=chain)) == clean(expected)
