"""The walker: which marks can have been passed when each channel is left.

A small domain notes the marks `m(1)`, `m(2)` ... on the way; a state is the set of ways, each a tuple of marks.
"""

import ast
import textwrap

import pytest

from alchemod.inference.control.domain import Channel, Domain, TooComplexError
from alchemod.inference.control.flow import Walker

Ways = frozenset[tuple[int, ...]]


class Marks(Domain[Ways]):
    def join(self, a: Ways, b: Ways) -> Ways:
        return a | b

    def event(self, node: ast.AST, state: Ways) -> Ways | None:
        match node:
            case ast.Call(func=ast.Name(id="m"), args=[ast.Constant(value=int(mark)), *_]):
                return frozenset(way if way[-1:] == (mark,) else (*way, mark) for way in state)
            case ast.Call(func=ast.Name(id="leave")):
                return None
        return state

    def raised(self, node: ast.AST, before: Ways, after: Ways | None) -> Ways | None:
        """Only `r()` raises here, so that the cases stay small."""
        match node:
            case ast.Call(func=ast.Name(id="r" | "leave")):
                return before
        return None

    def leave(self, item: ast.withitem, channel: Channel, state: Ways) -> Ways:
        return frozenset((*way, 0) for way in state)

    def swallows(self, item: ast.withitem, state: Ways) -> bool:
        return ast.unparse(item.context_expr) == "quiet"


def _run(body: str) -> dict[Channel, set[str]]:
    exits = Walker(Marks()).run(ast.parse(textwrap.dedent(body)).body, frozenset([()]))
    return {channel: {"".join(map(str, way)) for way in ways} for channel, ways in exits.items()}


CASES: dict[str, tuple[str, dict[Channel, set[str]]]] = {
    "in order": ("m(1)\nm(2)", {"next": {"12"}}),
    "arguments before the call": ("m(3, m(1), k=m(2))", {"next": {"123"}}),
    "receiver before arguments": ("m(1).f(m(2))[m(3)].g(m(4))", {"next": {"1234"}}),
    "value before targets": ("x[m(2)], y[m(3)] = m(1)", {"next": {"123"}}),
    "dict key, value, key, value": ("{m(1): m(2), m(3): m(4)}", {"next": {"1234"}}),
    "conditional evaluates its test first": ("m(2) if m(1) else m(3)", {"next": {"12", "13"}}),
    "and, or": ("m(1) and m(2) or m(3)", {"next": {"12", "13", "123"}}),
    "not": ("not m(1)", {"next": {"1"}}),
    "chained comparison stops": ("m(1) < m(2) < m(3)", {"next": {"12", "123"}}),
    "walrus": ("(x := m(1)) and m(2)", {"next": {"1", "12"}}),
    "f-string": ("f'{m(1)}{m(2):{m(3)}}'", {"next": {"123"}}),
    "if, elif, else": (
        "if m(1): m(2)\nelif m(3): m(4)\nelse: m(5)",
        {"next": {"12", "134", "135"}},
    ),
    "while": ("while m(1): m(2)", {"next": {"1", "121", "12121"}}),
    "decorators and defaults": ("@m(1)\ndef f(a=m(2), *, b=m(3)):\n    m(9)", {"next": {"123"}, "raise": {"123"}}),
    "class body is not run": ("class C(m(1), metaclass=m(2)):\n    m(9)", {"next": {"12"}}),
    "lambda body is not run, its default is": ("lambda a=m(1): m(9)", {"next": {"1"}}),
    "generator: first iterable only": ("(m(9) for x in m(1) for y in m(8))", {"next": {"1"}}),
    "comprehension may have no turn": ("[m(2) for x in m(1)]", {"next": {"1", "12"}}),
    "consumed generator": ("list(m(2) for x in m(1))", {"next": {"1", "12"}}),
    "condition of a comprehension": ("[m(3) for x in m(1) if m(2)]", {"next": {"1", "12", "123", "1232", "12323"}}),
    "for has no turn or some": ("for x in m(1): m(2)", {"next": {"1", "12"}}),
    "for, else": ("for x in y:\n    m(1)\n    break\nelse: m(2)", {"next": {"1", "2"}}),
    "continue": ("for x in y:\n    if c: continue\n    m(1)", {"next": {"", "1"}}),
    "while True leaves by break": ("while True:\n    m(1)\n    if c: break\nm(2)", {"next": {"12"}}),
    "endless": ("while True: m(1)\nm(2)", {}),
    "code behind return": ("m(1)\nreturn m(2)\nm(3)", {"return": {"12"}}),
    "call that never returns": ("m(1)\nleave()\nm(2)", {"raise": {"1"}}),
    "raise": ("raise m(1) from m(2)", {"raise": {"12"}}),
    "assert": ("assert m(1), m(2)", {"next": {"1"}, "raise": {"12"}}),
    "try, handler": ("try:\n    m(1)\n    r()\n    m(2)\nexcept E:\n    m(3)", {"next": {"12", "13"}, "raise": {"1"}}),
    "except Exception catches all of it": ("try:\n    r()\nexcept Exception:\n    m(1)", {"next": {"", "1"}}),
    "second handler": (
        "try:\n    r()\nexcept A:\n    m(1)\nexcept Exception:\n    m(2)",
        {"next": {"", "1", "2"}},
    ),
    "else is not covered": (
        "try:\n    m(1)\nexcept Exception:\n    m(2)\nelse:\n    r()",
        {"next": {"1"}, "raise": {"1"}},
    ),
    "handler raises again": ("try:\n    r()\nexcept Exception:\n    m(1)\n    raise", {"next": {""}, "raise": {"1"}}),
    "finally on every channel": (
        "try:\n    m(1)\n    if c: return 1\n    r()\nfinally:\n    m(2)",
        {"next": {"12"}, "return": {"12"}, "raise": {"12"}},
    ),
    "return evaluates first, then finally": ("try:\n    return m(1)\nfinally:\n    m(2)", {"return": {"12"}}),
    "return in finally replaces": ("try:\n    r()\nfinally:\n    m(1)\n    return 2", {"return": {"1"}}),
    "break in finally replaces": ("for x in y:\n    try:\n        r()\n    finally:\n        break", {"next": {""}}),
    "with leaves on every channel": (
        "with m(1):\n    if c: return m(2)\n    r()\n    m(3)",
        {"next": {"130"}, "return": {"120"}, "raise": {"10", "120", "130"}},
    ),
    "with that swallows": ("with quiet:\n    m(1)\n    r()\n    m(2)", {"next": {"10", "120"}, "raise": {"10", "120"}}),
    "items leave in reverse": ("with m(1), m(2):\n    m(3)", {"next": {"12300"}, "raise": {"12300"}}),
    "match": (
        "match m(1):\n    case 1 if m(2): m(3)\n    case _: m(4)",
        {"next": {"123", "14", "124"}},
    ),
    "match may fit nothing": ("match x:\n    case 1: m(1)", {"next": {"", "1"}}),
    "yield": ("m(1)\nyield m(2)\nm(3)", {"next": {"123"}, "base": {"12"}}),
    "await": ("m(1)\nawait m(2)", {"next": {"12"}, "base": {"12"}}),
    "except Exception misses base": (
        "try:\n    yield\nexcept Exception:\n    m(1)",
        {"next": {""}, "base": {""}},
    ),
    "bare except catches base": ("try:\n    yield\nexcept:\n    m(1)\n    raise", {"next": {""}, "base": {"1"}}),
    "GeneratorExit": ("try:\n    yield\nexcept GeneratorExit:\n    m(1)", {"next": {"", "1"}, "base": {""}}),
    "async for": ("async for x in m(1): m(2)", {"next": {"1", "12"}, "base": {"1", "12"}}),
    "raise of a base exception": ("try:\n    raise SystemExit\nexcept Exception:\n    m(1)", {"base": {""}}),
    "exception group": ("try:\n    r()\nexcept* Exception:\n    m(1)", {"next": {"", "1"}, "raise": {""}}),
    "delete": ("del x[m(1)], y[m(2)]", {"next": {"12"}}),
    "annotated": ("x[m(2)]: int = m(1)", {"next": {"12"}}),
}


class Bounded(Marks):
    """Ways are cut after five marks, so that loops come to a fixpoint."""

    def event(self, node: ast.AST, state: Ways) -> Ways | None:
        after = super().event(node, state)
        return None if after is None else frozenset(way[:5] for way in after)


@pytest.mark.parametrize(("body", "exits"), CASES.values(), ids=CASES.keys())
def test_channels(body: str, exits: dict[Channel, set[str]]) -> None:
    found = Walker(Bounded()).run(ast.parse(body).body, frozenset([()]))
    ways = {channel: {"".join(map(str, way)) for way in state} for channel, state in found.items()}
    assert ways == exits


class Truth(Marks):
    def refine(self, test: ast.expr, truth: bool, state: Ways) -> Ways | None:
        return None if ast.unparse(test) == "never" and truth else state


@pytest.mark.parametrize(
    ("test", "ways"),
    [
        ("never", {"2"}),
        ("not never", {"1"}),
        ("never or c", {"1", "2"}),
        ("never and c", {"2"}),
        ("c and not never", {"1", "2"}),
        ("not (never or never)", {"1"}),
    ],
)
def test_refinement_goes_through_not_and_or(test: str, ways: set[str]) -> None:
    exits = Walker(Truth()).run(ast.parse(f"if {test}: m(1)\nelse: m(2)").body, frozenset([()]))
    assert {"".join(map(str, way)) for way in exits["next"]} == ways


def test_chain_of_a_thousand_calls() -> None:
    assert _run(f"x = q{'.f(m(1))' * 1_000}") == {"next": {"1"}}


def test_thousand_elifs() -> None:
    elifs = "".join(f"elif c{i}: m(2)\n" for i in range(1_000))
    assert _run(f"if c: m(1)\n{elifs}") == {"next": {"", "1", "2"}}


def test_deep_nesting_is_too_complex_not_a_recursion_error() -> None:
    with pytest.raises(TooComplexError):
        _run("x = " + "m(1) if c else " * 500 + "2")
    with pytest.raises(TooComplexError):
        _run("x = " + "(a and " * 150 + "b" + ")" * 150)


def test_budget_ends_a_walk_that_multiplies() -> None:
    body = "m(1)"
    for mark in range(12):
        final = f"m({mark})\nif c: return m(2)"
        body = f"try:\n{textwrap.indent(body, ' ')}\n r()\nfinally:\n{textwrap.indent(final, ' ')}"
    with pytest.raises(TooComplexError):
        Walker(Marks(), budget=20).run(ast.parse(body).body, frozenset([()]))
