"""What a value may be, as far as rows are concerned: where it comes from, and the path that led there."""

from __future__ import annotations

import ast
from typing import Final, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Steps from what a producer gives: the name of a relationship, `[]` an element of a collection, `#1` the second item
of a row. `("[]", "team")` is the team of each row of a list."""

Root: TypeAlias = ast.Call | ast.Attribute | ast.arg
"""Where rows come from: a producer in the function under analysis, an attribute of its object that keeps rows, or one
of its parameters."""

MAX_RELATIONSHIPS: Final = 4
"""Reads are followed over so many relationships. What lies further off is noted as an exposure."""
_MAX_DEPTH: Final = 3
"""Lists in lists are followed so deep."""


class Given(NamedTuple):
    """What `path` leads to, or part of it.

    `many`: a collection whose elements are one step `[]` further; `listed`: a list of such things, for example what a
    comprehension gives, in so many levels. `some`: not each of them, but one or a part, taken by index, slice or
    condition.
    """

    path: Path = ()
    many: bool = False
    listed: int = 0
    some: bool = False


class RowRef(NamedTuple):
    """Something a value may be: what the root `site` gives, or what `path` leads to from there. See `Given`."""

    site: Root
    path: Path = ()
    many: bool = False
    listed: int = 0
    some: bool = False

    def element(self) -> RowRef:
        """An element of the collection."""
        if self.listed:
            return self._replace(listed=self.listed - 1)
        return self._replace(path=(*self.path, "[]"), many=False) if self.many else self._replace(some=True)

    def step(self, name: str, many: bool) -> RowRef:
        """What the member `name` of the object is."""
        return self._replace(path=(*self.path, name), many=many)

    def within(self) -> RowRef:
        """A list, or another container, that has this among its elements."""
        return self._replace(listed=min(self.listed + 1, _MAX_DEPTH))

    def part(self) -> RowRef:
        """Some of the collection."""
        return self._replace(some=True)

    def led(self, given: Given) -> RowRef:
        """What code that was handed this gives back of it."""
        return RowRef(self.site, (*self.path, *given.path), given.many, given.listed, self.some or given.some)


Refs: TypeAlias = frozenset[RowRef]
NOTHING: Final[Refs] = frozenset()


def is_under(path: Path, prefix: Path) -> bool:
    """Whether `path` leads on from `prefix`."""
    return len(path) > len(prefix) and path[: len(prefix)] == prefix


def relationships(path: Path) -> int:
    """Over how many relationships a path leads."""
    return sum(step != "[]" and not step.startswith("#") for step in path)


def within_reach(path: Path) -> Path:
    """The path itself, or as much of it as is followed."""
    while relationships(path) > MAX_RELATIONSHIPS:
        path = path[:-1]
    return path
