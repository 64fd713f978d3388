"""Scopes: who binds a name, who reads it."""

import ast

from alchemod.inference.scoping.scopes import Scope, scope_of


def _scope(source: str) -> Scope:
    return scope_of(ast.parse(source))


def _kinds(scope: Scope, name: str) -> list[str]:
    return [binding.kind for binding in scope.bindings.get(name, [])]


def test_every_way_to_bind_a_name() -> None:
    scope = _scope(
        "import a.b, c as d\n"
        "from m import e, f as g, h\n"
        "i = j = 1\n"
        "k: int = 2\n"
        "l: int\n"
        "i += 1\n"
        "for m, (n, *o) in p: pass\n"
        "with q as r, t as (u, v): pass\n"
        "try: pass\n"
        "except E as w: pass\n"
        "match x:\n"
        "    case [y, *z]: pass\n"
        "    case {'k': aa, **bb}: pass\n"
        "    case C(cc) as dd: pass\n"
        "del i\n"
        "(ee := 1)\n"
        "def ff(): gg = 1\n"
        "class hh: ii = 1\n"
    )
    assert set(scope.bindings) == {*"adeghijklmnoruvwyz", "aa", "bb", "cc", "dd", "ee", "ff", "hh"}
    assert _kinds(scope, "i") == ["assignment", "augmented", "delete"]
    assert _kinds(scope, "w") == ["except"]
    assert [binding.position for binding in scope.bindings["n"]] == [(1, 0)]
    assert [binding.position for binding in scope.bindings["o"]] == [None]
    assert [binding.position for binding in scope.bindings["v"]] == [(1,)]


def test_displays_are_matched_by_position() -> None:
    scope = _scope("a, (b, c) = 1, (Maker(), 3)\nd, *e = 1, 2\nf, g = call()\n")
    values = {name: ast.unparse(scope.bindings[name][0].value or ast.Constant(None)) for name in "abcdfg"}
    assert values == {"a": "1", "b": "Maker()", "c": "3", "d": "(1, 2)", "f": "call()", "g": "call()"}
    assert [scope.bindings[name][0].position for name in "abdefg"] == [(), (), (0,), None, (0,), (1,)]


def test_function_parameters_defaults_and_free_names() -> None:
    module = _scope(
        "x = 1\n"
        "def outer(a, /, b=x, *c, d=y, **e):\n"
        "    def inner():\n"
        "        nonlocal b\n"
        "        b = a + z\n"
        "    return lambda q=b: q + w\n"
    )
    (outer,) = module.children
    assert [parameter.arg for parameter in outer.parameters] == ["a", "b", "c", "d", "e"]
    assert module.reads == {"x", "y"}
    assert outer.free_names() == {"z", "w"}
    assert outer.rebound_inside == {"b"}
    inner, lambda_ = outer.children
    assert inner.owner("b") is outer
    assert inner.owner("x") is module
    assert inner.owner("print") is None
    assert lambda_.owner("b") is outer


def test_class_names_are_not_seen_by_methods() -> None:
    module = _scope("class C:\n    limit = 1\n    def m(self): return limit\n")
    (cls,) = module.children
    (method,) = cls.children
    assert method.owner("limit") is None
    assert method.free_names() == {"limit"}
    assert module.free_names() == {"limit"}


def test_comprehension_has_its_own_targets_and_gives_away_walruses() -> None:
    module = _scope("def f(rows):\n    return [(last := r.x) for r in rows if all(p for p in r.parts)]\n")
    (function,) = module.children
    assert set(function.bindings) == {"rows", "last"}
    assert function.reads == {"rows"}
    (comprehension,) = function.children
    assert set(comprehension.bindings) == {"r"}
    assert comprehension.owner("rows") is function


def test_innermost_scope_of_defaults_and_first_iterable_is_outside() -> None:
    tree = ast.parse("def f(a=one):\n    return [two for two in three]\n")
    module = scope_of(tree)
    names = {node.id: node for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert module.innermost(names["one"]) is module
    assert module.innermost(names["three"]) is module.children[0]
    assert module.innermost(names["two"]).is_comprehension


def test_global_names_belong_to_the_module() -> None:
    module = _scope("s = None\ndef f():\n    global s\n    s = 1\n")
    function = module.children[0]
    assert "s" not in function.bindings
    assert function.owner("s") is module
    assert [binding.name for binding in function.outer_bindings] == ["s"]


def test_deep_nesting_of_expressions_is_no_recursion() -> None:
    module = _scope("x = q" + ".f(a)" * 1_000)
    assert module.reads == {"q", "a"}
