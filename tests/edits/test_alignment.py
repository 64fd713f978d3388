"""Continuation lines follow their bracket when an edit moves it; everything else stays."""

from __future__ import annotations

import ast

import pytest

from alchemod.edits.verbs import rename
from edits.files import File, clean


def shortened(code: str) -> str:
    """Every attribute `longer` becomes `x`."""
    file = File(clean(code))
    found = [node for node in ast.walk(file.tree) if isinstance(node, ast.Attribute) and node.attr == "longer"]
    return file.after(*(rename(node, "x") for node in found))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a.longer(b,\n         c)\n", "a.x(b,\n    c)\n"),
        ("a.longer(b,\n         c(d,\n           e))\n", "a.x(b,\n    c(d,\n      e))\n"),
        ("a.longer(\n    b,\n    c)\n", "a.x(\n    b,\n    c)\n"),
        ("a.longer(b,\n         # c\n         c\n         )\n", "a.x(b,\n    # c\n    c\n    )\n"),
        ("a.longer(b,\n    c)\n", "a.x(b,\n    c)\n"),
        ("a.longer([b,\n          c], '''\n d''',\n         e)\n", "a.x([b,\n     c], '''\n d''',\n    e)\n"),
        ("a.longer(b) \\\n  .c()\n", "a.x(b) \\\n  .c()\n"),
        ("if a.longer(b,\n            c):\n    d\n", "if a.x(b,\n       c):\n    d\n"),
        ("b = 1; a.longer(b,\n                c)\n", "b = 1; a.x(b,\n           c)\n"),
        ("a.longer(äö, b(c,\n               d))\n", "a.x(äö, b(c,\n          d))\n"),
        ("a.b(c,\n    d.longer(e),\n    f)\n", "a.b(c,\n    d.x(e),\n    f)\n"),
        ("if b:\n\ta.longer(c,\n\t\td)\n", "if b:\n\ta.x(c,\n\t\td)\n"),
    ],
)
def test_lines_follow_their_bracket(code: str, expected: str) -> None:
    assert shortened(code) == expected
