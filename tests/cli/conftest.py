"""A command line over toy rules, in this process or in one of its own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from alchemod.engine.registry import Registry
from alchemod_cli.app import run
from engine.toys import TOYS


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that is the working directory; the journal is kept apart."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "p"\ndependencies = ["sqlalchemy>=1.4,<2.1"]\n')
    monkeypatch.setenv("ALCHEMOD_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(root)
    return root


class _Stream(io.TextIOWrapper):
    """A text stream over bytes, as standard output is."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(io.BytesIO(content), encoding="latin-1", newline="")

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode("utf-8", "surrogateescape")


@pytest.fixture
def alchemod(project: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs one command over the toy rules."""
    monkeypatch.setattr("alchemod.runs.analyse.known_rules", lambda: Registry.of(*TOYS))
    monkeypatch.setattr("alchemod.runs.migrate.known_rules", lambda: Registry.of(*TOYS))
    monkeypatch.setattr("alchemod.rules._index.registry", lambda: Registry.of(*TOYS))

    def command(*arguments: str, stdin: bytes = b"") -> Ran:
        out, err = _Stream(), _Stream()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        monkeypatch.setattr(sys, "stdin", _Stream(stdin))
        code = run(arguments)
        return Ran(code, out.text(), err.text())

    return command
