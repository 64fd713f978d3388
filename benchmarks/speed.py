"""How fast alchemod is: `python benchmarks/speed.py` measures everything in one run, on the open corpus.

CPU time of child processes (user and system), median of several runs; ratios are taken inside the one run, because
machines differ and are busy. Measured are

- the floor: walk the projects, read every Python file, look for the tokens of the first gate;
- the engine: `alchemod.runs.analyse` with all rules that are on, and with ALC201 alone, nothing cached, start-up not
  counted;
- the process: `alchemod diff` as a user runs it, start-up counted;
- the peer: `libcst.tool codemod` with a plain filter_by transformer, on the package of superset only, against
  `alchemod diff` with ALC201 alone, which does the same work, and with all rules;
- the start: `alchemod --version` against `python -c pass`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from corpus import CorpusError, projects

SUPERSET = "apache-superset"
EXAMPLE = Path(__file__).resolve().parent.parent / "fixtures" / "projects" / "shop"
PEERS_RULE = "ALC201"
"""The rule that does what the plain transformer of the peer does."""
AS_INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""pip compiles what it installs; without that, the source of every module would be compiled in each measured run."""
KIBIBYTES = 1 if sys.platform != "darwin" else 1024
"""`ru_maxrss` counts kibibytes on Linux, bytes on macOS."""


@dataclass(frozen=True)
class Cost:
    """What one measured piece of work took."""

    seconds: float
    peak: float
    """Peak memory in MiB."""
    answer: str = ""


def child(command: Sequence[str], cwd: Path | None = None, accepted: Sequence[int] = (0,)) -> Cost:
    """CPU seconds and peak memory of one process; its output is the answer.

    Raises:
        SystemExit: the process ended with a code that is not accepted.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=cwd, env=AS_INSTALLED, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accepted:
            raise SystemExit(f"speed: {' '.join(command)} ended with {process.returncode}")
        output.seek(0)
        answer = output.read().decode("utf-8", "replace")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / KIBIBYTES / 1024, answer)


def median(runs: int, measure: Callable[[], Cost]) -> Cost:
    """The median of some runs, with the highest peak."""
    costs = [measure() for _ in range(runs)]
    seconds = statistics.median(cost.seconds for cost in costs)
    return Cost(seconds, max(cost.peak for cost in costs), costs[-1].answer)


def inside(part: str, folders: Sequence[Path], *rules: str) -> Cost:
    """A part measured by the child itself, so that its start-up does not count; with some rules, or those that are
    on."""
    cost = child([sys.executable, __file__, "--part", part, "--rules", ",".join(rules), *map(str, folders)])
    answer = json.loads(cost.answer)
    return Cost(answer["seconds"], cost.peak, cost.answer)


def walk_floor(folders: Sequence[Path], _: Sequence[str]) -> dict[str, float]:
    """Walk, read, search the tokens; also counts files and lines, outside the measured time."""
    from alchemod.facts.gates import TOKENS

    start = time.process_time()
    contents = []
    passed = 0
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                if name.endswith(".py"):
                    with open(os.path.join(root, name), "rb") as file:
                        data = file.read()
                    passed += any(token in data for token in TOKENS)
                    contents.append(data)
    seconds = time.process_time() - start
    lines = sum(data.count(b"\n") for data in contents)
    return {"seconds": seconds, "files": len(contents), "lines": lines, "passed": passed}


def run_engine(folders: Sequence[Path], rules: Sequence[str]) -> dict[str, float]:
    """Some rules, or all that are on, over each project."""
    from alchemod.runs.analyse import analyse
    from alchemod.settings.options import Settings

    analyse(EXAMPLE, [EXAMPLE], Settings(target="1.4"))  # imports what is imported when it is needed
    start = time.process_time()
    findings = changed = 0
    for folder in folders:
        outcome = analyse(folder, [folder], Settings(select=tuple(rules)))
        findings += len(outcome.findings)
        changed += len(outcome.changes)
    return {"seconds": time.process_time() - start, "findings": findings, "changed": changed}


def whole_process(folders: Sequence[Path], *options: str) -> Cost:
    """`alchemod diff` once per project: the sum of the seconds, the highest peak. Files may be Python 2 (code 2)."""
    command = [sys.executable, "-m", "alchemod", "diff", "--exit-zero", *options]
    costs = [child([*command, str(folder)], accepted=(0, 2)) for folder in folders]
    return Cost(sum(cost.seconds for cost in costs), max(cost.peak for cost in costs))


def libcst_codemod(package: Path) -> Cost:
    """`libcst.tool codemod` over a copy of a package, in one process."""
    with tempfile.TemporaryDirectory(prefix="alchemod-peer-") as folder:
        shutil.copytree(package, Path(folder) / package.name)
        shutil.copy(Path(__file__).with_name("filter_by_codemod.py"), folder)
        command = [sys.executable, "-m", "libcst.tool", "codemod", "-x", "filter_by_codemod.PlainFilterBy"]
        return child([*command, package.name, "--jobs", "1", "--no-format"], cwd=Path(folder))


PARTS: dict[str, Callable[[Sequence[Path], Sequence[str]], dict[str, float]]] = {
    "floor": walk_floor,
    "engine": run_engine,
}


def report(runs: int, with_peer: bool) -> None:
    """Measure everything and print the table."""
    folders = projects()
    superset = next(folder / "superset" for folder in folders if folder.name.startswith(SUPERSET))
    floor = median(runs, lambda: inside("floor", folders))
    size = json.loads(floor.answer)
    engine = median(runs, lambda: inside("engine", folders))
    one_rule = median(runs, lambda: inside("engine", folders, PEERS_RULE))
    process = median(runs, lambda: whole_process(folders))
    print(f"corpus: {size['files']} files, {size['lines']} lines, {size['passed']} pass the first gate")
    print(f"alchemod: {json.loads(engine.answer)['findings']} findings, median of {runs} runs\n")
    print(f"{'':42}{'CPU s':>9}{'lines/s':>12}{'floors':>9}{'peak MiB':>10}")
    costs = {
        "floor": floor,
        f"engine, {PEERS_RULE} alone, cold": one_rule,
        "engine, all rules, cold": engine,
        "alchemod diff, 4 processes": process,
    }
    for name, cost in costs.items():
        rate, floors = size["lines"] / cost.seconds, cost.seconds / floor.seconds
        print(f"{name:42}{cost.seconds:9.3f}{rate:12,.0f}{floors:9.1f}{cost.peak:10.1f}")
    start = median(4 * runs, lambda: child([sys.executable, "-m", "alchemod", "--version"]))
    bare = median(4 * runs, lambda: child([sys.executable, "-c", "pass"]))
    print(f"\nalchemod --version: {start.seconds / bare.seconds:.2f} times python -c pass ({bare.seconds:.3f} s)")
    if with_peer:
        peer = libcst_codemod(superset)
        print(f"superset package: libcst.tool codemod {peer.seconds:.1f} s, {peer.peak:.0f} MiB")
        for name, options in ((f"{PEERS_RULE} alone", ("--select", PEERS_RULE)), ("all rules that are on", ())):
            own = median(runs, partial(whole_process, [superset], "--target", "1.4", *options))
            ratio = peer.seconds / own.seconds
            print(f"  alchemod diff, {name}: {own.seconds:.2f} s, {own.peak:.0f} MiB: {ratio:.0f} times less CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure alchemod on the open corpus.")
    parser.add_argument("--runs", type=int, default=3, help="runs per measurement; the median counts")
    parser.add_argument("--no-peer", action="store_true", help="leave out libcst.tool codemod (about a minute)")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--rules", default="", help=argparse.SUPPRESS)
    parser.add_argument("folders", nargs="*", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        rules = [code for code in given.rules.split(",") if code]
        print(json.dumps(PARTS[given.part](given.folders, rules)))
        return
    try:
        report(given.runs, not given.no_peer)
    except CorpusError as error:
        raise SystemExit(f"speed: {error}") from error


if __name__ == "__main__":
    main()
