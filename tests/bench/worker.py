"""Runs programs under one SQLAlchemy and records what they do. A script of its own, started by `execution`.

It imports SQLAlchemy once, then forks per program: a request is one line of JSON on stdin (`files`,
`program`, perhaps `scenario`), the answer one line of JSON on stdout (the keys are those of `record`, or `failure`
alone).
Only the standard library and SQLAlchemy are on its path.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import traceback
import types
from collections.abc import AsyncGenerator, Callable
from typing import Any, BinaryIO

SECONDS_PER_PROGRAM = 60
STEPS = {
    "begin": "BEGIN",
    "commit": "COMMIT",
    "rollback": "ROLLBACK",
    "savepoint": "SAVEPOINT",
    "rollback_savepoint": "ROLLBACK TO SAVEPOINT",
    "release_savepoint": "RELEASE SAVEPOINT",
}
"""Connection events and what they are called in the record."""
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


class Fault:
    """Lets one step of the driver fail, counted from when it is armed: an executed statement or a commit."""

    def __init__(self) -> None:
        self._left: int | None = None

    def arm(self, at: int | None) -> None:
        """Let the step number `at` from now on fail, the first one being 1; None for no step."""
        self._left = at

    def step(self) -> None:
        """Count one step. Raises sqlite3.OperationalError when it is its turn."""
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                raise sqlite3.OperationalError("injected failure")


FAULT = Fault()


class FallibleCursor(sqlite3.Cursor):
    """A cursor whose statements can be made to fail."""

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        FAULT.step()
        return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        FAULT.step()
        return super().executemany(*arguments)


class Databases:
    """Every SQLite database the program opens, so that the committed rows can be read in the end."""

    def __init__(self) -> None:
        self._open: list[tuple[str, sqlite3.Connection]] = []
        self._files: set[str] = set()
        self._closed_memory: list[str] = []
        self._lock = threading.RLock()  # drivers close connections on threads of their own
        self._genuine_connect: Callable[..., sqlite3.Connection] = sqlite3.connect
        sqlite3.connect = sqlite3.dbapi2.connect = self._connect  # type: ignore[assignment]

    def _connect(self, database: Any, *args: Any, **keywords: Any) -> sqlite3.Connection:
        keywords.setdefault("factory", self._connection_class())
        keywords["check_same_thread"] = False  # the rows are read on the main thread in the end
        connection = self._genuine_connect(database, *args, **keywords)
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        self._open.append((path, connection))
        if path:
            self._files.add(path)
        return connection

    def _connection_class(self) -> type[sqlite3.Connection]:
        forget = self._forget

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = FallibleCursor) -> Any:
                return super().cursor(factory)

            def commit(self) -> None:
                FAULT.step()
                super().commit()

            def close(self) -> None:
                forget(self)
                super().close()

        return Connection

    def _forget(self, closing: sqlite3.Connection) -> None:
        """Keep the committed rows of an in-memory database that is about to vanish."""
        with self._lock:
            for entry in self._open:
                path, connection = entry
                if connection is closing:
                    self._open.remove(entry)
                    if not path:
                        self._closed_memory.append(_committed(connection))
                    return

    def dumps(self) -> list[str]:
        """The committed content of each database, as SQL: in-memory ones first, sorted, then files by name."""
        with self._lock:
            for path, connection in self._open:
                if path:
                    connection.rollback()
                else:
                    self._closed_memory.append(_committed(connection))
            files = filter(os.path.exists, sorted(self._files))
            dumps = sorted(self._closed_memory) + [_committed(self._genuine_connect(path)) for path in files]
            return [dump for dump in dumps if dump]


def _committed(connection: sqlite3.Connection) -> str:
    connection.rollback()
    connection.row_factory = None
    lines = [line for line in connection.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;")]
    return "\n".join(lines)


class Recorder:
    """What SQLAlchemy sends: statements with their parameters, transaction steps, connections in use."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.checked_out = 0
        self.peak_checked_out = 0

    def restart(self) -> None:
        """Forget what was sent so far; connections in use stay counted."""
        self.sent.clear()
        self.peak_checked_out = self.checked_out

    def listen(self) -> None:
        """Hear every engine and pool of the process (SQLAlchemy, "Core Events": listeners on a class)."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        from sqlalchemy.pool import Pool

        event.listen(Engine, "before_cursor_execute", self._statement)
        for name, sql in STEPS.items():
            event.listen(Engine, name, lambda *_, sql=sql: self._step(sql))
        event.listen(Pool, "checkout", self._checkout)
        event.listen(Pool, "checkin", self._checkin)

    def _statement(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        self.sent.append({"sql": statement, "parameters": repr(parameters), "many": executemany})

    def _step(self, sql: str) -> None:
        self.sent.append({"sql": sql, "parameters": "()", "many": False})

    def _checkout(self, dbapi_connection: Any, record: Any, proxy: Any) -> None:
        self.checked_out += 1
        self.peak_checked_out = max(self.peak_checked_out, self.checked_out)

    def _checkin(self, dbapi_connection: Any, record: Any) -> None:
        self.checked_out -= 1


def record(program: str, scenario: dict[str, Any] | None) -> dict[str, Any]:
    """Run `program`, a path in the working folder, as `__main__`; returns the answer of the protocol.

    With a scenario, what is recorded is only what its expression does once the program has ended.
    """
    databases, recorder = Databases(), Recorder()
    recorder.listen()
    sys.argv = [program]
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    sys.dont_write_bytecode = True
    module = types.ModuleType("__main__")
    module.__file__ = program
    sys.modules["__main__"] = module
    printed = sys.stdout = io.StringIO()
    complained = sys.stderr = io.StringIO()
    error: dict[str, str] | None = None
    try:
        with open(program, "rb") as source:
            exec(compile(source.read(), program, "exec"), module.__dict__)
        if scenario is not None:
            gc.collect()
            recorder.restart()
            printed = sys.stdout = io.StringIO()
            print(play(scenario, module.__dict__))
    except BaseException as raised:
        kind = type(raised)
        error = {
            "type": f"{kind.__module__}.{kind.__qualname__}",
            "message": _ADDRESS.sub("0x", str(raised)),
            "traceback": traceback.format_exc(),
        }
        del raised
    FAULT.arm(None)
    held = recorder.checked_out
    gc.collect()
    return {
        "stdout": _ADDRESS.sub("0x", printed.getvalue()),
        "stderr": complained.getvalue(),
        "error": error,
        "statements": recorder.sent,
        "databases": databases.dumps(),
        "checked_out": recorder.checked_out,
        "held": held,
        "peak_checked_out": recorder.peak_checked_out,
    }


def play(scenario: dict[str, Any], names: dict[str, Any]) -> str:
    """Evaluate the expression of a scenario: a coroutine is awaited, a generator goes to its end.

    `close_early` takes one element of the generator and closes it. `fail_at` lets that step of the driver fail.
    """
    FAULT.arm(scenario["fail_at"])
    value = eval(scenario["expression"], names)
    if inspect.iscoroutine(value):
        return repr(asyncio.run(value))
    if inspect.isasyncgen(value):
        return repr(asyncio.run(_drained(value, scenario["close_early"])))
    if not inspect.isgenerator(value):
        return repr(value)
    if not scenario["close_early"]:
        return repr(list(value))
    first = next(value, None)
    value.close()
    return repr(first)


async def _drained(generator: AsyncGenerator[Any, None], close_early: bool) -> Any:
    got = []
    async for element in generator:
        got.append(element)
        if close_early:
            await generator.aclose()
            break
    return got


def run_forked(request: dict[str, Any]) -> dict[str, Any]:
    """Write the files of `request` into a temporary folder and record its program in a forked child."""
    folder = tempfile.mkdtemp(prefix="alchemod-bench-")
    try:
        for name, content in request["files"].items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content.encode("latin-1"))
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(folder, request["program"], request.get("scenario"), writing)
        os.close(writing)
        with open(reading, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        if not answer:
            code = os.waitstatus_to_exitcode(status)
            reason = f"ran for {SECONDS_PER_PROGRAM} s" if code == -signal.SIGALRM else f"died with {code}"
            return {"failure": f"the program {reason}"}
        decoded: dict[str, Any] = json.loads(answer)
        return decoded
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _child(folder: str, program: str, scenario: dict[str, Any] | None, writing: int) -> None:
    try:
        signal.alarm(SECONDS_PER_PROGRAM)
        os.chdir(folder)
        answer = record(program, scenario)
    except BaseException:
        answer = {"failure": traceback.format_exc()}
    with open(writing, "wb") as pipe:
        pipe.write(json.dumps(answer).encode())
    os._exit(0)


def warm_up() -> None:
    """Import and use once what nearly every program needs, so that the forked children start with it."""
    import aiosqlite  # noqa: F401
    import sqlalchemy.ext.associationproxy
    import sqlalchemy.ext.asyncio
    import sqlalchemy.ext.declarative
    import sqlalchemy.ext.hybrid  # noqa: F401
    from sqlalchemy import Column, Integer, create_engine
    from sqlalchemy.orm import Session, declarative_base

    class Row(declarative_base()):  # type: ignore[misc]
        __tablename__ = "row"
        id = Column(Integer, primary_key=True)

    engine = create_engine("sqlite://")
    Row.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Row(id=1))
        session.commit()
        session.query(Row).all()
    engine.dispose()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests, line by line, until the other end closes."""
    warm_up()
    assert threading.active_count() == 1, "forking needs a single thread"
    for line in requests:
        answers.write(json.dumps(run_forked(json.loads(line))).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    serve(sys.stdin.buffer, protocol)
