"""The order of events: what may follow what, what lies between, what is always followed by what."""

from __future__ import annotations

import ast
import textwrap

import pytest

from alchemod.inference.transactions.order import GOING_ON, Left, Mark, Order, order_of


class Code:
    """A block of code whose calls are named by what they call: `a()` is the mark `a`."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(textwrap.dedent(text))
        order = order_of(self.tree.body, self.tree, lambda item: False)
        assert order is not None
        self.order: Order = order

    def __getitem__(self, name: str) -> ast.Call:
        calls = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        return next(call for call in calls if isinstance(call.func, ast.Name) and call.func.id == name)

    def names(self, marks: set[Mark]) -> set[str]:
        return {mark.func.id for mark in marks if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name)}

    def after(self, name: str, *until: str) -> set[str]:
        return self.names(self.order.after(self[name], until=[self[one] for one in until]))

    def between(self, first: str, last: str) -> set[str]:
        return self.names(self.order.between(self[first], self[last]))

    def always(self, name: str, *by: str) -> bool:
        return self.order.always_followed(self[name], [self[one] for one in by])


BRANCHES = """
    a()
    if x:
        b()
    else:
        c()
    d()
"""


def test_branches() -> None:
    code = Code(BRANCHES)
    assert code.after("a") == {"b", "c", "d"}
    assert code.after("b") == {"d"}
    assert code.between("a", "d") == {"b", "c"}
    assert code.always("a", "d")
    assert code.always("a", "b", "c")
    assert not code.always("a", "b")
    assert not code.order.may_follow(code["b"], code["c"])


def test_until_stops_the_search() -> None:
    code = Code("a()\nb()\nc()")
    assert code.after("a", "b") == {"b"}
    assert code.names(code.order.before(code["c"], until=[code["b"]])) == {"b"}


def test_loops_lead_back() -> None:
    code = Code("for x in y:\n    a()\n    b()\nc()")
    assert code.after("b") == {"a", "b", "c"}
    loop = code.tree.body[0]
    assert code.names(code.order.after(code["b"], until=[loop])) == set()
    assert not code.always("c", "a")


def test_a_loop_may_take_no_turn() -> None:
    code = Code("a()\nwhile x:\n    b()\nc()")
    assert not code.always("a", "b")
    assert code.always("a", "c")


RETURNS = """
    def f():
        a()
        if x:
            return
        b()
"""


def test_ways_out_of_a_function() -> None:
    tree = ast.parse(textwrap.dedent(RETURNS))
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    order = order_of(function.body, function, lambda item: False)
    assert order is not None
    assert {mark for mark in order.after(function) if isinstance(mark, str)} == {"next", "return", "raise"}
    calls = [mark for mark in order.marks if isinstance(mark, ast.Call)]
    assert not order.always_followed(calls[0], [calls[1]])


HANDLED = """
    try:
        a()
        b()
    except ValueError:
        c()
        raise
    finally:
        d()
    e()
"""


def test_exceptions_reach_handlers_and_finally() -> None:
    code = Code(HANDLED)
    assert "c" in code.after("a")
    assert code.order.always_followed(code["a"], [code["d"]], ["next", "raise"])
    handler = next(node for node in ast.walk(code.tree) if isinstance(node, ast.ExceptHandler))
    assert code.names(code.order.after(handler)) == {"c", "d", "e"}  # ways through one finally are not told apart
    inside = order_of(handler.body, handler, lambda item: False)
    assert inside is not None
    assert inside.after(handler).isdisjoint(GOING_ON)


def test_a_call_that_raises_was_made() -> None:
    code = Code("try:\n    a()\nexcept E:\n    b()")
    handler = next(node for node in ast.walk(code.tree) if isinstance(node, ast.ExceptHandler))
    assert code.names(code.order.before(handler)) == {"a"}


def test_a_call_that_never_returns() -> None:
    tree = ast.parse("try:\n    a()\nexcept E:\n    b()\nc()")
    order = order_of(tree.body, tree, lambda item: False, lambda call: ast.unparse(call) == "a()")
    assert order is not None
    calls = {ast.unparse(mark): mark for mark in order.after(tree) if isinstance(mark, ast.Call)}
    assert calls.keys() == {"a()", "b()", "c()"}
    handler = next(node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    assert order.always_followed(calls["a()"], [handler])


def test_the_ends_of_a_block_are_told_apart() -> None:
    code = Code("with m():\n    a()\nb()")
    (item,) = (node for node in ast.walk(code.tree) if isinstance(node, ast.withitem))
    assert code.names(code.order.after(Left(item, "next"))) == {"b"}
    assert code.names(code.order.after(Left(item, "raise"))) == set()
    assert Left(item, "return") not in code.order


def test_what_a_block_may_swallow_goes_on() -> None:
    tree = ast.parse("with m():\n    a()\nb()")
    order = order_of(tree.body, tree, lambda item: True)
    assert order is not None
    (item,) = (node for node in ast.walk(tree) if isinstance(node, ast.withitem))
    assert any(isinstance(mark, ast.Call) for mark in order.after(Left(item, "raise")))


@pytest.mark.parametrize("name", ["commit", "rollback", "close", "remove"])
def test_taking_a_method_of_a_session_does_not_raise(name: str) -> None:
    tree = ast.parse(f"try:\n    a\nfinally:\n    s.{name}()")
    order = order_of(tree.body, tree, lambda item: False)
    assert order is not None
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert order.always_followed(tree, [call], ["next", "raise"])


def test_code_too_deep_has_no_order() -> None:
    nested: list[ast.stmt] = [ast.Pass()]
    for _ in range(150):
        nested = [ast.If(ast.Name("x", ast.Load()), nested, [])]
    tree = ast.Module(nested, [])
    assert order_of(nested, tree, lambda item: False) is None
