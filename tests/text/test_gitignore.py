"""What a pattern of .gitignore matches. Expectations: gitignore(5), checked against git 2.39."""

from __future__ import annotations

import pytest

from alchemod.text.gitignore import Patterns, pattern


def ignores(line: str, path: str, *, is_folder: bool = False) -> bool | None:
    found = pattern(line)
    return Patterns([found] if found else []).ignores(path, is_folder)


@pytest.mark.parametrize(
    ("line", "path", "expected"),
    [
        ("a.py", "x/a.py", True),
        ("/a.py", "x/a.py", None),
        ("!a.py", "a.py", False),
        ("#a.py", "#a.py", None),
        (r"\#a.py", "#a.py", True),
        (r"\!a.py", "!a.py", True),
        ("a.py  ", "a.py", True),
        ("a.py\\ ", "a.py ", True),
        ("a.py\r", "a.py", True),
        ("x/*.py", "x/a.py", True),
        ("x/*.py", "x/y/a.py", None),
        ("x/**", "x/y/a.py", True),
        ("**/y", "x/y", True),
        ("**/y", "y", True),
        ("x/**/a.py", "x/a.py", True),
        ("x/**/a.py", "x/y/z/a.py", True),
        ("x**/a.py", "x/y/a.py", True),
        ("a/x**/a.py", "a/xy/a.py", True),
        ("?/x**/a.py", "a/xy/z/a.py", None),
        ("***/y", "x/z/y", True),
        ("?.py", "a.py", True),
        ("?.py", "é.py", None),
        ("x?a.py", "x/a.py", None),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", None),
        ("[^ab].py", "c.py", True),
        ("[]a].py", "].py", True),
        ("[a-c].py", "b.py", True),
        ("[c-a].py", "c.py", True),
        ("[c-a].py", "b.py", None),
        ("[[:alpha:]].py", "b.py", True),
        ("[[:digit:]x].py", "b.py", None),
        ("[a/]*", "/", None),
        (r"[\]].py", "].py", True),
        ("a+b.py", "a+b.py", True),
    ],
)
def test_what_a_pattern_says_of_a_file(line: str, path: str, expected: bool | None) -> None:
    assert ignores(line, path) is expected


def test_a_slash_at_the_end_means_folders() -> None:
    assert ignores("gen/", "x/gen", is_folder=True) is True
    assert ignores("gen/", "x/gen") is None


@pytest.mark.parametrize("line", ["!", "/", "!/", "[", "[]", "a[b", "[a-", "a\\", "[[:nothing:]]"])
def test_patterns_without_a_meaning(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        pattern(line)


def test_the_last_pattern_that_speaks_of_a_file_or_its_folders_decides_whether_it_is_covered() -> None:
    patterns = Patterns(filter(None, map(pattern, ["tests", "!keep.py"])))
    assert patterns.cover("tests/sub/a.py")
    assert not patterns.cover("tests/keep.py")
    assert not patterns.cover("a.py")
    assert not Patterns([]).cover("a.py")
