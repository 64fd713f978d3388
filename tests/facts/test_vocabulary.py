"""What is said of SQLAlchemy's names holds in each version."""

from __future__ import annotations

from alchemod.facts.vocabulary import PUBLIC_HOMES
from bench.execution import Bench, Program

_MODULES = {"events", "schema", "util"}
"""Submodules, of which each package has its own."""


def test_public_homes(bench: Bench) -> None:
    """A class or function that two of the modules have under one name is the same."""
    lines = ["from importlib import import_module"]
    for module, home in PUBLIC_HOMES.items():
        lines += [
            f"inner, outer = import_module({module!r}), import_module({home!r})",
            f"both = {{name for name in {{*dir(inner)}} & {{*dir(outer)}} if name[0] != '_'}} - {_MODULES!r}",
            "print(sorted(name for name in both if getattr(inner, name) is not getattr(outer, name)))",
            "assert len(both) > 3",
        ]
    program = Program({"main.py": "\n".join(lines).encode()}, "main.py")
    for run in bench.run((version, program) for version in ("1.4", "2.0", "2.1")):
        assert run.error is None, run.traceback
        assert run.stdout.splitlines() == ["[]"] * len(PUBLIC_HOMES)
