"""In which files of a project a name occurs as a word."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from alchemod.text.words import mentions, words

_MAX_ONE_BY_ONE: Final = 10


class Mentions:
    """The files in which names occur, in the order of `contents`, which gives what every file holds.

    `names` are those that may be asked for. The first ones that are asked for are looked for one by one; then all names
    in one pass over the files (measured: 90 ms for the pass over 12 MB of source, 4 ms for one name).
    """

    def __init__(self, contents: Callable[[], Mapping[Path, bytes]], names: Iterable[bytes]) -> None:
        self._contents: Final = contents
        self._left = frozenset(names)
        self._files: Final[dict[bytes, list[Path]]] = {}
        self._ranks: Final = {path: rank for rank, path in enumerate(contents())}

    def of(self, name: bytes) -> Sequence[Path]:
        """The files that mention a name."""
        if name in self._left and len(self._files) >= _MAX_ONE_BY_ONE:
            self._look_for_all()
        if name not in self._files:
            self._files[name] = [path for path, data in self._contents().items() if mentions(data, name)]
        return self._files[name]

    def _look_for_all(self) -> None:
        wanted = self._left - self._files.keys()
        self._left = frozenset()
        self._files.update((name, []) for name in wanted)
        for path, data in self._contents().items():
            for name in wanted.intersection(words(data)):
                self._files[name].append(path)

    def update(self, path: Path, before: bytes, now: bytes) -> None:
        """Take note that a file holds something else now."""
        gone, come = self._files.keys() & words(before), self._files.keys() & words(now)
        for name in gone - come:
            self._files[name].remove(path)
        for name in come - gone:
            insort(self._files[name], path, key=self._rank)

    def _rank(self, path: Path) -> int:
        return self._ranks.setdefault(path, len(self._ranks))
