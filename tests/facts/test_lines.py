"""The nodes on some lines."""

from __future__ import annotations

import ast

import pytest

from alchemod.facts.lines import first_line, nodes_near


@pytest.mark.parametrize(
    ("lines", "expected"),
    [([], []), ([1], ["a"]), ([3], ["c"]), ([5], ["e"]), ([2, 7], ["b", "g", "h"]), ([9], []), ([10], ["i", "j"])],
)
def test_nodes_near_lines_are_those_that_touch_them(lines: list[int], expected: list[str]) -> None:
    tree = ast.parse("a\n@b\nclass C(c):\n    d\n    e\n(f,\n g(h),\n k)\n\nf'''{\ni}{j}'''")
    assert [node.id for node in nodes_near(tree, lines) if isinstance(node, ast.Name)] == expected


def test_the_first_line_is_that_of_the_first_decorator() -> None:
    plain, decorated = ast.parse("x\n@a\n@b\ndef f(): pass").body
    assert (first_line(plain), first_line(decorated)) == (1, 2)
