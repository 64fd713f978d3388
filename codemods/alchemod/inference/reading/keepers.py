"""Rows that objects keep: an attribute that one method of a class is given rows in, for others to read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import ClassFacts, FunctionFacts
from alchemod.inference.rows.reads import Returned
from alchemod.inference.rows.refs import RowRef
from alchemod.inference.values import Place

if TYPE_CHECKING:
    from alchemod.inference.reading.sources import RowSources
    from alchemod.inference.reading.table import Readings

_MAX_METHODS: Final = 20


class Keepers:
    """Answers for one project."""

    def __init__(self, readings: Readings) -> None:
        self._readings: Final = readings
        self._of_class: Final = cache(self._find_in_class)
        self._is_set_outside: Final = cache(self._find_set_outside)

    def rows(self, attribute: ast.Attribute, inside: Place) -> tuple[Returned, RowSources] | None:
        """The rows that an attribute of the own object of the method `inside` keeps, and what is known of them where
        they were asked for; None when they are not seen, or come from several queries."""
        project = self._readings.resolver.project
        if attribute.attr not in project.givers.keeping or not isinstance(inside.scope.node, ast.FunctionDef):
            return None
        method = self._readings.inference.resolver.callers.facts_of(inside.scope.node, inside)
        if method is None or method.owner is None:
            return None
        return self._of_class(method.owner, attribute.attr)

    def _find_in_class(self, facts: ClassFacts, name: str) -> tuple[Returned, RowSources] | None:
        found = list(islice(self._found(facts, name), 2))
        if len(found) != 1 or found[0] is None or self._is_set_outside(name):
            return None
        ref, sources = found[0]
        return Returned(ref, frozenset(), frozenset()), sources

    def _find_set_outside(self, name: str) -> bool:
        return self._readings.resolver.project.assigned_from_outside(name) is not None

    def _found(self, facts: ClassFacts, name: str) -> Iterator[tuple[RowRef, RowSources] | None]:
        """The rows that methods of the class, and of those above and below it, give the attribute; None for what is not
        known."""
        families = self._readings.resolver.project.families
        above, below = families.above(facts), families.below(facts)
        methods = [method for owner in (*above, *(below or ())) for method in owner.methods.values()]
        giving = [method for method in methods if self._may_give(method, name)]
        if below is None or len(giving) > _MAX_METHODS or any(name in owner.opaque for owner in above):
            yield None
            return
        for method in giving:
            inside = self._readings.resolver.function_place(method)
            walk = self._readings.plain_walk(inside) if inside is not None else None
            kept = walk.walked.kept.get(name, frozenset()) if walk is not None else None
            if walk is None or walk.sources is None or kept is None:
                yield None
                continue
            for ref in kept:
                yield (ref, walk.sources) if isinstance(ref.site, ast.Call) else None

    def _may_give(self, method: FunctionFacts, name: str) -> bool:
        """A quick look: whether a method assigns the attribute, or puts something into it."""
        source = self._readings.resolver.project.source(method.module.path)
        starts = source.line_starts
        end = starts[method.end_line] if method.end_line < len(starts) else len(source.utf8)
        text = source.utf8[starts[method.line - 1] : end]
        word = re.escape(name.encode())
        ways = (
            rb"\." + word + rb"\b[ \t]*(?:[^\n=!<>]*[^\n=!<>])?=(?!=)",
            rb"\." + word + rb"\b[^\n]*\.(?:append|extend|insert|add|update)\(",
            rb"\b(?:as|for)\b[^\n]*\." + word + rb"\b",
        )
        return any(re.search(way, text) for way in ways)
