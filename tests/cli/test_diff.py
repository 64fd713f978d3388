"""`alchemod diff`: the diff alone on standard output; `git apply` takes it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cli.conftest import Command
from engine.toys import GATE, write

EXPECTED = """\
diff --git a/app/a.py b/app/a.py
--- a/app/a.py
+++ b/app/a.py
@@ -1,2 +1,2 @@
 import sqlalchemy
-x = old(1)
+x = new(1)
"""


def test_the_diff_alone_is_on_standard_output(alchemod: Command, project: Path) -> None:
    write(project, {"app/a.py": GATE + "x = old(1)\n", "b.py": GATE + "odd\n"})
    ran = alchemod("diff")
    assert ran.out == EXPECTED
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "Scanned 2 files: 2 findings in 2 files.",
        "  ALC901 toys: 1 safe",
        "  ALC903 toys: 1 report",
        "1 finding can be fixed in 1 file (+1 -1 lines).",
    ]
    assert (project / "app/a.py").read_text() == GATE + "x = old(1)\n"


def test_an_empty_diff(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "odd\n"})
    ran = alchemod("diff")
    assert (ran.code, ran.out) == (0, "")


def test_exit_codes(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    assert alchemod("diff", "--exit-zero").code == 0
    write(project, {"b.py": GATE + "x = (\n"})
    assert alchemod("diff").code == 2
    assert alchemod("diff", "--exit-zero").code == 2
    assert "new()" in alchemod("diff").out


def test_unsafe_fixes_when_wanted(alchemod: Command, project: Path) -> None:
    write(project, {"a.py": GATE + "risky()\n"})
    ran = alchemod("diff")
    assert (ran.code, ran.out) == (0, "")
    assert "1 fix more with --unsafe-fixes" in ran.err
    assert "+calm()" in alchemod("diff", "--unsafe-fixes").out


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_takes_the_diff(alchemod: Command, project: Path) -> None:
    files = {
        "app/a.py": GATE + "old(1)",
        "mit umlaut ü.py": GATE.replace("\n", "\r\n") + "old(2)\r\n",
        "latin.py": "# coding: latin-1\nimport sqlalchemy\nold('ä')\n".encode("latin-1"),
    }
    write(project, files)
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    ran = alchemod("diff", "-q", "--format", "json")
    from alchemod.engine.registry import Registry  # the bytes, not their decoded form
    from alchemod.runs.analyse import analyse
    from alchemod.settings.options import Settings
    from engine.toys import TOYS

    outcome = analyse(project, [], Settings(), registry=Registry.of(*TOYS))
    patch = b"".join(outcome.diffs().values())
    subprocess.run(["git", "apply"], cwd=project, input=patch, check=True)
    for path, change in outcome.changes.items():
        assert path.read_bytes() == change.new.data
    assert {row["path"] for row in json.loads(ran.out)["diffs"]} == set(files)


def test_json_has_the_diffs_as_text(alchemod: Command, project: Path) -> None:
    write(project, {"app/a.py": GATE + "x = old(1)\n"})
    write(project, {"latin.py": "# coding: latin-1\nimport sqlalchemy\nold('ä')\n".encode("latin-1")})
    ran = alchemod("diff", "--format", "json")
    document = json.loads(ran.out)
    assert ran.code == 1
    assert document["diffs"][0] == {"path": "app/a.py", "diff": EXPECTED}
    assert "+new('ä')" in document["diffs"][1]["diff"]
    assert document["findings"][0]["safety"] == "safe"
    assert document["findings"][0]["fixable"] is True
    assert document["findings"][0]["change_set"]


def test_standard_input(alchemod: Command, project: Path) -> None:
    ran = alchemod("diff", "-", stdin=(GATE + "x = old(1)\n").encode())
    assert ran.out == EXPECTED.replace("app/a.py", "stdin.py")
    assert ran.code == 1


def test_standard_input_stands_for_a_file(alchemod: Command, project: Path) -> None:
    write(project, {"app/a.py": "nothing\n", "b.py": GATE + "old()\n"})
    ran = alchemod("diff", "--stdin-filename", "app/a.py", "-", stdin=(GATE + "x = old(1)\n").encode())
    assert ran.out == EXPECTED
    assert (project / "app/a.py").read_text() == "nothing\n"


def test_standard_input_that_is_no_text(alchemod: Command, project: Path) -> None:
    ran = alchemod("diff", "-", stdin=b"\xff\n")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("alchemod: standard input is not UTF-8")
