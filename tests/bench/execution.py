"""Programs run under the pinned SQLAlchemy versions: one worker process per version, one fork per program."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.installs import installed

TRANSACTION_STEPS = frozenset(
    {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"}
)


class ProgramError(Exception):
    """The bench could not run a program to its end: it hung, died, or the worker failed."""


@dataclass(frozen=True)
class Scenario:
    """An expression to evaluate once a program has run: what it does is what counts then.

    `close_early` takes one element of the generator it gives and closes it. `fail_at` is the step of the driver (a
    statement or a commit, counted from 1) that fails; None for none.
    """

    expression: str
    close_early: bool = False
    fail_at: int | None = None

    def __str__(self) -> str:
        closed = ", closed early" if self.close_early else ""
        return f"{self.expression}{closed}" + (f", step {self.fail_at} failing" if self.fail_at else "")


@dataclass(frozen=True)
class Program:
    """Files by relative path, which of them is run, and what is played then."""

    files: Mapping[str, bytes]
    main: str
    scenario: Scenario | None = None


@dataclass(frozen=True)
class Statement:
    """One statement as the driver gets it, or one transaction step (`BEGIN`, `COMMIT`, ...)."""

    sql: str
    parameters: str = "()"
    many: bool = False

    @property
    def is_step(self) -> bool:
        return self.sql in TRANSACTION_STEPS

    def __str__(self) -> str:
        return " ".join(self.sql.split()) + ("" if self.parameters == "()" else f"  {self.parameters}")


@dataclass(frozen=True)
class Run:
    """What one program did: output, escaped exception, SQL sent, committed rows, connections kept."""

    version: str
    stdout: str
    error: str | None
    """Class and first line of the message of the exception that escaped."""
    traceback: str
    statements: tuple[Statement, ...]
    databases: tuple[str, ...]
    """Committed content of each SQLite database, as SQL."""
    checked_out: int
    """Connections that no pool had back when the program ended."""
    peak_checked_out: int
    held: int = 0
    """Connections that no pool had back before the garbage collector ran."""

    @property
    def queries(self) -> tuple[Statement, ...]:
        """The statements without transaction steps."""
        return tuple(statement for statement in self.statements if not statement.is_step)

    @property
    def steps(self) -> int:
        """The statements and commits: what a fault can hit."""
        return len(self.queries) + self.commits

    @property
    def commits(self) -> int:
        return sum(statement.sql == "COMMIT" for statement in self.statements)


class Worker:
    """The process that runs programs under one SQLAlchemy version."""

    def __init__(self, version: str) -> None:
        self.version = version
        script = Path(__file__).with_name("worker.py")
        command = [sys.executable, "-I", "-X", "utf8", "-W", "ignore", str(script), str(installed(version))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, program: Program) -> Run:
        """Run a program and wait for its end.

        Raises:
            ProgramError: the program did not come to its end.
        """
        files = {name: content.decode("latin-1") for name, content in program.files.items()}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"files": files, "program": program.main, "scenario": program.scenario and asdict(program.scenario)}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ProgramError(f"the bench worker for SQLAlchemy {self.version} died; its stderr says why")
        answer = json.loads(line)
        if "failure" in answer:
            raise ProgramError(f"SQLAlchemy {self.version}: {answer['failure']}")
        error = answer["error"]
        return Run(
            version=self.version,
            stdout=answer["stdout"],
            error=error and f"{error['type']}: {error['message']}".splitlines()[0],
            traceback=error["traceback"] if error else "",
            statements=tuple(Statement(**sent) for sent in answer["statements"]),
            databases=tuple(answer["databases"]),
            checked_out=answer["checked_out"],
            peak_checked_out=answer["peak_checked_out"],
            held=answer["held"],
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Bench:
    """Workers for the versions in use, started when first needed."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}

    def run(self, jobs: Iterable[tuple[str, Program]]) -> list[Run]:
        """Run each program under its version, versions side by side; results in the order of `jobs`.

        Raises:
            InstallError: a version could not be installed.
            ProgramError: a program hung or died.
        """
        ordered = list(jobs)
        positions: dict[str, list[int]] = {}
        for position, (version, _) in enumerate(ordered):
            positions.setdefault(version, []).append(position)
        self._start(positions.keys() - self._workers.keys())

        def run_version(version: str) -> list[Run]:
            return [self._workers[version].run(ordered[position][1]) for position in positions[version]]

        runs: dict[int, Run] = {}
        with ThreadPoolExecutor() as pool:
            for version, done in zip(positions, pool.map(run_version, positions), strict=True):
                runs.update(zip(positions[version], done, strict=True))
        return [runs[position] for position in range(len(ordered))]

    def _start(self, versions: Iterable[str]) -> None:
        missing = sorted(versions)
        with ThreadPoolExecutor() as pool:
            self._workers.update(zip(missing, pool.map(Worker, missing), strict=True))

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()
