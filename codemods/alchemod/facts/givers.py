"""Which functions of a project may give rows to their callers, going by their text.

A function that executes a statement and returns something may; so may one that calls such a function and returns
something. Names decide, so this says too much rather than too little: it tells where to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final
from weakref import WeakKeyDictionary

from alchemod.facts.module import FunctionFacts, Module
from alchemod.text.source import SourceFile
from alchemod.text.words import words

_HANDING_ON: Final = (b"return", b"yield")
_BUILT_IN: Final = frozenset(dir(str)) | frozenset(dir(dict)) | frozenset(dir(list)) | frozenset(dir(set))
"""Methods of that name are mostly those of Python's own types."""
_ASKING: Final = (b".query(", b".query.", b"select(", b"scalars(")
"""What stands where objects are asked for; other functions that execute something speak SQL."""
_CALLED: Final = re.compile(rb"(\w+)[ \t]*\(")
_IMPORTS: Final = re.compile(rb"^[ \t]*(?:from|import)[ \t]+[^\n(]*(?:\([^)]*\))?", re.MULTILINE)
_MAX_CALLS: Final = 4
"""So many calls between the function that asks for rows and the one that gets them are followed."""


class Givers:
    """The names of such functions. `modules` gives the facts of the files of a project, `source` the text of a file."""

    def __init__(self, modules: Callable[[], Iterable[Module]], source: Callable[[Module], SourceFile]) -> None:
        self._modules: Final = modules
        self._source: Final = source
        self._bodies: Final[WeakKeyDictionary[Module, dict[str, bytes]]] = WeakKeyDictionary()
        self._words: Final[WeakKeyDictionary[Module, dict[str, set[bytes]]]] = WeakKeyDictionary()
        self._found: frozenset[str] | None = None
        self._bytes: frozenset[bytes] = frozenset()

    def forget(self) -> None:
        """Drop the names: the content of a file changed."""
        self._found = None

    def exported(self, module: Module) -> tuple[set[bytes], set[bytes]]:
        """The names of the functions of a module that ask for rows and return something, and those by which another
        file gets at them: of the functions, of their classes, of the module."""
        asking = [name for name, text in self._handing_on(module).items() if _asks(text)]
        names = {name.rpartition(".")[2] for name in asking if not name.rpartition(".")[2].startswith("__")}
        owners = {name.partition(".")[0] for name in asking} | {module.name.rpartition(".")[2]} if asking else set()
        return {name.encode() for name in names - _BUILT_IN}, {name.encode() for name in owners}

    @property
    def names(self) -> frozenset[str]:
        """The names of functions and methods that may give rows."""
        if self._found is None:
            self._found = frozenset(self._search())
            self._bytes = frozenset(name.encode() for name in self._found)
        return self._found

    def are_named_in(self, text: bytes) -> bool:
        """Whether one of the names stands in some code."""
        return bool(self.names) and not self._bytes.isdisjoint(words(text))

    def _search(self) -> Iterator[str]:
        modules = list(self._modules())
        fresh = {name for module in modules for name, text in self._handing_on(module).items() if _asks(text)}
        met = {name.rpartition(".")[2] for name in fresh}
        for _ in range(_MAX_CALLS):
            known = {name.encode() for name in met}
            found = {
                name.rpartition(".")[2]
                for module in modules
                for name, spoken in self._spoken(module).items()
                if not known.isdisjoint(spoken)
            }
            if found <= met:
                break
            met |= found
        return (name for name in met if not name.startswith("__") and name not in _BUILT_IN)

    def _handing_on(self, module: Module) -> dict[str, bytes]:
        """The texts of the functions of a module that return or yield something, by dotted name."""
        if module not in self._bodies:
            texts = {name: self._text(function) for name, function in module.functions.items()}
            self._bodies[module] = {
                name: text for name, text in texts.items() if any(word in text for word in _HANDING_ON)
            }
        return self._bodies[module]

    def _spoken(self, module: Module) -> dict[str, set[bytes]]:
        """What these functions call, by its last name, themselves left out."""
        if module not in self._words:
            self._words[module] = {
                name: set(_CALLED.findall(text)) - {name.rpartition(".")[2].encode()}
                for name, text in self._handing_on(module).items()
            }
        return self._words[module]

    def _text(self, function: FunctionFacts) -> bytes:
        source = self._source(function.module)
        starts = source.line_starts
        end = starts[function.end_line] if function.end_line < len(starts) else len(source.utf8)
        return source.utf8[starts[function.line - 1] : end]


def _asks(text: bytes) -> bool:
    return any(token in text for token in _ASKING)


def may_use(data: bytes, names: set[bytes], homes: set[bytes]) -> bool:
    """Whether a file may call one of some functions: it has the name of one, and imports it or where it is."""
    present = set(words(data))
    if present.isdisjoint(names) or present.isdisjoint(homes):
        return False
    return not homes.isdisjoint(words(b" ".join(_IMPORTS.findall(data))))
