"""Files that cannot be read, decoded or parsed, and such as are too much: a sentence each, and the rest is done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Command
from engine.toys import GATE, write

GOOD = {"good.py": GATE + "old()\n"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GATE + "x = (\n", "not valid in Python 3"),
        (GATE + "print 'x'\n", "not valid in Python 3"),
        ((GATE + "x = 1\0\n").encode(), "null bytes"),
        (GATE + "x = " + "(" * 10_000 + ")" * 10_000 + "\n", "too many nested parentheses"),
        (GATE.encode() + b"x = '\xe4'\n", "declares no other encoding"),
        (b"# coding: nonsense\nimport sqlalchemy\n", "unknown encoding 'nonsense'"),
    ],
    ids=["syntax", "python 2", "null", "nested", "latin-1 without cookie", "unknown cookie"],
)
def test_a_bad_file_is_one_sentence(alchemod: Command, project: Path, content: str | bytes, said: str) -> None:
    write(project, {**GOOD, "bad.py": content})
    before = (project / "bad.py").read_bytes()
    ran = alchemod("apply", "--yes")
    [row] = [line for line in ran.err.splitlines() if line.startswith("bad.py")]
    assert said in row
    assert ": error: " in row
    assert "Traceback" not in ran.err
    assert ran.code == 2
    assert (project / "bad.py").read_bytes() == before
    assert (project / "good.py").read_text() == GATE + "new()\n"


@pytest.mark.parametrize(
    ("content", "fixed"),
    [
        (b"# coding: latin-1\nimport sqlalchemy\nold('\xe4')\n", b"new('\xe4')"),
        ((GATE + "x = old()" + ".f()" * 150 + "\n").encode(), b"new().f()"),
        ((GATE + "old()\nx = y" + ".f()" * 1_000 + "\n").encode(), b"new()\n"),
        ((GATE + "old()\n" + "x = 1\n" * 100_000).encode(), b"new()\n"),
        (GATE.replace("\n", "\r\n").encode() + b"old()\r\n", b"new()\r\n"),
        (b"\xef\xbb\xbf" + GATE.encode() + b"old()", b"new()"),
        (GATE.encode() + b"\x0c\nold()  \t\n", b"\x0c\nnew()  \t\n"),
    ],
    ids=[
        "latin-1 with cookie",
        "chain",
        "chain of 1,000 calls",
        "long",
        "carriage returns",
        "byte order mark",
        "form feed",
    ],
)
def test_odd_files_are_plain_input(alchemod: Command, project: Path, content: bytes, fixed: bytes) -> None:
    write(project, {"odd.py": content})
    ran = alchemod("apply", "--yes")
    assert (ran.code, "error" in ran.err) == (0, False)
    assert (project / "odd.py").read_bytes() == content.replace(b"old()", b"new()").replace(b"old('", b"new('")
    assert fixed in (project / "odd.py").read_bytes()


def test_a_file_too_deep_for_the_parser_is_a_note(alchemod: Command, project: Path) -> None:
    write(project, {**GOOD, "deep.py": GATE + "x = " + " + ".join(["1"] * 20_000) + "\n"})
    ran = alchemod("apply", "--yes")
    assert "deep.py: note: nested too deeply" in ran.err
    assert "1 file skipped: 1 nested too deeply." in ran.err + ran.out
    assert (ran.code, (project / "good.py").read_text()) == (0, GATE + "new()\n")


def test_a_long_chain_is_fixed_or_a_report(alchemod: Command, project: Path) -> None:
    write(project, {**GOOD, "chain.py": GATE + "x = a" + ".old()" * 250 + "\n"})
    ran = alchemod("diff")
    assert ran.code == 1
    assert "error" not in ran.err
    assert "good.py" in ran.out
    assert alchemod("check").out.count("chain.py") == 250


def test_a_link_in_a_circle(alchemod: Command, project: Path) -> None:
    write(project, GOOD)
    (project / "loop.py").symlink_to("loop.py")
    ran = alchemod("diff")
    assert ran.code == 2
    assert ran.err.startswith("loop.py: error: link leads nowhere")
    assert "+new()" in ran.out


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(alchemod: Command, project: Path) -> None:
    write(project, {**GOOD, "secret.py": GATE})
    (project / "secret.py").chmod(0)
    ran = alchemod("diff")
    assert ran.code == 2
    assert ran.err.startswith("secret.py: error: cannot be read: permission denied")
    assert "+new()" in ran.out


def test_an_empty_path_is_not_the_whole_project(alchemod: Command, project: Path) -> None:
    write(project, GOOD)
    ran = alchemod("apply", "--yes", "")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "alchemod: a path is empty: name a file or folder, or nothing for the whole project\n"
    assert (project / "good.py").read_text() == GOOD["good.py"]


def test_a_link_that_leads_nowhere_is_named_once(alchemod: Command, project: Path) -> None:
    write(project, GOOD)
    (project / "gone.py").symlink_to("nowhere.py")
    ran = alchemod("check", "gone.py")
    assert ran.code == 2
    assert [line for line in ran.err.splitlines() if "gone.py" in line] == [
        "gone.py: error: link leads nowhere: no such file or directory"
    ]
    assert "1 file skipped: 1 cannot be read." in ran.out


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
def test_output_that_cannot_be_written_is_one_sentence(project: Path) -> None:
    write(project, GOOD)
    process = Path(__file__).with_name("toy_process.py")
    with open("/dev/full", "w") as full:
        ran = subprocess.run([sys.executable, process, "diff"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ran.returncode == 2
    assert ran.stderr == "alchemod: standard output cannot be written: No space left on device\n"
