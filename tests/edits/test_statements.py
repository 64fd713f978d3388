"""Statements dropped, swapped, inserted, appended; suites that are emptied; decorators and handlers."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import Code, append, block, decorate, dissolve, drop, insert, rename, swap
from edits.files import File, clean


@pytest.mark.parametrize(
    ("code", "target", "expected"),
    [
        ("a\nb\nc\n", "b", "a\nc\n"),
        ("a\nb\n", "b", "a\n"),
        ("a\nb", "b", "a"),
        ("a\nb\n\n\n", "b", "a\n\n\n"),
        ("a\r\nb\r\nc\r\n", "b", "a\r\nc\r\n"),
        ("a\n\nb\n\nc\n", "b", "a\n\nc\n"),
        ("a\n\n\nb\n\nc\n", "b", "a\n\n\nc\n"),
        ("a\nb\n\nc\n", "b", "a\n\nc\n"),
        ("a\n# about b\nb\nc\n", "b", "a\n# about b\nc\n"),
        ("a\nb  # done\nc\n", "b", "a\n# done\nc\n"),
        ("def f():\n    a\n\n    b\n\n\nc\n", "b", "def f():\n    a\n\n\nc\n"),
        ("def f():\n    b\n\n    a\n", "b", "def f():\n    a\n"),
        ("def f():\n    b\n", "b", "def f():\n    pass\n"),
        ("def f():\n    b  # done\n", "b", "def f():\n    pass  # done\n"),
        ("def f():\n    # about b\n    b\n", "b", "def f():\n    # about b\n    pass\n"),
        ("def f(): b\n", "b", "def f(): pass\n"),
        ("def f():\n    @a\n    def b():\n        c  # d\n", "def b():", "def f():\n    # d\n    pass\n"),
        ("def f():\n    @a\n    def b(): pass\n", "def b(): pass", "def f():\n    pass\n"),
        ("if a: b; c\n", "b", "if a: c\n"),
        ("if a: b; c\n", "c", "if a: b\n"),
        ("a; b; c\n", "a", "b; c\n"),
        ("a; b; c\n", "b", "a; c\n"),
        ("a; b; c  # d\n", "c", "a; b  # d\n"),
        ("a; b;\n", "b", "a;\n"),
        ("if a:\n    b\nelse:\n    c\n", "c", "if a:\n    b\n"),
        ("if a:\n    b\nelse:  # or\n    c\nd\n", "c", "if a:\n    b\n# or\nd\n"),
        ("if a:\n    b\nelif c:\n    d\n", "if c:", None),
        ("for a in b:\n    c\nelse:\n    d\n", "d", "for a in b:\n    c\n"),
        ("a(\n    1,\n    2,\n)\nb\n", "a(\n    1,\n    2,\n)", "b\n"),
        ("a(\n    1,  # one\n)\nb\n", "a(\n    1,  # one\n)", "# one\nb\n"),
        ("@a\ndef b():\n    pass\n\n\nc\n", "def b():", "c\n"),
        ("x = '''\nb\n'''\nb\n", "b", "x = '''\nb\n'''\n"),
    ],
)
def test_dropped_statement(code: str, target: str, expected: str | None) -> None:
    file = File(code)
    if expected is None:
        elif_ = file.node(ast.If).orelse[0]
        assert file.after(drop(elif_)) == "if a:\n    b\n"
    else:
        assert file.after(drop(file.stmt(target))) == expected


def test_several_dropped_statements() -> None:
    file = File("def f():\n    a\n\n    b; c\n\n    d\n    e\n")
    assert file.after(*(drop(file.stmt(name)) for name in "bcd")) == "def f():\n    a\n\n    e\n"
    assert file.after(*(drop(file.stmt(name)) for name in "abcd")) == "def f():\n    e\n"
    assert file.after(*(drop(file.stmt(name)) for name in "abcde")) == "def f():\n    pass\n"
    assert file.after(*(drop(file.stmt(name)) for name in "bcde")) == "def f():\n    a\n"


def test_emptied_finally_goes_and_bare_try_is_dissolved() -> None:
    file = File(
        """\
        def f():
            a
            try:  # in any case
                b(
                    '''
                inside
                ''',  # text
                    1,
                )

                # last
            finally:  # always
                # about close
                close()  # closed
                # after

            d
        """
    )
    assert file.after(drop(file.stmt("close()"))) == clean(
        """\
        def f():
            a
            # in any case
            b(
                '''
                inside
                ''',  # text
                1,
            )

            # last
            # always
            # about close
            # closed
            # after

            d
        """
    )


def test_try_with_handlers_only_loses_its_finally() -> None:
    file = File("try:\n    a\nexcept B:\n    c\nfinally:\n    close()\nd\n")
    assert file.after(drop(file.stmt("close()"))) == "try:\n    a\nexcept B:\n    c\nd\n"


def test_finally_with_other_statements_stays() -> None:
    file = File("try:\n    a\nfinally:\n    b\n    close()\n")
    assert file.after(drop(file.stmt("close()"))) == "try:\n    a\nfinally:\n    b\n"


def test_dropped_handlers() -> None:
    file = File("try:\n    a\nexcept B:\n    c  # d\nexcept E:\n    f\ng\n")
    first, second = file.node(ast.Try).handlers
    assert file.after(drop(first)) == "try:\n    a\n# d\nexcept E:\n    f\ng\n"
    assert file.after(drop(first), drop(second)) == "a\n# d\ng\n"


def test_handlers_do_not_go_while_there_is_an_else() -> None:
    file = File("try:\n    a\nexcept B:\n    c\nelse:\n    d\n")
    assert "else" in file.refusal(drop(file.node(ast.Try).handlers[0]))


def test_one_line_try_is_dissolved() -> None:
    file = File("try: a\nfinally: close()\nb\n")
    assert file.after(drop(file.stmt("close()"))) == "a\nb\n"


def test_nested_try_in_a_dissolved_one() -> None:
    file = File(
        """\
        try:
            try:
                a
            finally:
                close()
            b
        finally:
            shut()
        """
    )
    assert file.after(drop(file.stmt("close()")), drop(file.stmt("shut()"))) == "a\nb\n"


def test_dissolved_with() -> None:
    file = File("def f():\n    with a(  # why\n        1\n    ):\n        b\n        c\n    d\n")
    assert file.after(dissolve(file.node(ast.With))) == "def f():\n    # why\n    b\n    c\n    d\n"


def test_compound_statement_with_an_else_is_not_dissolved() -> None:
    file = File("if a:\n    b\nelse:\n    c\n")
    assert "nothing but a header and a body" in file.refusal(dissolve(file.node(ast.If)))


def test_swapped_statement() -> None:
    file = File("def f():\n    x = a  # why\n    y\n")
    statement = file.stmt("x = a")
    assert file.after(swap(statement, "z({v})", v=statement.value)) == "def f():\n    z(a)  # why\n    y\n"
    assert file.after(swap(statement, "z = {v}\nx = z", v=statement.value)) == (
        "def f():\n    z = a\n    x = z  # why\n    y\n"
    )
    assert file.after(swap(statement, "if {v}:\n    {_}\nelse:\n    w", v=statement.value)) == (
        "def f():\n    if a:\n        x = a\n    else:\n        w  # why\n    y\n"
    )


def test_swapped_statement_on_a_shared_line() -> None:
    file = File("if a: b; c\n")
    assert file.after(swap(file.stmt("b"), "d = 1")) == "if a: d = 1; c\n"
    assert "several statements" in file.refusal(swap(file.stmt("b"), "d\ne"))


def test_statements_fill_a_hole() -> None:
    file = File("def f():\n\ta\n\tb = c(\n\t\t1,\n\t)\n")
    a, b = file.stmt("a"), file.stmt("b = c(\n\t\t1,\n\t)")
    new = file.after(swap(a, "if x:\n    {*body}", body=[Code("y = 1"), a]), rename(file.expr("c"), "d"))
    assert new == "def f():\n\tif x:\n\t\ty = 1\n\t\ta\n\tb = d(\n\t\t1,\n\t)\n"
    assert file.after(swap(b, "{_}\ne"), rename(file.expr("c"), "d")) == ("def f():\n\ta\n\tb = d(\n\t\t1,\n\t)\n\te\n")


def test_multi_line_value_in_a_new_statement() -> None:
    file = File("def f():\n    x = g(\n        a,\n        b,\n    )\n")
    statement = file.node(ast.Assign)
    assert file.after(swap(statement, "for y in {v}:\n    z", v=statement.value)) == (
        "def f():\n    for y in g(\n        a,\n        b,\n    ):\n        z\n"
    )


def test_inserted_statements() -> None:
    file = File("def f():\n    # about a\n    a  # a\n    b; c\n")
    assert file.after(insert("x = 1", before=file.stmt("a"))) == (
        "def f():\n    x = 1\n    # about a\n    a  # a\n    b; c\n"
    )
    assert file.after(insert("x = {v}", after=file.stmt("a"), v=file.expr("a"))) == (
        "def f():\n    # about a\n    a  # a\n    x = a\n    b; c\n"
    )
    assert file.after(insert("x", after=file.stmt("b"))) == "def f():\n    # about a\n    a  # a\n    b; x; c\n"
    assert file.after(insert("x", before=file.stmt("c"))) == "def f():\n    # about a\n    a  # a\n    b; x; c\n"
    assert file.after(insert("if x:\n    y", after=file.stmt("c"))) == (
        "def f():\n    # about a\n    a  # a\n    b; c\n    if x:\n        y\n"
    )


def test_inserted_in_order_and_next_to_dropped_ones() -> None:
    file = File("a\nb\n")
    verbs = insert("x", after=file.stmt("a")), insert("y", before=file.stmt("b")), insert("z", after=file.stmt("a"))
    assert file.after(*verbs) == "a\nx\nz\ny\nb\n"
    assert file.after(drop(file.stmt("a")), insert("x", after=file.stmt("a"))) == "x\nb\n"


def test_insertion_needs_one_place() -> None:
    file = File("a\n")
    with pytest.raises(TypeError):
        insert("x")
    with pytest.raises(TypeError):
        insert("x", before=file.stmt("a"), after=file.stmt("a"))


def test_inserted_at_the_end_of_a_file_without_newline() -> None:
    file = File("if a:\n    b")
    assert file.after(insert("c", after=file.stmt("b"))) == "if a:\n    b\n    c"


def test_inserted_around_a_decorated_function() -> None:
    file = File("a\n# about f\n@b\n@c\ndef f(): pass\n")
    assert file.after(insert("x", before=file.stmt("def f(): pass"))) == "a\nx\n# about f\n@b\n@c\ndef f(): pass\n"


@pytest.mark.parametrize(
    ("code", "template", "expected"),
    [
        ("class A:\n    b = 1\n\n\nc\n", "d = 2", "class A:\n    b = 1\n    d = 2\n\n\nc\n"),
        ("class A:\n    b = 1\n    # c = 2\n", "d = 2", "class A:\n    b = 1\n    # c = 2\n    d = 2\n"),
        ("class A:\n    def b(self): pass\n", "d = 2", "class A:\n    def b(self): pass\n\n    d = 2\n"),
        ("class A:\n    b = 1\n", "def d(self):\n    pass", "class A:\n    b = 1\n\n    def d(self):\n        pass\n"),
        ("class A:\n    pass\n", "d = 2", "class A:\n    d = 2\n"),
        ("class A: pass\n", "d = 2", "class A:\n    d = 2\n"),
        ("class A:\n\tb = 1", "def d(self):\n    pass", "class A:\n\tb = 1\n\n\tdef d(self):\n\t\tpass"),
        (
            "class A:\n    class B:\n      c = 1\n\n    e = 1\n",
            "d = 2",
            "class A:\n    class B:\n      c = 1\n\n    e = 1\n    d = 2\n",
        ),
        ("class A:\r\n    b = 1\r\n", "d = 2", "class A:\r\n    b = 1\r\n    d = 2\r\n"),
    ],
)
def test_appended_to_a_class(code: str, template: str, expected: str) -> None:
    file = File(code)
    assert file.after(append(file.node(ast.ClassDef), template)) == expected


def test_appended_to_a_nested_class() -> None:
    file = File("class A:\n    class B:\n        c = 1\n\n    e = 1\n")
    inner = file.stmt("class B:")
    assert file.after(append(inner, "d = 2")) == "class A:\n    class B:\n        c = 1\n        d = 2\n\n    e = 1\n"


def test_appended_twice() -> None:
    file = File("class A:\n    pass\n")
    assert file.after(append(file.tree.body[0], "b = 1"), append(file.tree.body[0], "c = 2")) == (
        "class A:\n    b = 1\n    c = 2\n"
    )


def test_appended_to_a_module() -> None:
    file = File("a\n")
    assert file.after(append(file.tree, "b = 1")) == "a\nb = 1\n"
    assert file.after(append(file.tree, "def b():\n    pass")) == "a\n\n\ndef b():\n    pass\n"
    empty = File("")
    assert empty.after(append(empty.tree, "b = 1")) == "b = 1\n"


def test_decorators() -> None:
    file = File(
        "class A:\n    # about f\n    @a  # why\n    @b(\n        1\n    )\n"
        "    def f(self): pass\n\n    def g(self): pass\n"
    )
    f, g = file.stmt("def f(self): pass"), file.stmt("def g(self): pass")
    assert file.after(decorate(g, "c.d")) == file.source.text.replace("    def g", "    @c.d\n    def g")
    assert file.after(decorate(f, "@c")) == file.source.text.replace("    @a", "    @c\n    @a")
    assert file.after(drop(f.decorator_list[1])) == file.source.text.replace("    @b(\n        1\n    )\n", "")
    assert file.after(drop(f.decorator_list[0])) == file.source.text.replace("@a  # why", "# why")
    assert file.after(*map(drop, f.decorator_list)) == (
        "class A:\n    # about f\n    # why\n    def f(self): pass\n\n    def g(self): pass\n"
    )


def test_methods_of_nested_and_async_functions() -> None:
    file = File("class A:\n    class B:\n        async def f(self):\n            await a\n            await b\n")
    assert file.after(drop(file.stmt("await a")), rename(file.expr("b"), "c")) == (
        "class A:\n    class B:\n        async def f(self):\n            await c\n"
    )


def test_statement_in_a_case() -> None:
    file = File("match a:\n    case b:\n        c\n        d\n    case _:\n        e\n")
    assert file.after(drop(file.stmt("c")), drop(file.stmt("e"))) == (
        "match a:\n    case b:\n        d\n    case _:\n        pass\n"
    )


def test_elif_is_no_place_for_a_statement() -> None:
    file = File("if a:\n    b\nelif c:\n    d\n")
    inner = file.node(ast.If).orelse[0]
    assert file.refusal(insert("e", before=inner)) == "the statement is an elif"
    assert file.refusal(block(inner, inner, "if e:")) == "the statement is an elif"
    assert file.after(drop(inner.body[0])) == "if a:\n    b\nelif c:\n    pass\n"
