"""Reaching definitions. Each case marks the read as `use(name)`; expected are the lines of the bindings it
may see."""

import ast

import pytest

from alchemod.inference.control.reaching import Definitions, definitions


def _at_use(source: str) -> Definitions:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="use"), args=[ast.Name() as name]):
                return definitions(tree, name)
    raise AssertionError("no use(name) in the source")


def _lines(found: Definitions) -> set[int]:
    return {getattr(binding.target, "lineno", 0) for binding in found.sites}


CASES = {
    "straight": ("x = 1\nuse(x)", {1}, False),
    "last wins": ("x = 1\nx = 2\nuse(x)", {2}, False),
    "branch": ("x = 1\nif c:\n    x = 2\nuse(x)", {1, 3}, False),
    "branch without else": ("if c:\n    x = 2\nuse(x)", {2}, True),
    "both branches": ("if c:\n    x = 1\nelse:\n    x = 2\nuse(x)", {2, 4}, False),
    "loop carries": ("x = 1\nfor i in r:\n    use(x)\n    x = 2", {1, 4}, False),
    "loop may not run": ("for x in r:\n    pass\nuse(x)", {1}, True),
    "inside the loop": ("for x in r:\n    use(x)", {1}, False),
    "while True leaves by break": ("while True:\n    x = 1\n    if c: break\nuse(x)", {2}, False),
    "early return": ("def f():\n    x = 1\n    if c:\n        x = 2\n        return\n    use(x)", {2}, False),
    "deleted": ("x = 1\ndel x\nuse(x)", set(), True),
    "try body may not have run": ("x = 1\ntry:\n    x = f()\nexcept E:\n    pass\nuse(x)", {1, 3}, False),
    "handler sees what was before": (
        "x = 1\ntry:\n    x = f()\n    g()\nexcept E:\n    use(x)",
        {1, 3},
        False,
    ),
    "call that binds raises before": ("x = 1\ntry:\n    x = f()\nexcept E:\n    use(x)", {1}, False),
    "finally": ("x = 1\ntry:\n    g()\n    x = 2\nfinally:\n    use(x)", {1, 4}, False),
    "handler that raises": ("try:\n    x = f()\nexcept E:\n    raise\nuse(x)", {2}, False),
    "except name is unbound behind": ("try:\n    f()\nexcept E as x:\n    pass\nuse(x)", set(), True),
    "with": ("with f() as x:\n    use(x)", {1}, False),
    "walrus": ("if (x := f()):\n    use(x)", {1}, False),
    "walrus behind and": ("if c and (x := f()):\n    pass\nuse(x)", {1}, True),
    "conditional expression": ("x = 0\ny = (x := 1) if c else 2\nuse(x)", {1, 2}, False),
    "augmented": ("x = 1\nx += 2\nuse(x)", {2}, False),
    "parameter": ("def f(x):\n    use(x)", {1}, False),
    "parameter with fallback": (
        "def f(x=None):\n    if x is None:\n        x = 1\n    use(x)",
        {1, 3},
        False,
    ),
    "match": ("match v:\n    case [x]:\n        pass\n    case _:\n        x = 2\nuse(x)", {2, 5}, False),
    "import": ("from m import (\n  x)\nuse(x)", {2}, False),
    "in a comprehension": ("x = 1\nx = 2\ny = [use(x) for _ in r]", {2}, False),
    "comprehension target": ("x = 1\ny = [use(x) for x in r]", {2}, False),
    "in a consumed generator": ("x = 1\nx = 2\ny = list(use(x) for _ in r)\nx = 3", {2}, False),
    "own value": ("x = 1\nx = use(x)", {1}, False),
    "class body": ("class C:\n    x = 1\n    x = 2\n    use(x)", {3}, False),
    "with that swallows": ("with suppress(E):\n    x = f()\nuse(x)", {2}, True),
    "elif": ("if a:\n    x = 1\nelif b:\n    x = 2\nelse:\n    x = 3\nuse(x)", {2, 4, 6}, False),
    "continue": (
        "x = 1\nfor i in r:\n    if i:\n        x = 2\n        continue\n    x = 3\nuse(x)",
        {1, 4, 6},
        False,
    ),
}


@pytest.mark.parametrize(("source", "lines", "unbound"), CASES.values(), ids=CASES.keys())
def test_reaching(source: str, lines: set[int], unbound: bool) -> None:
    found = _at_use(source)
    assert (_lines(found), found.may_be_unbound) == (lines, unbound)
    assert found.exact
    assert not found.captured


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f():\n    x = 1\n    x = 2\n    return lambda: use(x)", {2, 3}),
        ("x = 1\ndef f():\n    use(x)\nx = 2", {1, 4}),
        ("def f():\n    x = 1\n    g = (use(x) for _ in r)\n    x = 2\n    return g", {2, 4}),
    ],
)
def test_captured_reads_see_every_binding(source: str, lines: set[int]) -> None:
    found = _at_use(source)
    assert _lines(found) == lines
    assert found.captured


def test_rebound_from_elsewhere_is_not_exact() -> None:
    found = _at_use("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    g()\n    use(x)")
    assert _lines(found) == {2, 5}
    assert not found.exact
    assert found.single is None


def test_builtin_has_no_owner() -> None:
    found = _at_use("use(print)")
    assert found.owner is None
    assert not found.sites


def test_function_alone_as_root() -> None:
    tree = ast.parse("def f(a):\n    b = a\n    return a, b, outer\n")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    last = function.body[-1]
    assert isinstance(last, ast.Return)
    assert isinstance(last.value, ast.Tuple)
    a, b, outer = (definitions(function, name) for name in last.value.elts if isinstance(name, ast.Name))
    assert a.single is not None
    assert a.single.kind == "parameter"
    assert b.single is not None
    assert b.single.kind == "assignment"
    assert outer.owner is None


def test_thousand_elifs_and_a_chain_of_thousand_calls() -> None:
    elifs = "".join(f"elif c == {i}:\n    x = {i}\n" for i in range(1_000))
    assert len(_at_use(f"if c:\n    x = 0\n{elifs}else:\n    x = 0\nuse(x)").sites) == 1_002
    assert _lines(_at_use(f"x = 1\nx = q{'.f(x)' * 1_000}\nuse(x)")) == {2}


def test_too_deep_code_is_not_exact() -> None:
    deep = "".join(f"{' ' * i}if c{i}:\n" for i in range(99)) + " " * 99 + "x = 2\n"
    found = _at_use(f"x = 1\n{deep}use(x)")
    assert _lines(found) == {1, 101}
    conditional = "x = 1\nx = " + "1 if c else " * 400 + "2\nuse(x)"
    assert not _at_use(conditional).exact
