"""Diffs are what git takes."""

from __future__ import annotations

import difflib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alchemod.text.diff import DiffStat, diff_stat, unified_diff

LINES = st.sampled_from([b"a", b"b", b"", b" c", b"-d", b"+e", b"@@ -1 +1 @@", b"--- a/x", b"\\ f", b"\xff", b"x\ry"])
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])
TEXTS = st.builds(
    lambda lines, last: b"".join(lines) + last,
    st.lists(st.builds(bytes.__add__, LINES, ENDS), max_size=12),
    LINES,
)
NAMES = st.sampled_from(
    [
        "a.py",
        "a b.py",
        " a.py",
        "a.py ",
        'a"b.py',
        "a'b.py",
        "a\\b.py",
        "a\tb.py",
        "a\nb.py",
        "a\rb.py",
        "é ü.py",
        "日本.py",
        "a\x7fb\x01.py",
        "a\u2028b.py",
        "bad\udcff.py",
        "x y/z w.py",
        "b/a.py",
        "a.py\t2024-01-01 00:00:00 +0000",
        "dev/null",
        "a => b.py",
        "{a,b}.py",
        "-a.py",
    ]
)


def git_apply(folder: Path, diff: bytes, *options: str) -> None:
    subprocess.run(
        ["git", "-c", "core.autocrlf=false", "apply", *options, "-"],
        input=diff,
        cwd=folder,
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"},
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, st.tuples(TEXTS, TEXTS), min_size=1, max_size=6), st.integers(0, 4))
def test_git_apply_makes_the_new_bytes(files: dict[str, tuple[bytes, bytes]], context: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        diff = b""
        for path, (old, new) in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(old)
            diff += unified_diff(path, old, new, context)
        if diff:
            git_apply(folder, diff, *(["--unidiff-zero"] if context == 0 else []))
        for path, (_, new) in files.items():
            assert (folder / path).read_bytes() == new


@given(TEXTS, TEXTS, st.integers(0, 4))
def test_counts(old: bytes, new: bytes, context: int) -> None:
    diff = unified_diff("a.py", old, new, context)
    lines = diff.split(b"\n")[3:]
    stat = diff_stat(diff)
    assert stat.added == sum(line.startswith(b"+") for line in lines)
    assert stat.removed == sum(line.startswith(b"-") for line in lines)
    assert (stat.hunks > 0) == (old != new)


def test_a_diff_as_difflib_makes_it() -> None:
    old = [b"line %d\n" % number for number in range(60)]
    new = [*old[:5], b"five\n", *old[6:30], *old[31:50], b"new\n", *old[50:]]
    expected = difflib.diff_bytes(difflib.unified_diff, old, new, b"a/pkg/m.py", b"b/pkg/m.py")
    diff = unified_diff("pkg/m.py", b"".join(old), b"".join(new))
    assert diff == b"diff --git a/pkg/m.py b/pkg/m.py\n" + b"".join(expected)
    assert diff_stat(diff) == DiffStat(hunks=3, added=2, removed=2)


def test_no_final_newline() -> None:
    assert unified_diff("a", b"x\ny", b"x\ny\n").endswith(b" x\n-y\n\\ No newline at end of file\n+y\n")
    assert unified_diff("a", b"x\ny\n", b"x\ny").endswith(b" x\n-y\n+y\n\\ No newline at end of file\n")


def test_equal_bytes_have_no_diff() -> None:
    assert unified_diff("a", b"x", b"x") == b""
    assert diff_stat(b"") == DiffStat(0, 0, 0)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("pkg/é.py", "a/pkg/é.py"),
        ("a b.py", "a/a b.py\t"),
        ('say "hi".py', '"a/say \\"hi\\".py"'),
        ("tab\t.py", '"a/tab\\t.py"'),
        ("bad\udcff.py", '"a/bad\\377.py"'),
        ("/abs/a.py", "a/abs/a.py"),
    ],
)
def test_names_are_written_as_git_writes_them(name: str, shown: str) -> None:
    assert unified_diff(name, b"", b"x\n").split(b"\n")[1].decode() == f"--- {shown}"


def test_many_equal_lines_stay_fast() -> None:
    old = b"x = 1\n" * 20_000
    assert diff_stat(unified_diff("a", old, b"y\n" + old + b"z\n")) == DiffStat(2, 2, 0)
    scattered = b"".join(b"x = 1\n" if line % 500 else b"y%d\n" % line for line in range(20_000))
    stat = diff_stat(unified_diff("a", old, scattered))
    assert (stat.added, stat.removed) == (40, 40)
