"""Statements put into a block: the opener disappears, the closer goes, the lines between move."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.rewrite import rewrite
from alchemod.edits.verbs import block, drop, insert, rename, swap
from edits.files import File, clean


def managed(code: str | bytes, last: str | None = None, **options: object) -> str:
    """`s = Maker(...)` made a `with` up to `last` (or the end of its suite), every `s.close()` dropped."""
    return managed_data(code, last, **options).decode()


def managed_data(code: str | bytes, last: str | None = None, **options: object) -> bytes:
    file = File(code)
    return file.data(*verbs_for(file, last), **options)


def verbs_for(file: File, last: str | None = None) -> list[object]:
    for owner in ast.walk(file.tree):
        for suite in (getattr(owner, "body", None), getattr(owner, "orelse", None)):
            for opener in suite if isinstance(suite, list) else ():
                if isinstance(opener, ast.Assign) and ast.unparse(opener).startswith("s = Maker("):
                    end = suite[-1] if last is None else file.stmt(last)
                    header = "with {maker} as {name}:"
                    closes = [node for node in ast.walk(file.tree) if is_close(node)]
                    wrap = block(opener, end, header, replaces=(opener,), maker=opener.value, name="s")
                    return [wrap, *map(drop, closes)]
    raise LookupError("s = Maker()")


def is_close(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node) == "s.close()"


def test_try_finally_becomes_with_and_its_body_keeps_its_lines() -> None:
    assert managed(
        """\
        def f():
            s = Maker()
            try:
                x = s.query(A)
                return x
            finally:
                s.close()


        def g(): pass
        """
    ) == clean(
        """\
        def f():
            with Maker() as s:
                x = s.query(A)
                return x


        def g(): pass
        """
    )


def test_blank_lines_after_the_opener_go_and_comments_stay() -> None:
    assert managed(
        """\
        def f():
            # a session
            s = Maker()  # open

            # in any case
            try:  # careful
                x = s.query(A)

                # the result
                return x
            finally:  # always
                # give it back
                s.close()  # closed
        """
    ) == clean(
        """\
        def f():
            # a session
            with Maker() as s:  # open
                # in any case
                # careful
                x = s.query(A)

                # the result
                return x
                # always
                # give it back
                # closed
        """
    )


def test_statements_in_the_gap_move_in() -> None:
    assert managed(
        """\
        def f():
            s = Maker(
                bind=e,  # which
            )
            n = 1

            try:
                return s.query(A, n)
            finally:
                s.close()
        """
    ) == clean(
        """\
        def f():
            with Maker(
                bind=e,  # which
            ) as s:
                n = 1

                return s.query(A, n)
        """
    )


def test_handlers_and_other_final_statements_stay() -> None:
    assert managed(
        """\
        def f():
            s = Maker()
            try:
                s.add(1)
            except E:
                s.rollback()
                raise
            finally:
                log()
                s.close()
        """
    ) == clean(
        """\
        def f():
            with Maker() as s:
                try:
                    s.add(1)
                except E:
                    s.rollback()
                    raise
                finally:
                    log()
        """
    )


def test_handlers_stay_when_the_finally_goes() -> None:
    assert managed(
        """\
        def f():
            s = Maker()
            try:
                s.add(1)
            except E:
                raise
            finally:
                s.close()
        """
    ) == clean(
        """\
        def f():
            with Maker() as s:
                try:
                    s.add(1)
                except E:
                    raise
        """
    )


def test_early_returns() -> None:
    assert managed(
        """\
        def f(a):
            s = Maker()
            if a:
                s.close()
                return 1
            elif b:
                s.close()
            else:
                c()
                s.close()

            x = s.query()
            s.close()
            return x
        """
    ) == clean(
        """\
        def f(a):
            with Maker() as s:
                if a:
                    return 1
                elif b:
                    pass
                else:
                    c()

                x = s.query()
                return x
        """
    )


def test_close_in_the_middle() -> None:
    assert managed(
        """\
        def f():
            s = Maker()
            x = s.query()

            # done with it
            s.close()

            return x
        """,
        last="s.close()",
    ) == clean(
        """\
        def f():
            with Maker() as s:
                x = s.query()

                # done with it

            return x
        """
    )


def test_strings_keep_their_lines_and_continuations_move_along() -> None:
    assert managed(
        '''\
        def f():
            s = Maker()
            q = """
            select
            """
            r = s.run(q, b"""x
        y""",
                      1 + \\
                      2,
              )
        # far left
            t = f"""
            {q}
            """ + \'a\\
            b\'
            s.close()
        '''
    ) == clean(
        '''\
        def f():
            with Maker() as s:
                q = """
            select
            """
                r = s.run(q, b"""x
        y""",
                          1 + \\
                          2,
                  )
        # far left
                t = f"""
            {q}
            """ + \'a\\
            b\'
        '''
    )


def test_opener_that_lies_deeper_than_the_block() -> None:
    file = File("try:\n    s = Maker()\n\n    a\nfinally:\n    if s:\n        s.close()\n")
    opener, attempt = file.stmt("s = Maker()"), file.node(ast.Try)
    wrap = block(attempt, attempt, "with {m} as s:", replaces=(opener,), m=opener.value)
    assert file.after(wrap, drop(attempt.finalbody[0])) == "with Maker() as s:\n    a\n"


def test_nested_blocks() -> None:
    file = File(
        """\
        def f():
            a = A()
            b = B()
            x(a, b)
            b.close()
            y(a)
            a.close()
            return 1
        """
    )
    a, b = file.stmt("a = A()"), file.stmt("b = B()")
    outer = [
        block(a, file.stmt("a.close()"), "with {m} as a:", replaces=(a,), m=a.value),
        drop(file.stmt("a.close()")),
    ]
    inner = [
        block(b, file.stmt("b.close()"), "with {m} as b:", replaces=(b,), m=b.value),
        drop(file.stmt("b.close()")),
    ]
    expected = clean(
        """\
        def f():
            with A() as a:
                with B() as b:
                    x(a, b)
                y(a)
            return 1
        """
    )
    assert file.after(*outer, *inner) == expected
    assert file.rewritten({1: inner, 2: outer}).source.text == expected


def test_overlapping_blocks_are_refused() -> None:
    file = File("a\nb\nc\nd\n")
    a, b, c, d = file.tree.body
    result = file.rewritten({1: [block(a, c, "if x:")], 2: [block(b, d, "if y:")], 3: [block(d, b, "if z:")]})
    assert result.applied == {1}
    assert result.source.text == "if x:\n    a\n    b\n    c\nd\n"
    assert set(result.refused) == {2, 3}


def test_nested_try_dissolved_inside_a_moved_suite() -> None:
    assert managed(
        """\
        def f():
            s = Maker()
            for i in j:
                try:
                    k(i)
                finally:
                    s.close()
                l
            m
        """
    ) == clean(
        """\
        def f():
            with Maker() as s:
                for i in j:
                    k(i)
                    l
                m
        """
    )


def test_edits_inside_the_maker_and_the_body_are_kept() -> None:
    file = File("s = Maker(a)\nx = b(\n    c,\n)\ns.close()\n")
    verbs = verbs_for(file)
    new = file.after(*verbs, rename(file.expr("a"), "A"), swap(file.expr("c"), "f({_})"))
    assert new == "with Maker(A) as s:\n    x = b(\n        f(c),\n    )\n"


def test_edit_in_what_the_block_throws_away_is_refused() -> None:
    file = File("s = Maker(a)\nx = b\ns.close()\n")
    result = file.rewritten({1: verbs_for(file), 2: [rename(file.expr("s"), "t")]})
    assert result.applied == {1}
    assert result.refused == {2: "it lies in code that another edit replaces"}


def test_nothing_left_in_the_block() -> None:
    assert managed("s = Maker()\ns.close()\na\n", last="s.close()") == "with Maker() as s:\n    pass\na\n"
    assert (
        managed("def f():\n    s = Maker()\n", last="s = Maker()") == "def f():\n    with Maker() as s:\n        pass\n"
    )


def test_insertions_at_the_edges_stay_outside() -> None:
    file = File("s = Maker()\nx\ns.close()\ny\n")
    first, last = file.stmt("s = Maker()"), file.stmt("s.close()")
    verbs = verbs_for(file, "s.close()")
    new = file.after(*verbs, insert("a", before=first), insert("b", after=last), insert("c", after=first))
    assert new == "a\nwith Maker() as s:\n    c\n    x\nb\ny\n"


def test_opener_stays_when_it_is_not_replaced() -> None:
    file = File("def f():\n    # first\n    a\n\n    b\n    c\n")
    a, b = file.stmt("a"), file.stmt("b")
    assert file.after(block(a, b, "if {x}:\n    {*body}", x="y")) == (
        "def f():\n    # first\n    if y:\n        a\n\n        b\n    c\n"
    )


def test_async_header_and_async_function() -> None:
    file = File("async def f():\n    s = Maker()\n    await s.run()\n    await s.close()\n")
    opener, close = file.stmt("s = Maker()"), file.stmt("await s.close()")
    wrap = block(opener, close, "async with {m} as {n}:", replaces=(opener,), m=opener.value, n="s")
    assert file.after(wrap, drop(close)) == "async def f():\n    async with Maker() as s:\n        await s.run()\n"


def test_maker_that_spans_lines_outside_brackets() -> None:
    assert managed("s = Maker(\n    1\n)\nx\n") == "with Maker(\n    1\n) as s:\n    x\n"
    file = File("s = (a\n     .b)\nx\n")
    opener = file.tree.body[0]
    assert file.after(
        block(opener, file.stmt("x"), "with {m} as s:", replaces=(opener,), m=file.expr("a\n     .b"))
    ) == ("with (a\n     .b) as s:\n    x\n")


def test_semicolons() -> None:
    assert managed("def f():\n    s = Maker(); x = s.query()\n    if x: s.close(); return\n    y\n") == (
        "def f():\n    with Maker() as s:\n        x = s.query()\n        if x: return\n        y\n"
    )
    assert managed("def f():\n    a; s = Maker(); b\n    s.close(); return c\n", last="s.close()") == (
        "def f():\n    a\n    with Maker() as s:\n        b\n    return c\n"
    )
    file = File("a; b\nc\n")
    assert file.after(block(file.stmt("b"), file.stmt("c"), "if d:")) == "a\nif d:\n    b\n    c\n"
    file = File("s = Maker(); b; s.close(); c\n")
    assert file.refusal(*verbs_for(file, "s.close()")) == "several statements stand on the line"


def test_one_line_suite_is_refused() -> None:
    file = File("if a: s = Maker(); b; s.close()\n")
    assert file.refusal(*verbs_for(file)) == "the suite stands on the line of its header"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            b"s = Maker()\r\n\r\ntry:\r\n    a(\r\n        1,\r\n    )\r\nfinally:\r\n    s.close()\r\nb\r\n",
            b"with Maker() as s:\r\n    a(\r\n        1,\r\n    )\r\n    b\r\n",
        ),
        (b"if 1:\n\ts = Maker()\n\ta\n\tif b:\n\t\tc\n", b"if 1:\n\twith Maker() as s:\n\t\ta\n\t\tif b:\n\t\t\tc\n"),
        (b"if 1:\n  s = Maker()\n  a\n", b"if 1:\n  with Maker() as s:\n    a\n"),
        (b"s = Maker()\na\ns.close()", b"with Maker() as s:\n    a"),
        (b"s = Maker()\na", b"with Maker() as s:\n    a"),
        (
            "# coding: latin-1\ns = Maker('ä')\nb = 'ö'; c = 1\n".encode("latin-1"),
            "# coding: latin-1\nwith Maker('ä') as s:\n    b = 'ö'; c = 1\n".encode("latin-1"),
        ),
        (b"\xef\xbb\xbfs = Maker()\na\n", b"\xef\xbb\xbfwith Maker() as s:\n    a\n"),
        (b"s = Maker()\n\x0c\ndef f(): pass\n", b"with Maker() as s:\n    def f(): pass\n"),
    ],
)
def test_bytes_of_the_file_are_kept(code: bytes, expected: bytes) -> None:
    assert managed_data(code) == expected


def test_form_feed_before_an_indentation() -> None:
    file = File(b"if 1:\n    a\n\x0c    s = Maker()\n\x0c    b\n")
    result = rewrite(file.source, file.tree, {1: verbs_for(file)})
    assert result.source.data == b"if 1:\n    a\n\x0c    with Maker() as s:\n\x0c        b\n"


def test_decorated_function_inside() -> None:
    assert managed(
        "s = Maker()\n\n\n@a\n@b(\n    1,\n)\ndef f():\n    '''x\n    y'''\n\n\nclass C:\n\n    d = 1\n"
    ) == (
        "with Maker() as s:\n    @a\n    @b(\n        1,\n    )\n    def f():\n        '''x\n    y'''\n\n\n"
        "    class C:\n\n        d = 1\n"
    )


def test_two_fixes_of_one_function() -> None:
    file = File(
        """\
        def f():
            s = Maker()
            try:
                return s.query(A).filter_by(b=c).all()
            finally:
                s.close()
        """
    )
    keyword = file.keyword("b=c")
    call = file.expr("s.query(A).filter_by(b=c)")
    other = [rename(call.func, "filter"), swap(keyword, "A.b == {v}", v=keyword.value)]
    expected = "def f():\n    with Maker() as s:\n        return s.query(A).filter(A.b == c).all()\n"
    assert file.rewritten({1: verbs_for(file), 2: other}).source.text == expected
    assert file.rewritten({1: other, 2: verbs_for(file)}).source.text == expected
