"""Which files may call functions that give rows, going by the words in them and by what they import.

A file may that has the name of such a function, and imports the function or where it is. One that only imports a module
which imports that in turn may when it calls the name and few modules define such a name; so may one that calls a
function which hands on what another one gives.
"""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from alchemod.facts.givers import Givers
from alchemod.facts.module import Module
from alchemod.text.words import calls, words

_DEFINED: Final = re.compile(rb"def[ \t]+(\w+)")
_IMPORTS: Final = re.compile(rb"\n[ \t]*+(?:from|import)[ \t]+[^\n(]*+(?:\([^)]*+\))?")
_BUILTINS: Final = frozenset(map(str.encode, dir(builtins)))
_MAX_DEFINITIONS: Final = 3
"""A name that more files give to functions tells little."""


class Users:
    """Finds such files, while more and more modules become known. `name_of` gives the name of the module in a file."""

    def __init__(self, givers: Givers, name_of: Callable[[Path], str]) -> None:
        self._givers: Final = givers
        self._name_of: Final = name_of
        self._exported: Final[dict[bytes, set[bytes]]] = {}
        """The functions, each with what other files import to call it."""
        self._distinct: Final[set[bytes]] = set()
        """Those, and functions that hand on what they give, whose names are rare."""
        self._leading: Final[set[bytes]] = set()
        """Modules that import such a function or where it is, or a module that does."""
        self._led: Final[set[bytes]] = set()
        self._imported: Final[dict[Path, set[bytes]]] = {}
        self._importers: Final[dict[bytes, list[Path]]] = {}
        self._defined: Final[Counter[bytes]] = Counter()

    def among(self, files: Mapping[Path, bytes], modules: Sequence[Module]) -> set[Path]:
        """Those of the files that may call such a function. `modules` are those that became known since the last
        time."""
        for path, data in (*files.items(), *((module.path, self._givers.content(module)) for module in modules)):
            self._note(path, data)
        self._learn(modules)
        if not self._exported:
            return set()
        self._lead_on()
        return {path for path, data in files.items() if self._may_call(path, data)}

    def _note(self, path: Path, data: bytes) -> None:
        if path not in self._imported:
            self._imported[path] = set(words(b" ".join(_IMPORTS.findall(b"\n" + data))))
            for name in self._imported[path]:
                self._importers.setdefault(name, []).append(path)
            self._defined.update(set(_DEFINED.findall(data)))

    def _learn(self, modules: Sequence[Module]) -> None:
        for module in modules:
            for name, homes in self._givers.exported(module).items():
                self._exported.setdefault(name, set()).update(homes)
                self._leading.update(homes)
                self._note_distinct(name)
        for module in modules:
            for name in self._givers.wrapping(module, self._distinct):
                self._note_distinct(name)

    def _note_distinct(self, name: bytes) -> None:
        if self._defined[name] <= _MAX_DEFINITIONS and name not in _BUILTINS:
            self._distinct.add(name)

    def _lead_on(self) -> None:
        fresh = self._leading - self._led
        while fresh:
            self._led.update(fresh)
            importing = {path for name in fresh for path in self._importers.get(name, ())}
            self._leading.update(self._name_of(path).rpartition(".")[2].encode() for path in importing)
            fresh = self._leading - self._led

    def _may_call(self, path: Path, data: bytes) -> bool:
        imported = self._imported[path]
        if self._leading.isdisjoint(imported):
            return False
        named = set(words(data))
        if any(calls(data, name) for name in named & self._distinct):
            return True
        return any(not imported.isdisjoint(self._exported[name]) for name in self._exported.keys() & named)
