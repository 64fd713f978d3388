"""What the facts of a file hold, from its text."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from alchemod.facts.collecting import collect
from alchemod.facts.module import Assigned, Import, Module, Opaque


def facts(source: str, name: str = "shop.models", *, is_package: bool = False) -> Module:
    source = textwrap.dedent(source)
    return collect(ast.parse(source), name, Path("models.py"), source.encode(), is_package=is_package)


def shown(binding: object) -> str:
    match binding:
        case Import(module=module, name=None):
            return f"import {module}"
        case Import(module=module, name=name):
            return f"from {module} import {name}"
        case Assigned(value=value, annotation=annotation):
            return ": ".join(ast.unparse(part) for part in (annotation, value) if part is not None)
        case Opaque():
            return "opaque"
    return type(binding).__name__


def bindings(source: str) -> dict[str, list[str]]:
    return {name: [shown(binding) for binding in found] for name, found in facts(source).bindings.items()}


def test_every_way_to_bind_a_name() -> None:
    assert bindings("""
        import a, b.c, d.e as f
        from g import h, i as j
        k = 1
        l: int = 2
        m: str
        n = o = 3
        p, (q, r) = 4, (5, 6)
        s, t = pair()
        u += 1
        for v, w in x: pass
        with y as z: pass
        try: pass
        except E as aa: pass
        (bb := 7)
        del cc
        def dd(): pass
        class ee: pass
        [ff for ff in gg]
        [(hh := ii) for ii in gg]
        lambda: (jj := 1)
    """) == {
        "a": ["import a"],
        "b": ["import b"],
        "f": ["import d.e"],
        "h": ["from g import h"],
        "j": ["from g import i"],
        "k": ["1"],
        "l": ["int: 2"],
        "m": ["str"],
        "n": ["3"],
        "o": ["3"],
        "p": ["opaque"],
        "q": ["opaque"],
        "r": ["opaque"],
        "s": ["opaque"],
        "t": ["opaque"],
        "u": ["opaque"],
        "v": ["opaque"],
        "w": ["opaque"],
        "z": ["opaque"],
        "aa": ["opaque"],
        "bb": ["opaque"],
        "cc": ["opaque"],
        "dd": ["FunctionFacts"],
        "ee": ["ClassFacts"],
        "hh": ["opaque"],
    }


def test_branches_are_one_namespace() -> None:
    assert bindings("""
        if a:
            x = 1
        elif b:
            x = 2
        else:
            try:
                x = 3
            except E:
                x = 4
            else:
                x = 5
            finally:
                x = 6
        while c:
            x = 7
        match d:
            case 1:
                x = 8
        a, b = 9, 10
    """) == {"x": ["1", "2", "3", "4", "5", "6", "7", "8"], "a": ["9"], "b": ["10"]}


@pytest.mark.parametrize(
    ("statement", "name", "is_package", "expected"),
    [
        ("from . import x", "shop.models", False, "from shop import x"),
        ("from . import x", "shop", True, "from shop import x"),
        ("from .a import x", "shop.models", False, "from shop.a import x"),
        ("from .. import x", "shop.data.models", False, "from shop import x"),
        ("from ..a.b import x", "shop.data.models", False, "from shop.a.b import x"),
        ("from ... import x", "shop.models", False, "from  import x"),
        ("from .... import x", "shop.models", False, "from  import x"),
        ("from . import x", "models", False, "from  import x"),
    ],
)
def test_relative_imports_become_absolute(statement: str, name: str, is_package: bool, expected: str) -> None:
    assert shown(facts(statement, name, is_package=is_package).bindings["x"][0]) == expected


def test_what_is_bound_through_global() -> None:
    assert bindings("""
        def one():
            global a, b
            a = 1
            import b
            c = 2
        class K:
            def method(self):
                def deep():
                    global d
                    for d in e: pass
                global f
                def f(): pass
        def other():
            a = 5
    """) == {
        "one": ["FunctionFacts"],
        "K": ["ClassFacts"],
        "other": ["FunctionFacts"],
        "a": ["1"],
        "b": ["import b"],
        "d": ["opaque"],
        "f": ["opaque"],
    }


def test_imports_for_type_checkers_are_marked() -> None:
    module = facts("""
        import typing
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from a import b
        if typing.TYPE_CHECKING:
            import c
        else:
            import d
    """)
    marked = {
        name
        for name, found in module.bindings.items()
        if any(isinstance(binding, Import) and binding.is_typing for binding in found)
    }
    assert marked == {"b", "c"}


def test_stars_and_all() -> None:
    module = facts("from a import *\nfrom .b import *\n__all__ = ['x', 'y']\n")
    assert module.stars == ["a", "shop.b"]
    assert module.exports == {"x", "y"}
    assert facts("x = 1").exports is None
    assert facts("__all__ = ['x'] + other").exports is None
    assert facts("__all__ = ['x']\n__all__ += other").exports is None


def test_classes() -> None:
    module = facts("""
        class A(B, metaclass=M):
            import i
            x = 1
            y: int
            for z in w: pass
            def method(self): pass
            @property
            def value(self): return 1
            @value.setter
            def value(self, new): pass
            class Inner:
                deep = 2
            if flag:
                x = 3
        A.later = 4
    """)
    found = module.classes["A"]
    assert set(module.classes) == {"A", "A.Inner"}
    assert {name: shown(assigned) for name, assigned in found.attributes.items()} == {"x": "3", "y": "int"}
    assert found.opaque == {"i", "z"}
    assert set(found.methods) == {"method", "value"}
    assert [ast.unparse(decorator) for decorator in found.methods["value"].decorators] == ["property"]
    assert set(found.bodies) == {"value"}
    assert set(module.functions) == {"A.method", "A.value"}
    assert shown(module.added["A"]["later"]) == "4"
    assert module.functions["A.method"].owner is found
