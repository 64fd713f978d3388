"""What only a process shows: the prompt on a terminal, colour, closed pipes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from engine.toys import GATE, write

pty = pytest.importorskip("pty")

PROCESS = Path(__file__).with_name("toy_process.py")


IMPATIENT = (
    "import runpy, sys; import alchemod_cli.progress as progress; progress._PATIENCE = 0; "
    f"runpy.run_path({str(PROCESS)!r}, run_name='__main__')"
)
"""The process, with a progress bar from the start."""


def on_terminal(
    *arguments: str,
    typed: str = "",
    stdout: int | None = None,
    env: Mapping[str, str] = {},
    program: Sequence[str] = (str(PROCESS),),
) -> tuple[int, str]:
    """Run on a terminal of its own, type something, and give back exit code and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *program, *arguments],
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200", **env},
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    return process.wait(timeout=60), shown.decode()


@pytest.mark.parametrize(
    ("answer", "code", "written"), [("y", 0, True), ("yes", 0, True), ("n", 1, False), ("", 1, False)]
)
def test_apply_asks_with_the_counts(project: Path, answer: str, code: int, written: bool) -> None:
    write(project, {"a.py": GATE + "old()\nold()\n", "b.py": GATE + "old()\n"})
    ended, shown = on_terminal("apply", typed=f"{answer}\n")
    assert "Write 3 fixes to 2 files? [y/N]" in shown
    assert ended == code
    assert ("new()" in (project / "a.py").read_text()) is written
    assert ("nothing was written" in shown) is not written


def test_end_of_input_means_no(project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    code, _ = on_terminal("apply", typed="\x04")
    assert code == 1
    assert (project / "a.py").read_text() == GATE + "old()\n"


def test_ctrl_c_at_the_prompt(project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    process = subprocess.Popen(
        [sys.executable, "-c", "import runpy, sys; sys.stdin.isatty = lambda: True; "
         "sys.stdin.readline = lambda: (_ for _ in ()).throw(KeyboardInterrupt); "
         f"sys.argv = ['alchemod', 'apply']; runpy.run_path({str(PROCESS)!r}, run_name='__main__')"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert (project / "a.py").read_text() == GATE + "old()\n"


def test_colour_on_a_terminal_only(project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    _, shown = on_terminal("diff")
    assert "\x1b[32m+new()" in shown
    _, plain = on_terminal("diff", env={"NO_COLOR": "1"})
    assert "\x1b[" not in plain
    assert "+new()" in plain
    _, dumb = on_terminal("diff", env={"TERM": "dumb"})
    assert "\x1b[" not in dumb


def test_a_pipe_gets_plain_bytes_even_beside_a_terminal(project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    reading, writing = os.pipe()
    on_terminal("diff", stdout=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        diff = pipe.read()
    assert diff.startswith(b"diff --git a/a.py b/a.py\n")
    assert b"\x1b" not in diff


def test_a_long_run_shows_its_progress_beside_the_result(project: Path) -> None:
    write(project, {f"{name}.py": GATE + "old()\n" for name in "abc"})
    reading, writing = os.pipe()
    code, shown = on_terminal("check", "--format", "json", stdout=writing, program=("-c", IMPATIENT))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        document = json.loads(pipe.read())
    assert code == 1
    assert len(document["findings"]) == 3
    assert "Analysing" in shown
    assert "100%" in shown
    assert shown.endswith("\x1b[2K"), "the bar is wiped out at the end"


@pytest.mark.parametrize(
    ("arguments", "env", "program"),
    [
        (["check"], {}, (str(PROCESS),)),
        (["check", "--quiet"], {}, ("-c", IMPATIENT)),
        (["check"], {"TERM": "dumb"}, ("-c", IMPATIENT)),
    ],
    ids=["short", "quiet", "dumb"],
)
def test_no_progress_for_a_short_or_quiet_run(
    project: Path, arguments: list[str], env: dict[str, str], program: tuple[str, ...]
) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    code, shown = on_terminal(*arguments, env=env, program=program)
    assert code == 1
    assert "a.py:2:1: ALC901" in shown
    assert "Analysing" not in shown


def test_no_progress_where_the_error_output_is_no_terminal(project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    command = [sys.executable, "-c", IMPATIENT, "check"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert process.returncode == 1
    assert process.stderr == ""


@pytest.mark.parametrize(
    "command", [["check"], ["diff"], ["rules"], ["check", "--format", "json"], ["explain", "ALC001"]]
)
def test_a_closed_pipe_ends_quietly(project: Path, command: list[str]) -> None:
    write(project, {"a.py": GATE + "old()\n" * 800})
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, str(PROCESS), *command], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(writing)
    assert "Traceback" not in process.stderr
    assert "Broken pipe" not in process.stderr
    assert process.returncode in (0, 1)


def test_output_is_utf8_whatever_the_locale(project: Path) -> None:
    write(project, {"ü.py": GATE + "odd\n"})
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    process = subprocess.run([sys.executable, str(PROCESS), "check"], capture_output=True, env=env, timeout=60)
    assert process.returncode == 1
    assert "ü.py:2:1: ALC903" in process.stdout.decode()


def test_the_version_needs_no_framework() -> None:
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "alchemod", "--version"], capture_output=True, text=True, timeout=60
    )
    assert process.stdout.startswith("alchemod 0.")
    assert "typer" not in process.stderr


def test_ctrl_c_while_running(project: Path) -> None:
    write(project, {"a.py": GATE + "old()\n"})
    slow = (
        "import runpy, signal, sys, time, alchemod.runs.analyse as a; sys.argv = ['alchemod', 'check']; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # a test run in the background ignores it
        "a.discover = lambda *rest: (print('running', flush=True), time.sleep(60)); "
        f"runpy.run_path({str(PROCESS)!r}, run_name='__main__')"
    )
    process = subprocess.Popen([sys.executable, "-c", slow], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "alchemod: interrupted\n"
