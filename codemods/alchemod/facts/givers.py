"""Which functions of a project may give rows to their callers, going by their text.

A function that executes a statement and returns something may; so may one that calls such a function and returns
something. Names decide, so this says too much rather than too little: it tells where to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Set
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
_CALLED: Final = re.compile(rb"\b(\w++)[ \t]*+\(")
"""Possessive, so that a word which nothing is called by is not tried again letter by letter (a fifth of the time)."""
_ASSIGNED: Final = re.compile(rb"[ \t]*self\.(\w+)[ \t]*(?::[^=\n]+)?=(?!=)[ \t]*(.*)")
_SETTING: Final = re.compile(rb"^[ \t]*self\.\w[^\n]*(?:=|\.append\(|\.extend\(|\.insert\()", re.MULTILINE)
_PUT: Final = re.compile(
    rb"[ \t]*self\.(\w+)(?:[^\n=(]*\.(?:append|extend|insert|setdefault)\(|\[[^\n]*\][ \t]*=(?!=))"
)
_MAX_CALLS: Final = 4
"""So many calls between the function that asks for rows and the one that gets them are followed."""


class Givers:
    """The names of such functions. `modules` gives the facts of the files of a project, `source` the text of a file."""

    def __init__(self, modules: Callable[[], Iterable[Module]], source: Callable[[Module], SourceFile]) -> None:
        self._modules: Final = modules
        self._source: Final = source
        self._bodies: Final[WeakKeyDictionary[Module, dict[str, bytes]]] = WeakKeyDictionary()
        self._asking: Final[WeakKeyDictionary[Module, list[str]]] = WeakKeyDictionary()
        self._callers: Final[WeakKeyDictionary[Module, dict[bytes, set[str]]]] = WeakKeyDictionary()
        self._puts: Final[WeakKeyDictionary[Module, list[bytes]]] = WeakKeyDictionary()
        self._found: frozenset[str] | None = None
        self._kept: frozenset[str] | None = None
        self._bytes: frozenset[bytes] | None = None

    def forget(self) -> None:
        """Drop the names: the content of a file changed."""
        self._found = self._kept = self._bytes = None

    def exported(self, module: Module) -> dict[bytes, set[bytes]]:
        """The names of the functions of a module that ask for rows and return something, each with the names by which
        another file gets at it: of the function, of its class, of the module."""
        exported: dict[bytes, set[bytes]] = {}
        home = module.name.rpartition(".")[2].encode()
        for dotted in self._asking_in(module):
            name = dotted.rpartition(".")[2]
            if not name.startswith("__") and name not in _BUILT_IN:
                exported.setdefault(name.encode(), {home}).add(dotted.partition(".")[0].encode())
        return exported

    def wrapping(self, module: Module, known: Set[bytes]) -> set[bytes]:
        """The names of the functions of a module that hand on what one of the `known` functions gives."""
        callers = self._callers_in(module)
        called: dict[str, list[bytes]] = {}
        for word in known & callers.keys():
            for name in callers[word]:
                called.setdefault(name, []).append(word)
        texts = ((dotted.rpartition(".")[2], text) for dotted, text in self._handing_on(module).items())
        found = {name for name, text in texts if any(_hands_on(text, word) for word in called.get(name, ()))}
        return {name.encode() for name in found - _BUILT_IN if not name.startswith("__")}

    def content(self, module: Module) -> bytes:
        """The text of the file of a module."""
        return self._source(module).utf8

    @property
    def names(self) -> frozenset[str]:
        """The names of functions and methods that may give rows."""
        if self._found is None:
            self._found = frozenset(self._search())
        return self._found

    @property
    def keeping(self) -> frozenset[str]:
        """The names of attributes that a function which asks for rows, or calls one of these, may keep rows in."""
        if self._kept is None:
            known = frozenset(name.encode() for name in self.names)
            found = {
                name
                for module in self._modules()
                for text in self._keeping_in(module)
                if _asks(text) or not known.isdisjoint(words(text))
                for name in _kept_in(text, known)
            }
            self._kept = frozenset(name.decode() for name in found)
        return self._kept

    def may_give_in(self, text: bytes) -> bool:
        """Whether some code asks for rows, or names a function that may give some."""
        return _asks(text) or not self.names.isdisjoint(word.decode() for word in words(text))

    def are_named_in(self, text: bytes) -> bool:
        """Whether one of the names stands in some code, or that of an attribute which may keep rows."""
        if self._bytes is None:
            self._bytes = frozenset(name.encode() for name in self.names | self.keeping)
        return not self._bytes.isdisjoint(words(text))

    def _search(self) -> Iterator[str]:
        modules = list(self._modules())
        fresh = {name.rpartition(".")[2] for module in modules for name in self._asking_in(module)}
        met = set(fresh)
        for _ in range(_MAX_CALLS):
            called = {name.encode() for name in fresh}
            calling = map(self._callers_in, modules)
            fresh = {name for callers in calling for word in called & callers.keys() for name in callers[word]} - met
            if not fresh:
                break
            met |= fresh
        return (name for name in met if not name.startswith("__") and name not in _BUILT_IN)

    def _asking_in(self, module: Module) -> list[str]:
        """The functions of a module that ask for rows and return something, by dotted name."""
        if module not in self._asking:
            self._asking[module] = [name for name, text in self._handing_on(module).items() if _asks(text)]
        return self._asking[module]

    def _handing_on(self, module: Module) -> dict[str, bytes]:
        """The texts of the functions of a module that return or yield something, by dotted name."""
        if module not in self._bodies:
            texts = {name: self._text(function) for name, function in module.functions.items()}
            self._bodies[module] = {
                name: text for name, text in texts.items() if any(word in text for word in _HANDING_ON)
            }
        return self._bodies[module]

    def _callers_in(self, module: Module) -> dict[bytes, set[str]]:
        """The last names of these functions by the last names of what they call, themselves left out."""
        if module not in self._callers:
            callers: dict[bytes, set[str]] = {}
            for dotted, text in self._handing_on(module).items():
                name = dotted.rpartition(".")[2]
                for called in set(_CALLED.findall(text)) - {name.encode()}:
                    callers.setdefault(called, set()).add(name)
            self._callers[module] = callers
        return self._callers[module]

    def _keeping_in(self, module: Module) -> list[bytes]:
        """The texts of the functions of a module that put something into attributes of their object."""
        if module not in self._puts:
            texts = map(self._text, module.functions.values())
            self._puts[module] = [text for text in texts if b"self." in text and _SETTING.search(text)]
        return self._puts[module]

    def _text(self, function: FunctionFacts) -> bytes:
        return self._source(function.module).lines(function.line, function.end_line)


def _asks(text: bytes) -> bool:
    return any(token in text for token in _ASKING)


def _kept_in(text: bytes, givers: frozenset[bytes]) -> Iterator[bytes]:
    """The attributes that a function assigns what it asks for, or a variable that it has assigned, or puts something
    into."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if (put := _PUT.match(line)) is not None:
            yield put[1]
        elif (assigned := _ASSIGNED.match(line)) is not None:
            value = assigned[2].strip()
            if value.endswith((b"(", b"[")):
                value = b" ".join(lines[number : number + 4])
            if (
                _asks(value)
                or not givers.isdisjoint(words(value))
                or (
                    re.fullmatch(rb"\w+", value)
                    and re.search(rb"^[ \t]*" + value + rb"[ \t]*=(?!=)", text, re.MULTILINE)
                )
            ):
                yield assigned[1]


def _hands_on(text: bytes, name: bytes) -> bool:
    """Whether a function returns or yields what a call of `name` gives, at once or by a variable."""
    for line in map(bytes.strip, text.splitlines()):
        if name not in line:
            continue
        if line.startswith(_HANDING_ON):
            return True
        held = re.match(rb"(\w+)[ \t]*=(?!=)", line)
        if held is not None and re.search(rb"\b(?:return|yield)\b.*\b" + held[1] + rb"\b", text):
            return True
    return False
