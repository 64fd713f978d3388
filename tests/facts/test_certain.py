"""Names that a module has for certain."""

import ast

import pytest

from alchemod.facts.certain import certain_names


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a.b, c as d\nfrom e import f as g", {"a", "d", "g"}),
        ("x = 1\ny: int\nz: int = 2\n(p, [q, *r]) = s", {"x", "z", "p", "q", "r"}),
        ("def f(): x = 1\nclass C: y = 1", {"f", "C"}),
        ("if c:\n    from a import b", set()),
        ("if c:\n    from a import b\nelse:\n    b = 1", {"b"}),
        ("try:\n    from a import b\nexcept ImportError:\n    from c import b", {"b"}),
        ("try:\n    from a import b\nexcept ImportError:\n    b = None", set()),
        ("try:\n    from a import b\nexcept ImportError:\n    raise", {"b"}),
        ("try:\n    import a\nfinally:\n    import b", {"a", "b"}),
        ("b = None\nfrom a import b", set()),
        ("from a import b\ndel b", set()),
        ("with c:\n    from a import b", {"b"}),
        ("for x in y:\n    z = 1", set()),
    ],
)
def test_certain_names(code: str, names: set[str]) -> None:
    assert certain_names(ast.parse(code)) == names
