"""Expressions and arguments swapped and renamed: parentheses, layout, comments."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import Code, add_argument, drop, rename, swap
from edits.files import File, clean


def filtered(file: File, line_length: int = 88) -> str:
    """`filter_by` made `filter` on User, as the rule does it."""
    call = next(node for node in ast.walk(file.tree) if isinstance(node, ast.Call) and node.keywords)
    verbs = [rename(call.func, "filter")]
    for keyword in call.keywords:
        constant = keyword.value.value if isinstance(keyword.value, ast.Constant) else ...
        template = {None: "{entity}.{key}.is_(None)", True: "{entity}.{key} == {sqlalchemy.true}()"}.get(
            constant, "{entity}.{key} == {value}"
        )
        verbs.append(swap(keyword, template, entity="User", key=keyword.arg, value=keyword.value))
    return file.after(*verbs, line_length=line_length)


def test_keywords_become_expressions_on_one_line() -> None:
    file = File("u = s.query(User).filter_by(name=n, active=True, team=None).one()\n")
    expected = "u = s.query(User).filter(User.name == n, User.active == true(), User.team.is_(None)).one()\n"
    assert filtered(file, 120) == expected


def test_layout_and_comments_of_arguments_stay() -> None:
    file = File(
        """\
        def find():
            return (
                s.query(User)  # everyone
                .filter_by(
                    name=a or b,  # the name
                    # only those
                    active=True,
                    team = None
                )  # found
                .all()
            )
        """
    )
    assert filtered(file) == clean(
        """\
        def find():
            return (
                s.query(User)  # everyone
                .filter(
                    User.name == (a or b),  # the name
                    # only those
                    User.active == true(),
                    User.team.is_(None)
                )  # found
                .all()
            )
        """
    )


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("a", "a"),
        ("a.b[0](1)", "a.b[0](1)"),
        ("-1", "-1"),
        ("a | b", "a | b"),
        ("a + b", "a + b"),
        ("a or b", "(a or b)"),
        ("not a", "(not a)"),
        ("a < b", "(a < b)"),
        ("a in b", "(a in b)"),
        ("a if b else c", "(a if b else c)"),
        ("lambda: 1", "(lambda: 1)"),
        ("(yield)", "(yield)"),
        ("(yield 1)", "(yield 1)"),
        ("(n := 1)", "(n := 1)"),
        ("(1, 2)", "(1, 2)"),
        ("(x for x in y)", "(x for x in y)"),
        ("[x for x in y]", "[x for x in y]"),
        ("'a' 'b'", "'a' 'b'"),
        ("f'{a}'", "f'{a}'"),
        ("await a", "await a"),
        ("a ** b", "a ** b"),
        ("{**a}", "{**a}"),
        ("(a)", "(a)"),
        ("...", "..."),
    ],
)
def test_operand_gets_the_parentheses_it_needs(value: str, filled: str) -> None:
    file = File(f"async def f():\n    q.filter(name={value})\n")
    keyword = file.node(ast.keyword)
    new = file.after(swap(keyword, "{m}.name == {value}", m="User", value=keyword.value))
    assert new == f"async def f():\n    q.filter(User.name == {filled})\n"


@pytest.mark.parametrize(
    ("receiver", "filled"),
    [
        ("a", "a"),
        ("1", "(1)"),
        ("0x1", "(0x1)"),
        ("1.5", "1.5"),
        ("'a' 'b'", "'a' 'b'"),
        ("-a", "(-a)"),
        ("a + b", "(a + b)"),
        ("await a", "(await a)"),
        ("a ** b", "(a ** b)"),
        ("a.b", "a.b"),
        ("a()", "a()"),
        ("lambda: 1", "(lambda: 1)"),
        ("[1]", "[1]"),
    ],
)
def test_receiver_gets_the_parentheses_it_needs(receiver: str, filled: str) -> None:
    file = File(f"async def f():\n    return g(x={receiver})\n")
    keyword = file.node(ast.keyword)
    assert file.after(swap(keyword, "{value}.is_(None)", value=keyword.value)) == (
        f"async def f():\n    return g({filled}.is_(None))\n"
    )


@pytest.mark.parametrize(
    ("code", "target", "template", "expected"),
    [
        ("x = not a\n", "a", "{_} or b", "x = not (a or b)\n"),
        ("x = a and b\n", "a", "{_} or c", "x = (a or c) and b\n"),
        ("x = a and b\n", "a", "{_} and c", "x = (a and c) and b\n"),
        ("x = a and b and c\n", "b", "{_} or d", "x = a and (b or d) and c\n"),
        ("x = a and b and c\n", "c", "{_} or d", "x = a and b and (c or d)\n"),
        ("x = a - b\n", "b", "{_} - c", "x = a - (b - c)\n"),
        ("x = a - b\n", "a", "{_} - c", "x = a - c - b\n"),
        ("x = a ** b\n", "a", "-{_}", "x = (-a) ** b\n"),
        ("x = a ** b\n", "b", "-{_}", "x = a ** -b\n"),
        ("x = a < b\n", "b", "{_} < c", "x = a < (b < c)\n"),
        ("x = a < b < c\n", "b", "{_} | d", "x = a < b | d < c\n"),
        ("x = a if b else c\n", "c", "lambda: {_}", "x = a if b else lambda: c\n"),
        ("x = a if b else c\n", "b", "lambda: {_}", "x = a if (lambda: b) else c\n"),
        ("x = a.b\n", "a", "{_} or c", "x = (a or c).b\n"),
        ("x = a[b]\n", "b", "{_}, c", "x = a[(b, c)]\n"),
        ("f(a)\n", "a", "{_}, 1", "f((a, 1))\n"),
        ("x = a\n", "a", "{_}, 1", "x = a, 1\n"),
        ("x = [*a]\n", "a", "{_} or b", "x = [*(a or b)]\n"),
        ("f(*a)\n", "a", "{_} or b", "f(*a or b)\n"),
        ("f(**a)\n", "a", "{_} or b", "f(**a or b)\n"),
        ("x = {**a}\n", "a", "{_} or b", "x = {**(a or b)}\n"),
        ("x = [a for a in b if c]\n", "b", "p if {_} else q", "x = [a for a in (p if b else q) if c]\n"),
        ("x = [y for y in b if c]\n", "c", "{_} or d", "x = [y for y in b if c or d]\n"),
        ("x = 'a' 'b'\n", "'a' 'b'", "{_}.upper()", "x = 'a' 'b'.upper()\n"),
        ("if a: b\n", "a", "x := {_}", "if (x := a): b\n"),
        ("for i in a: b\n", "a", "{_}, c", "for i in a, c: b\n"),
        ("with a as c: pass\n", "a", "b if {_} else d", "with b if a else d as c: pass\n"),
        ("assert a, b\n", "b", "{_} or c", "assert a, b or c\n"),
        ("raise a from b\n", "b", "{_}.c", "raise a from b.c\n"),
        ("del a.b, c\n", "a", "{_}.x", "del a.x.b, c\n"),
        ("del (a.b, c)\n", "a", "{_}.x", "del (a.x.b, c)\n"),
        ("a, b.c = d\n", "b", "{_}[0]", "a, b[0].c = d\n"),
        ("a.x += b\n", "b", "{_} or c", "a.x += b or c\n"),
        ("a: b = c\n", "b", "{_}[int]", "a: b[int] = c\n"),
        ("d[1,]\n", "1", "{_} + a", "d[1 + a,]\n"),
        ("d[a, b:c]\n", "c", "{_} + a", "d[a, b:c + a]\n"),
        ("d[(a, b)]\n", "(a, b)", "f({_})", "d[f((a, b))]\n"),
        ("d[a:b]\n", "b", "{_} or c", "d[a:b or c]\n"),
        ("x = lambda a=b, *c, d=e: f\n", "e", "{_}.g", "x = lambda a=b, *c, d=e.g: f\n"),
        ("x = lambda a, b=c: f\n", "f", "{_} or g", "x = lambda a, b=c: f or g\n"),
        (
            "def f(a, /, b=c, *d, e: g=h, **i) -> j: pass\n",
            "c",
            "{_}.x",
            "def f(a, /, b=c.x, *d, e: g=h, **i) -> j: pass\n",
        ),
        (
            "def f(a, /, b=c, *d, e: g=h, **i) -> j: pass\n",
            "g",
            "{_}.x",
            "def f(a, /, b=c, *d, e: g.x=h, **i) -> j: pass\n",
        ),
        (
            "def f(a, /, b=c, *d, e: g=h, **i) -> j: pass\n",
            "j",
            "{_}.x",
            "def f(a, /, b=c, *d, e: g=h, **i) -> j.x: pass\n",
        ),
        ("class A(B, metaclass=M): pass\n", "B", "{_}[int]", "class A(B[int], metaclass=M): pass\n"),
        ("class A(B, metaclass=M): pass\n", "M", "{_}.x", "class A(B, metaclass=M.x): pass\n"),
        ("@a.b\ndef f(): pass\n", "a", "{_}.x", "@a.x.b\ndef f(): pass\n"),
        ("if a:\n    pass\nelif b:\n    pass\n", "b", "{_}.x", "if a:\n    pass\nelif b.x:\n    pass\n"),
        ("try:\n    a\nexcept b as c:\n    d\n", "b", "{_}.x", "try:\n    a\nexcept b.x as c:\n    d\n"),
        ("match a:\n    case b.c if d:\n        e\n", "a", "{_}.x", "match a.x:\n    case b.c if d:\n        e\n"),
        ("match a:\n    case b.c if d:\n        e\n", "d", "{_}.x", "match a:\n    case b.c if d.x:\n        e\n"),
        (
            "match a:\n    case [b.c, {'k': d.e}]:\n        f\n",
            "d",
            "{_}.x",
            "match a:\n    case [b.c, {'k': d.x.e}]:\n        f\n",
        ),
        (
            "match a:\n    case B(b.c, k=d.e) | None:\n        f\n",
            "d",
            "{_}.x",
            "match a:\n    case B(b.c, k=d.x.e) | None:\n        f\n",
        ),
        ("while a: b\n", "a", "not {_}", "while not a: b\n"),
        ("x = {a: b, **c}\n", "c", "{_}.x", "x = {a: b, **c.x}\n"),
        ("x = {a: b for c in d}\n", "b", "{_}.x", "x = {a: b.x for c in d}\n"),
        ("x = (a for b in c for d in e)\n", "e", "{_}.x", "x = (a for b in c for d in e.x)\n"),
        ("yield_ = a\n", "a", "[*{_}]", "yield_ = [*a]\n"),
        ("x = f'{a:>{b}}'\n", "b", "{_}.x", "x = f'{a:>{b.x}}'\n"),
        ("x = 'a' f'{a}' 'b' f'{c!r}'\n", "c", "{_}.x", "x = 'a' f'{a}' 'b' f'{c.x!r}'\n"),
        ('y\nx = f"""\n\n{a}\n{b}\n"""\nz\n', "b", "{_}.x", 'y\nx = f"""\n\n{a}\n{b.x}\n"""\nz\n'),
        ("global_ = a; b = c\n", "c", "{_}.x", "global_ = a; b = c.x\n"),
        ("ü = {'é': a}; x = b\n", "b", "{_}.x", "ü = {'é': a}; x = b.x\n"),
    ],
)
def test_expression_swapped_in_its_place(code: str, target: str, template: str, expected: str) -> None:
    file = File(code)
    assert file.after(swap(file.expr(target), template)) == expected


@pytest.mark.parametrize(
    ("code", "target", "template", "expected"),
    [
        ("x = (a or b)\n", "a or b", "{_}.c", "x = (a or b).c\n"),
        ("x = (a.b)\n", "a.b", "{_}.c", "x = (a.b.c)\n"),
        ("x = (a or b)\n", "a or b", "f({_})", "x = f(a or b)\n"),
        ("def f(): return(a)\n", "a", "{_}.b", "def f(): return(a.b)\n"),
        ("def f(): return[a]\n", "[a]", "b", "def f(): return(b)\n"),
        ("x = a if[b]else c\n", "[b]", "d", "x = a if(d)else c\n"),
        ("x = 1if a else c\n", "1", "d", "x = (d)if a else c\n"),
        ("x = not(a)\n", "a", "{_} == b", "x = not(a == b)\n"),
    ],
)
def test_parentheses_already_there(code: str, target: str, template: str, expected: str) -> None:
    file = File(code)
    assert file.after(swap(file.expr(target), template)) == expected


def test_nested_operation_of_the_same_kind_stays_nested() -> None:
    file = File("x = f((a or b))\n")
    assert file.after(swap(file.expr("a or b"), "{_} or c")) == "x = f((a or b) or c)\n"


def test_piece_that_leaves_its_parentheses() -> None:
    file = File("x = f(a\n      .b)\n")
    call = file.expr("f(a\n      .b)")
    assert file.after(swap(call, "{value}", value=call.args[0])) == "x = (a\n     .b)\n"


def test_piece_that_stays_inside_brackets_needs_none() -> None:
    file = File("x = g(f(a\n      .b))\n")
    call = file.expr("f(a\n      .b)")
    assert file.after(swap(call, "{value}", value=call.args[0])) == "x = g(a\n      .b)\n"


def test_sole_generator_argument() -> None:
    file = File("x = f(a for a in b)\n")
    generator = file.node(ast.GeneratorExp)
    assert file.after(swap(file.expr("f(a for a in b)"), "g({v}, 1)", v=generator)) == "x = g((a for a in b), 1)\n"
    assert file.after(add_argument(file.expr("f(a for a in b)"), "key=1")) == "x = f((a for a in b), key=1)\n"
    assert file.after(swap(file.expr("b"), "{_}.c")) == "x = f(a for a in b.c)\n"


def test_edits_inside_a_hole_are_kept() -> None:
    file = File("x = f(a.b, c)\n")
    call = file.expr("f(a.b, c)")
    verbs = swap(call, "g({first}, {second})", first=call.args[1], second=call.args[0]), rename(call.args[0], "d")
    assert file.after(*verbs) == "x = g(c, a.d)\n"


def test_target_takes_its_renaming_along() -> None:
    file = File("x = s.query(A)\n")
    call = file.expr("s.query(A)")
    assert file.after(swap(call, "{_}.all()"), rename(call.func, "select"), rename(call.args[0], "B")) == (
        "x = s.select(B).all()\n"
    )


def test_literal_and_brace_holes() -> None:
    file = File('x = {"a": b}\n')
    new = file.after(swap(file.expr("b"), "{{{key!r}: {n!r}}}", key="it's", n=[1, None]))
    assert new == 'x = {"a": {"it\'s": [1, None]}}\n'


def test_literals_are_quoted_as_the_file_does() -> None:
    single, double = File("x = {'a': b}\n"), File('x = {"a": b}\n')
    assert single.after(swap(single.expr("b"), "{v!r}", v="c")) == "x = {'a': 'c'}\n"
    assert double.after(swap(double.expr("b"), "{v!r}", v="c")) == 'x = {"a": "c"}\n'


def test_code_is_an_operand_like_any_other() -> None:
    file = File("x = a\n")
    assert file.after(swap(file.expr("a"), "{_} == {v}", v=Code("b or c"))) == "x = a == (b or c)\n"


@pytest.mark.parametrize("value", ["a b", "1a", "a.", "class", "a.if", ""])
def test_text_that_is_no_identifier_is_refused(value: str) -> None:
    file = File("x = a\n")
    assert "no identifier" in file.refusal(swap(file.expr("a"), "{v}.b", v=value))


def test_template_that_is_no_code_is_refused() -> None:
    file = File("x = a\n")
    assert "not Python" in file.refusal(swap(file.expr("a"), "{_} +"))
    assert "no value" in file.refusal(swap(file.expr("a"), "{b}"))
    assert "cannot be read" in file.refusal(swap(file.expr("a"), "{_"))


def test_drop_arguments() -> None:
    file = File("f(a, b=1, *c, **d)\n")
    call = file.expr("f(a, b=1, *c, **d)")
    assert file.after(drop(call.args[0])) == "f(b=1, *c, **d)\n"
    assert file.after(drop(call.keywords[0])) == "f(a, *c, **d)\n"
    assert file.after(drop(call.args[1])) == "f(a, b=1, **d)\n"
    assert file.after(drop(call.keywords[1])) == "f(a, b=1, *c)\n"
    assert file.after(*map(drop, (*call.args, *call.keywords))) == "f()\n"


def test_dropped_argument_leaves_its_comment() -> None:
    file = File(
        """\
        f(
            a,  # first
            b=1,  # second
            # about c
            c=2,  # third
        )
        """
    )
    assert file.after(drop(file.keyword("b=1"))) == clean(
        """\
        f(
            a,  # first
            # second
            # about c
            c=2,  # third
        )
        """
    )
    assert file.after(drop(file.keyword("c=2"))) == clean(
        """\
        f(
            a,  # first
            b=1,  # second
            # about c
            # third
        )
        """
    )


def test_dropped_arguments_and_swapped_neighbours() -> None:
    file = File("f(a=1, b=2, c=3)\n")
    verbs = drop(file.keyword("a=1")), swap(file.keyword("b=2"), "B"), swap(file.keyword("c=3"), "C, *D")
    assert file.after(*verbs) == "f(B, C, *D)\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f()\n", "f(z=1)\n"),
        ("f(a)\n", "f(a, z=1)\n"),
        ("f(a,)\n", "f(a, z=1,)\n"),
        ("f(a, **b)\n", "f(a, z=1, **b)\n"),
        ("f(**b)\n", "f(z=1, **b)\n"),
        ("f(\n    a,\n    b,\n)\n", "f(\n    a,\n    b,\n    z=1,\n)\n"),
        ("f(\n    a,\n    b  # why\n)\n", "f(\n    a,\n    b,  # why\n    z=1\n)\n"),
        ("f(\n    a,  # why\n)\n", "f(\n    a,  # why\n    z=1,\n)\n"),
        ("f(\n    a,\n    **b,\n)\n", "f(\n    a,\n    z=1,\n    **b,\n)\n"),
        ("f(a,\n  b)\n", "f(a,\n  b,\n  z=1)\n"),
        ("f(a, b,\n  c, d)\n", "f(a, b,\n  c, d, z=1)\n"),
        ("class A: pass\n", "class A(z=1): pass\n"),
        ("class A(): pass\n", "class A(z=1): pass\n"),
        ("class A(B): pass\n", "class A(B, z=1): pass\n"),
    ],
)
def test_added_argument_keeps_the_layout(code: str, expected: str) -> None:
    file = File(code)
    target = file.tree.body[0]
    node = target if isinstance(target, ast.ClassDef) else target.value  # type: ignore[attr-defined]
    assert file.after(add_argument(node, "z=1")) == expected


def test_added_positional_argument_stands_before_keywords() -> None:
    file = File("f(a, b=1)\n")
    assert file.after(add_argument(file.expr("f(a, b=1)"), "{v}", v=Code("x or y"))) == "f(a, x or y, b=1)\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f(*a)", "f(x, *a)"),
        ("f()", "f(x)"),
        ("f(\n    *a,  # these\n    *b,\n)", "f(\n    x,\n    *a,  # these\n    *b,\n)"),
        ("f(a, b=c)", "f(x, a, b=c)"),
    ],
)
def test_argument_before_the_others(code: str, expected: str) -> None:
    file = File(f"{code}\n")
    assert file.after(add_argument(file.node(ast.Call), "x", first=True)) == f"{expected}\n"


def test_rename_names() -> None:
    code = "from a import b as c, d\nimport e.f\n\n\n@g\ndef h(i, *, j=1):\n    k.l(m=n)\n\n\nclass O: pass\n"
    file = File(code)
    imported, module, function, klass = file.tree.body
    assert isinstance(imported, ast.ImportFrom)
    assert isinstance(module, ast.Import)
    assert isinstance(function, ast.FunctionDef)
    new = file.after(
        rename(imported.names[0], "B"),
        rename(imported.names[1], "D"),
        rename(module.names[0], "e.F"),
        rename(function, "H"),
        rename(function.args.args[0], "I"),
        rename(function.args.kwonlyargs[0], "J"),
        rename(file.expr("k.l"), "L"),
        rename(file.keyword("m=n"), "M"),
        rename(file.expr("n"), "N"),
        rename(file.expr("g"), "G"),
        rename(klass, "P"),
    )
    assert new == ("from a import B as c, D\nimport e.F\n\n\n@G\ndef H(I, *, J=1):\n    k.L(M=N)\n\n\nclass P: pass\n")


def test_comment_that_would_be_lost_is_a_refusal() -> None:
    file = File("x = f(  # important\n    a)\n")
    call = file.node(ast.Call)
    assert file.refusal(swap(call, "g({v})", v=call.args[0])) == "the comment '# important' would be lost"


def test_noqa_goes_with_its_cause() -> None:
    file = File(
        "q.filter(A.b == None)  # noqa: E711\n"
        "q.filter(A.b == None)  # noqa: E501,E711  # really\n"
        "q.filter(A.b == None)  # noqa: E711 pylint: disable=singleton-comparison\n"
        "f(A.b == None)  # noqa\n"
    )
    compared = [node for node in ast.walk(file.tree) if isinstance(node, ast.Compare)]
    swaps = [swap(node, "{left}.is_(None)", left=node.left, drops_noqa=("E711",)) for node in compared]
    assert file.after(*swaps) == (
        "q.filter(A.b.is_(None))\nq.filter(A.b.is_(None))  # noqa: E501  # really\n"
        "q.filter(A.b.is_(None))  # pylint: disable=singleton-comparison\nf(A.b.is_(None))  # noqa\n"
    )


def test_noqa_inside_a_statement_goes_with_its_cause() -> None:
    file = File("q.filter(\n    A.b == None,  # noqa: E711\n    A.c == None,  # noqa: E711\n)\n")
    first = file.expr("A.b == None")
    assert file.after(swap(first, "{left}.is_(None)", left=first.left, drops_noqa=("E711",))) == (
        "q.filter(\n    A.b.is_(None),\n    A.c == None,  # noqa: E711\n)\n"
    )


@pytest.mark.parametrize("template", ["{_}['a']", "{_}(b'\\n')", "{_}('x')"])
def test_f_string_takes_no_clashing_quotes(template: str) -> None:
    file = File("x = f'{a}'\n")
    assert file.refusal(swap(file.expr("a"), template))


def test_f_string_takes_other_quotes() -> None:
    file = File("x = f'{a}'\n")
    assert file.after(swap(file.expr("a"), '{_}["b"]')) == "x = f'{a[\"b\"]}'\n"


def test_f_string_that_prints_its_code_is_left_alone() -> None:
    file = File("x = f'{a.b=}'\n")
    assert file.refusal(rename(file.node(ast.Attribute), "c"))


@pytest.mark.parametrize(
    "code",
    [
        "x = ( a . b (  c ,d )  # e\n  [ 1 ,] )\n",
        "x = f(a for a in b)\n",
        "def f(): x = yield g(\n    1,\n)\n",
        "x = ()\n",
        "if (a := b): pass\n",
        "return_ = not(a), -(b), a if(b)else c\n",
        "x = a , (b)\n",
        "x = f'{a}' 'b' \\\n  'c'\n",
    ],
)
def test_identity_changes_no_byte(code: str) -> None:
    file = File(code)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Name | ast.Call | ast.JoinedStr | ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Yield):
            assert file.after(swap(node, "{_}")) == code


def test_bare_tuple_between_square_brackets_is_refused() -> None:
    file = File("x = d[a, b]\n")
    assert "tuple without parentheses" in file.refusal(swap(file.expr("a, b"), "f({_})"))
    assert file.after(swap(file.expr("d"), "f({_})"), swap(file.expr("b"), "g({_})")) == "x = f(d)[a, g(b)]\n"


def test_parameter_and_its_default() -> None:
    file = File("def f(a: b = c): pass\n")
    assert file.after(rename(file.expr("b"), "B"), rename(file.expr("c"), "C")) == "def f(a: B = C): pass\n"


def test_noqa_after_a_header_and_a_swapped_statement() -> None:
    file = File("if a == None:  # noqa: E711\n    b == None  # noqa: E711\n")
    test, statement = file.expr("a == None"), file.stmt("b == None")
    assert (
        file.after(
            swap(test, "{v} is None", v=test.left, drops_noqa=("E711",)),
            swap(statement, "{v}", v=file.expr("b"), drops_noqa=("E711",)),
        )
        == "if a is None:\n    b\n"
    )
