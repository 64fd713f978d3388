"""Which tests prepare a chain of calls on a mock, so that a rewrite of the chain breaks them (fact of the project)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alchemod.facts.mocks import may_pin, pinned
from alchemod.facts.outer_assignments import assigned_from_outside
from alchemod.facts.pins import Pin, Pins
from alchemod.facts.project import Project
from alchemod.text.problem import FileError


class Pinning:
    """The pins of a project's tests, read when a chain is asked for. Only files that hold its last name are parsed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pins: dict[str, Pins] = {}
        self._of_file: dict[Path, tuple[Pin, ...]] = {}
        self._generation = project.generation

    def of(self, chain: Sequence[str]) -> Pin | None:
        """The first pin of the last name of `chain`, reached through those before it; None when no test pins it."""
        return self._of_name(chain[-1]).of(chain)

    def replaced(self, name: str, *modules: str) -> str | None:
        """Where a name of one of these modules is replaced: patched by a test, or assigned from another file."""
        pin = self._of_name(name).patched(*(f"{module}.{name}" for module in modules))
        return str(pin) if pin is not None else assigned_from_outside(name, self._project)

    def _of_name(self, name: str) -> Pins:
        if self._generation != self._project.generation:
            self._pins.clear()
            self._of_file.clear()
            self._generation = self._project.generation
        if name not in self._pins:
            self._pins[name] = Pins(pin for path in self._project.files_mentioning(name) for pin in self._in(path))
        return self._pins[name]

    def _in(self, path: Path) -> tuple[Pin, ...]:
        """The pins of one file, of whatever name."""
        if path not in self._of_file:
            self._of_file[path] = self._read(path)
        return self._of_file[path]

    def _read(self, path: Path) -> tuple[Pin, ...]:
        shown = self._project.displayed(path)
        try:
            return pinned(self._project.tree(path), shown) if may_pin(shown, self._project.source(path).utf8) else ()
        except FileError:
            return ()
