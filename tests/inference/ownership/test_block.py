"""The block a session opened by hand becomes: its ends, which `close()` goes and which stays."""

import ast
import textwrap

import pytest

from alchemod.inference.ownership.block import Plan

from .known import life, lives


def _plan(body: str) -> Plan:
    found = life("def f(p, x, c):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    "))
    assert found.plan is not None, found.obstacle
    return found.plan


def _lines(nodes: frozenset[ast.stmt] | frozenset[ast.Try] | list[ast.stmt]) -> list[int]:
    return sorted(node.lineno for node in nodes)


# body (its first line is 2), lines of the block's statements, dropped, kept
PLANS = {
    "close at the end": ("s = Maker()\nwork(s)\ns.close()", [3], [4], []),
    "work behind the close stays outside": ("s = Maker()\nwork(s)\ns.close()\nslow()", [3], [4], []),
    "close only": ("s = Maker()\ns.close()", [], [3], []),
    "never closed: to the last use": ("s = Maker()\nwork(s)\nslow()\nwork(s)\nslow()", [3, 4, 5], [], []),
    "never closed: to the last read": ("s = Maker()\no = s.get(User, 1)\nprint(o.name)\nslow()", [3, 4], [], []),
    "finally": ("s = Maker()\ntry:\n    work(s)\nfinally:\n    s.close()", [3], [6], []),
    "finally with work before": ("s = Maker()\ntry:\n    work(s)\nfinally:\n    slow()\n    s.close()", [3], [7], []),
    "finally with work behind": ("s = Maker()\ntry:\n    work(s)\nfinally:\n    s.close()\n    slow()", [3], [], [6]),
    "trap 16: work behind a nested close": (
        "s = Maker()\nif x:\n    s.close()\n    slow()\n    return\ns.close()",
        [3],
        [7],
        [4],
    ),
    "nothing but an exit behind": (
        "s = Maker()\nif x:\n    s.close()\n    return None\nwork(s)\ns.close()",
        [3, 6],
        [4, 7],
        [],
    ),
    "value computed behind": (
        "s = Maker()\nif x:\n    s.close()\n    return slow()\nwork(s)\ns.close()",
        [3, 6],
        [7],
        [4],
    ),
    "read behind": ("s = Maker()\nif x:\n    s.close()\n    return p.name\nwork(s)\ns.close()", [3, 6], [7], [4]),
    "branches both close last": (
        "s = Maker()\nif x:\n    s.close()\nelse:\n    work(s)\n    s.close()",
        [3],
        [4, 7],
        [],
    ),
    "branch closes, more follows": ("s = Maker()\nif x:\n    s.close()\nslow()\nmaybe_close(s)", [3, 5, 6], [], [4]),
    "handler closes and raises": (
        "s = Maker()\ntry:\n    work(s)\nexcept E:\n    s.close()\n    raise\ns.close()",
        [3],
        [6, 8],
        [],
    ),
    "raise into a handler of the block": (
        "s = Maker()\ntry:\n    if x:\n        s.close()\n        raise c\n    work(s)\nexcept E:\n"
        "    slow()\ns.close()",
        [3],
        [10],
        [5],
    ),
    "break leaves an inner loop only": (
        "s = Maker()\nfor i in x:\n    if i:\n        s.close()\n        break\n    work(s)\ns.close()",
        [3],
        [8],
        [5],
    ),
    "connections thrown away": (
        "s = Maker()\ntry:\n    work(s)\nexcept E:\n    s.invalidate()\n    raise\nfinally:\n    s.close()",
        [3],
        [9],
        [],
    ),
    "connections thrown away last": ("s = Maker()\nwork(s)\ns.invalidate()", [3, 4], [], []),
    "close inside another with": ("s = Maker()\nwith x:\n    work(s)\n    s.close()", [3], [], [5]),
    "guarded close": ("s = Maker()\ntry:\n    work(s)\nfinally:\n    if s:\n        s.close()", [3], [6, 7], []),
    "guarded close with else": (
        "s = Maker()\ntry:\n    work(s)\nfinally:\n    if s:\n        s.close()\n    else:\n        slow()",
        [3],
        [7],
        [],
    ),
    "inner handler runs behind the close": (
        "s = Maker()\ntry:\n    try:\n        work(s)\n    finally:\n        s.close()\nexcept E:\n    slow()",
        [3],
        [],
        [7],
    ),
    "close within other code is no statement": ("s = Maker()\nwork(s)\nslow(s.close())", [3, 4], [], []),
}


@pytest.mark.parametrize(("body", "block", "dropped", "kept"), PLANS.values(), ids=PLANS.keys())
def test_plan(body: str, block: list[int], dropped: list[int], kept: list[int]) -> None:
    plan = _plan(body)
    assert _lines(plan.body) == block
    assert _lines(plan.dropped) == dropped
    assert _lines(plan.kept) == kept


def test_try_without_handlers_dissolves() -> None:
    plan = _plan("s = Maker()\ntry:\n    work(s)\nfinally:\n    s.close()")
    assert _lines(plan.dissolved) == [3]
    assert not plan.emptied


def test_try_with_handlers_loses_its_finally() -> None:
    plan = _plan("s = Maker()\ntry:\n    work(s)\nexcept E:\n    raise\nfinally:\n    s.close()")
    assert _lines(plan.emptied) == [3]
    assert not plan.dissolved


def test_try_with_other_work_in_finally_stays() -> None:
    plan = _plan("s = Maker()\ntry:\n    work(s)\nfinally:\n    slow()\n    s.close()")
    assert not plan.emptied | plan.dissolved


def test_gap_moves_in() -> None:
    plan = _plan("s = Maker()\nslow()\nx = 1\ntry:\n    work(s)\nfinally:\n    s.close()")
    assert _lines(plan.gap) == [3, 4]


def test_opened_first_in_try_goes_around_it() -> None:
    plan = _plan("s = None\ntry:\n    s = Maker()\n    work(s)\nfinally:\n    if s:\n        s.close()")
    assert plan.around_try
    assert (plan.first, plan.last) == (1, 1)
    assert plan.opener.lineno == 4
    assert _lines(plan.dissolved) == [3]


def test_opened_later_in_try_has_no_plan() -> None:
    found = life(
        "def f():\n    try:\n        slow()\n        s = Maker()\n        work(s)\n    finally:\n        s.close()\n"
    )
    assert found.obstacle == "try"


def test_block_inside_a_try_stays_inside() -> None:
    plan = _plan("try:\n    s = Maker()\n    work(s)\n    s.close()\nexcept E:\n    slow()")
    assert not plan.around_try
    assert _lines(plan.body) == [4]


def test_closes_of_two_sessions_next_to_each_other() -> None:
    a, b = lives("def f():\n    a = Maker()\n    b = Maker()\n    work(a, b)\n    a.close()\n    b.close()\n")
    assert a.plan is not None
    assert b.plan is not None
    assert _lines(a.plan.dropped) == [5]
    assert _lines(b.plan.dropped) == [6]
    assert (a.plan.first, a.plan.last) == (0, 4)
    assert (b.plan.first, b.plan.last) == (1, 4)


def test_blocks_of_two_sessions_that_cross() -> None:
    a, b = lives("def f():\n    a = Maker()\n    b = Maker()\n    a.close()\n    work(b)\n    b.close()\n")
    assert a.plan is None
    assert a.obstacle == "crossing"
    assert b.plan is not None


def test_disjoint_blocks_stay_as_they_are() -> None:
    a, b = lives("def f():\n    a = Maker()\n    a.close()\n    b = Maker()\n    b.close()\n")
    assert a.plan is not None
    assert b.plan is not None
    assert (a.plan.first, a.plan.last, b.plan.first, b.plan.last) == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("body", "obstacle"),
    [
        ("if p:\n    s = Maker()\nwork(s)", "conditional"),
        ("for i in p:\n    s = Maker()\nwork(s)", "loop"),
        ("s = s or Maker()\nwork(s)", "unnamed"),
        ("a, s = 1, Maker()\nwork(s)", "unnamed"),
        ("with x:\n    s = Maker()\nwork(s)", "outside"),
        ("s = Maker()", "empty"),
    ],
)
def test_obstacles(body: str, obstacle: str) -> None:
    assert life("def f(p, x):\n" + textwrap.indent(body, "    ")).obstacle == obstacle
