"""A link added to a chain goes where the chain has its links, and comments stay with theirs."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import swap
from edits.files import File, clean

OPTIONS = "{_}.options({sqlalchemy.orm.selectinload}(Book.author))"


def loaded(code: str, target: str = "s.query(Book)", template: str = OPTIONS) -> str:
    file = File(clean(code))
    return file.after(swap(file.expr(target), template))


def test_on_one_line() -> None:
    assert loaded("books = s.query(Book).all()\n") == (
        "books = s.query(Book).options(selectinload(Book.author)).all()\n"
    )


def test_on_a_line_of_its_own_with_comments_kept_in_place() -> None:
    assert loaded(
        """\
        def f():
            books = (
                s.query(Book)  # all of them
                # only new ones
                .filter(Book.new)  # new
                .all()  # now
            )
        """
    ) == clean(
        """\
        def f():
            books = (
                s.query(Book)  # all of them
                # only new ones
                .options(selectinload(Book.author))
                .filter(Book.new)  # new
                .all()  # now
            )
        """
    )


def test_after_the_last_link() -> None:
    code = """\
        def f():
            books = (
                s.query(Book)
                .filter(Book.new)  # new
                # end
            )
        """
    assert loaded(code, "s.query(Book)\n        .filter(Book.new)") == clean(
        """\
        def f():
            books = (
                s.query(Book)
                .filter(Book.new)  # new
                .options(selectinload(Book.author))
                # end
            )
        """
    )


def test_several_links() -> None:
    code = "x = (\n    a\n    .b()  # b\n    .c()\n)\n"
    assert (
        loaded(code, "a\n    .b()", "{_}.d().e.f(1)")
        == "x = (\n    a\n    .b()  # b\n    .d()\n    .e\n    .f(1)\n    .c()\n)\n"
    )


def test_links_joined_by_backslashes() -> None:
    code = "x = s.query(Book) \\\n     .filter(a) \\\n     .all()\n"
    assert loaded(code, template="{_}.o()") == "x = s.query(Book) \\\n     .o() \\\n     .filter(a) \\\n     .all()\n"
    assert loaded(code, "s.query(Book) \\\n     .filter(a)", "{_}.o()") == (
        "x = s.query(Book) \\\n     .filter(a) \\\n     .o() \\\n     .all()\n"
    )


def test_chain_as_argument() -> None:
    code = "x = list(\n    s.query(Book)\n    .filter(a)  # c\n)\n"
    assert loaded(code, "s.query(Book)\n    .filter(a)", "{_}.o()") == (
        "x = list(\n    s.query(Book)\n    .filter(a)\n    .o()  # c\n)\n"
    )


def test_chain_in_a_header() -> None:
    code = "for b in (\n    s.query(Book)\n    .all()\n):\n    pass\n"
    assert loaded(code, template="{_}.o()") == "for b in (\n    s.query(Book)\n    .o()\n    .all()\n):\n    pass\n"


def test_call_with_lines_of_its_own() -> None:
    code = "x = s.query(\n    Book,  # b\n).all()\n"
    assert loaded(code, "s.query(\n    Book,  # b\n)", "{_}.o()") == "x = s.query(\n    Book,  # b\n).o().all()\n"


@pytest.mark.parametrize("template", ["f({_})", "{_} == 1", "{_}[0]", "x.y({_}).z()"])
def test_what_is_no_new_link_is_left_on_the_line(template: str) -> None:
    code = "x = (\n    a.b()  # b\n    .c()\n)\n"
    new = loaded(code, "a.b()", template)
    assert "  # b\n    .c()\n)\n" in new
    assert ast.dump(ast.parse(new))


def test_link_taken_out() -> None:
    file = File("x = (\n    a.b()  # b\n    .all()\n    .c()\n)\n")
    call = file.expr("a.b()  # b\n    .all()")
    assert file.after(swap(call, "{v}", v=call.func.value)) == "x = (\n    a.b()  # b\n    .c()\n)\n"
    file = File("x = (\n    a.b()\n    .all()\n    .c()\n)\n")
    call = file.expr("a.b()\n    .all()")
    assert file.after(swap(call, "{v}", v=call.func.value)) == "x = (\n    a.b()\n    .c()\n)\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            """\
            x = (
                a.b()  # b
                # c
                .c()  # c too
                .d()
            )
            """,
            """\
            x = (
                a.b()  # b
                # c
                .x()
                .y()  # c too
                .d()
            )
            """,
        ),
        ("x = a.b().c().d()\n", "x = a.b().x().y().d()\n"),
        ("x = (\n    a.b()\n    .c()\n)\n", "x = (\n    a.b()\n    .x()\n    .y()\n)\n"),
    ],
)
def test_links_instead_of_another(code: str, expected: str) -> None:
    file = File(clean(code))
    call = next(
        node for node in ast.walk(file.tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".c")
    )
    assert isinstance(call.func, ast.Attribute)
    assert file.after(swap(call, "{start}.x().y()", start=call.func.value)) == clean(expected)


def test_a_link_taken_out_of_several_lines_keeps_all_comments() -> None:
    code = "x = (\n    a.b()  # b\n    # c\n    .c()  # c too\n    # d\n    .d()\n)\n"
    file = File(code)
    call = next(
        node for node in ast.walk(file.tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".c")
    )
    assert isinstance(call.func, ast.Attribute)
    changed = file.after(swap(call, "{v}", v=call.func.value))
    assert changed == "x = (\n    a.b()  # b\n    # c\n    # c too\n    # d\n    .d()\n)\n"
