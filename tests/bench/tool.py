"""alchemod as the tests use it: one place to change when the product's surface does."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.installs import pins

_DEPENDENCY_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")


@dataclass(frozen=True)
class Found:
    """One finding of the JSON output, as far as the tests look at it."""

    path: str
    line: int
    code: str
    safety: str
    message: str
    why: tuple[str, ...]
    missing: str | None


@dataclass(frozen=True)
class Refactored:
    """What one run of the tool said and wrote."""

    findings: tuple[Found, ...]
    files: Mapping[str, bytes]
    """Content after the run, by relative path."""
    errors: tuple[str, ...]


def apply(files: Mapping[str, bytes], versions: Sequence[str], *options: str) -> Refactored:
    """Run `alchemod apply` over a project made of `files` that allows SQLAlchemy `versions` (series).

    Raises:
        AssertionError: the exit code is neither 0 nor 1.
    """
    with tempfile.TemporaryDirectory(prefix="alchemod-case-") as folder:
        root = Path(folder).resolve()
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if not any(name in files for name in _DEPENDENCY_FILES):
            (root / "pyproject.toml").write_text(_project(versions), "utf-8")
        code, output, complaint = command_line("apply", "--yes", "--format", "json", *options, str(root))
        assert code in (0, 1), f"alchemod apply ended with {code}: {complaint or output}"
        document = json.loads(output)
        return Refactored(
            findings=tuple(
                Found(
                    path=found["path"],
                    line=found["line"],
                    code=found["code"],
                    safety=found["safety"],
                    message=found["message"],
                    why=_texts(found["why"]),
                    missing=found["missing"],
                )
                for found in document["findings"]
            ),
            files={name: (root / name).read_bytes() for name in files},
            errors=tuple(f"{error['path']}:{error['line']}: {error['message']}" for error in document["errors"]),
        )


def _project(versions: Sequence[str]) -> str:
    """A `pyproject.toml` that allows just the series from the first to the last of `versions`."""
    oldest = pins()["sqlalchemy"][versions[0]]
    newest = pins()["sqlalchemy"][versions[-1]]
    allowed = f"SQLAlchemy>={oldest},<={newest}"
    return f'[project]\nname = "case"\nversion = "0"\ndependencies = ["{allowed}"]\n'


def _texts(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def command_line(*arguments: str) -> tuple[int, str, str]:
    """Run `alchemod` with `arguments` in this process; exit code, stdout and stderr."""
    from alchemod_cli.app import run

    stdout, stderr = _Captured(), _Captured()
    with _state_folder(), contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            code = run(list(arguments))
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    return code or 0, stdout.text(), stderr.text()


class _Captured(io.TextIOWrapper):
    """A text stream with a `buffer`, as the product writes bytes of diffs."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")

    def text(self) -> str:
        self.flush()
        raw = self.buffer.getvalue() if isinstance(self.buffer, io.BytesIO) else b""
        return raw.decode("utf-8", "backslashreplace")


@contextlib.contextmanager
def whole_modules() -> Iterator[None]:
    """Render every fix from one LibCST tree of its module, the slow path, while this lasts."""
    from alchemod.edits import rewrite as rewriting

    usual = rewriting.rewrite
    rewriting.rewrite = functools.partial(usual, whole_module=True)  # type: ignore[assignment]
    try:
        yield
    finally:
        rewriting.rewrite = usual


@contextlib.contextmanager
def _state_folder() -> Iterator[None]:
    """Keep the journal of the run out of the user's state folder."""
    kept = {name: os.environ.get(name) for name in ("XDG_STATE_HOME", "LOCALAPPDATA")}
    with tempfile.TemporaryDirectory(prefix="alchemod-state-") as folder:
        os.environ.update(dict.fromkeys(kept, folder))
        try:
            yield
        finally:
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
