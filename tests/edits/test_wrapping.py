"""A line that an edit makes too long is broken; others are left alone."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import rename
from edits.files import File, clean


def lengthened(code: str, line_length: int = 40) -> str:
    """Every name `short` becomes a long one."""
    file = File(code)
    names = [node for node in ast.walk(file.tree) if isinstance(node, ast.Name) and node.id == "short"]
    return file.after(*(rename(name, "longlonglong") for name in names), line_length=line_length)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("xxxxxx = short.b(c).d(eeeeeeeeee).f()\n", "xxxxxx = (\n    longlonglong.b(c).d(eeeeeeeeee).f()\n)\n"),
        (
            "x = short.b(c).d(eeeeeeeeeee).ffff()\n",
            "x = (\n    longlonglong.b(c)\n    .d(eeeeeeeeeee)\n    .ffff()\n)\n",
        ),
        ("xxxxx = (short.b(c).d(eeeeeeeee).f())\n", "xxxxx = (\n    longlonglong.b(c).d(eeeeeeeee).f()\n)\n"),
        ("x = short.b(c, d=eeeeeeee, *ffffff)\n", "x = longlonglong.b(\n    c, d=eeeeeeee, *ffffff\n)\n"),
        (
            "x = bbbbb(c, d, eeeeeeeee, short)[1]\n",
            "x = bbbbb(\n    c, d, eeeeeeeee, longlonglong\n)[1]\n",
        ),
        ("x = short.bbbbbbbbbbbbbbbbbbb(ccccc)\n", "x = longlonglong.bbbbbbbbbbbbbbbbbbb(\n    ccccc\n)\n"),
        ("short.b(c).d(eeeeeeee, g, ffffffff)\n", "longlonglong.b(c).d(\n    eeeeeeee, g, ffffffff\n)\n"),
        ("x = f(g(aaaaaaaa, bbbbbbbbbbb), short,)\n", "x = f(\n    g(aaaaaaaa, bbbbbbbbbbb),\n    longlonglong,\n)\n"),
        (
            "if short.b(c, d, eeeeeeee, ffffffff): pass\n",
            "if longlonglong.b(\n    c, d, eeeeeeee, ffffffff\n): pass\n",
        ),
        (
            "def f():\n\treturn g(aaaaaaaaaa, bbbbbbbbb, short)\n",
            "def f():\n\treturn g(\n\t\taaaaaaaaaa, bbbbbbbbb, longlonglong\n\t)\n",
        ),
        (
            "x = f(aaaaaaaaaaaaaaaaaa for a in short)\n",
            "x = f(\n    aaaaaaaaaaaaaaaaaa\n    for a in longlonglong\n)\n",
        ),
        (
            "x = [aaaaaaaa for a in short if (bbbb)]\n",
            "x = [\n    aaaaaaaa\n    for a in longlonglong\n    if (bbbb)\n]\n",
        ),
        (
            "x = {a: b for a in short for b in a[0]}\n",
            "x = {\n    a: b\n    for a in longlonglong\n    for b in a[0]\n}\n",
        ),
        (
            "x = [a for a in short.bb(e).ccc(dddd)]\n",
            "x = [\n    a\n    for a in longlonglong.bb(e).ccc(\n        dddd\n    )\n]\n",
        ),
        (
            "x = [a for a in short.b(e).c(dd).ee()]\n",
            "x = [\n    a\n    for a in longlonglong.b(e)\n    .c(dd)\n    .ee()\n]\n",
        ),
        (
            "for x in (aaaaaaaaaa for a in short): b\n",
            "for x in (\n    aaaaaaaaaa\n    for a in longlonglong\n): b\n",
        ),
        (
            "x = f(aaaaaaaaaaaa, [b for b in short])\n",
            "x = f(\n    aaaaaaaaaaaa,\n    [b for b in longlonglong],\n)\n",
        ),
        ("x = short + bbbbbbbbbbbbbbbbbbbbbbbbbbbb\n", "x = longlonglong + bbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"),
        (
            "x = 'aaaaaaaaaaaaaaaaaaaaaaaa', short\r\n",
            "x = (\r\n    'aaaaaaaaaaaaaaaaaaaaaaaa',\r\n    longlonglong,\r\n)\r\n",
        ),
        ("return 'aaaaaaaaaaaaaaaa', short, b\n", "return (\n    'aaaaaaaaaaaaaaaa', longlonglong, b\n)\n"),
        ("x = ('aaaaaaaaaaaaaaaaaaaaaaaa', short)\n", "x = ('aaaaaaaaaaaaaaaaaaaaaaaa', longlonglong)\n"),
        (
            "x = ff(aaaaaaaaaaa, bbbbbbbbbb, short)\r\n",
            "x = ff(\r\n    aaaaaaaaaaa,\r\n    bbbbbbbbbb,\r\n    longlonglong,\r\n)\r\n",
        ),
        ("x = ff(ääääääääääääääääää, short)\n", "x = ff(ääääääääääääääääää, longlonglong)\n"),
        (
            "x = f(\n    a.bbbbbbbbb('c'), ddd=e(f), g=short\n)\n",
            "x = f(\n    a.bbbbbbbbb('c'),\n    ddd=e(f),\n    g=longlonglong,\n)\n",
        ),
        (
            "x = f(\n    a.bbbbbbbbb('c'), ddd=e(f), g=short)\n",
            "x = f(\n    a.bbbbbbbbb('c'),\n    ddd=e(f),\n    g=longlonglong)\n",
        ),
        (
            "x = f(\n    aa.bbb('c'), short, *ggggggg, **hh\n)\n",
            "x = f(\n    aa.bbb('c'),\n    longlonglong,\n    *ggggggg,\n    **hh\n)\n",
        ),
        (
            "x = [\n    a.bbbbbbbbb('c'), (ddddd), short,  # e\n    f, g\n]\n",
            "x = [\n    a.bbbbbbbbb('c'),\n    (ddddd),\n    longlonglong,  # e\n    f, g\n]\n",
        ),
        (
            "x = {\n    f(a): b for a in short.bbbb('c') if d\n}\n",
            "x = {\n    f(a): b\n    for a in longlonglong.bbbb('c')\n    if d\n}\n",
        ),
        (
            "for x in [f([a]), short.bbb(c).dd()]: e\n",
            "for x in [\n    f([a]), longlonglong.bbb(c).dd()\n]: e\n",
        ),
    ],
)
def test_broken_line(code: str, expected: str) -> None:
    assert lengthened(code) == expected


def test_only_the_link_that_grew_is_broken() -> None:
    code = """\
        x = (
            a.query(B)
            .filter(short, c == d, eeeeee)
            .join(aaaaaaaaaaaaaaaaaaaaaaaaaa)
        )
        """
    assert lengthened(clean(code)) == clean(
        """\
        x = (
            a.query(B)
            .filter(
                longlonglong, c == d, eeeeee
            )
            .join(aaaaaaaaaaaaaaaaaaaaaaaaaa)
        )
        """
    )


def test_chain_inside_brackets_needs_no_more_brackets() -> None:
    code = """\
        x = (
            b
            or a.query(short).filter(cccc).one()
        )
        """
    assert lengthened(clean(code)) == clean(
        """\
        x = (
            b
            or a.query(longlonglong)
            .filter(cccc)
            .one()
        )
        """
    )


def test_lines_may_be_as_long_as_the_longest_that_was_there() -> None:
    broken = "x = f(\n    aaaaaaaaaaaaaaaaaa,\n    bbbbbbbbbbb,\n    longlonglong,\n)\n"
    assert lengthened("x = f(aaaaaaaaaaaaaaaaaa, bbbbbbbbbbb, short)\n") == broken
    code = "x = f(aaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbb,\n      ccccccccc, ddddddddd, short)\n"
    assert lengthened(code) == code.replace("short", "longlonglong")


@pytest.mark.parametrize("brackets", ["({})", "{}"])
def test_a_comment_may_stick_out(brackets: str) -> None:
    code = f"x = {brackets.format('f(aaaaaaaa, short)')}  # '#' is not counted, long as it is\n"
    assert lengthened(code) == code.replace("short", "longlonglong")


def test_line_length_is_a_choice() -> None:
    code = "x = ff(aaaaaaaaaaa, bbbbbbbbbb, short)\n"
    assert lengthened(code, 79) == code.replace("short", "longlonglong")


def test_no_line_is_broken_in_an_f_string() -> None:
    code = "x = f'aaaaaaaaaaaaaa {f(bbbbbb, short)}'\n"
    assert lengthened(code) == code.replace("short", "longlonglong")
