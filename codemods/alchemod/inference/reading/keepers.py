"""Rows that objects keep: an attribute that one method of a class is given rows in, for others to read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from alchemod.facts.module import ClassFacts, FunctionFacts
from alchemod.facts.outer_assignments import assigned_from_outside
from alchemod.inference.rows.reads import Returned
from alchemod.inference.rows.refs import RowRef
from alchemod.inference.values import Place
from alchemod.text.words import words

if TYPE_CHECKING:
    from alchemod.inference.reading.sources import RowSources
    from alchemod.inference.reading.table import Readings

_MAX_METHODS: Final = 20
_FIRST: Final = re.compile(rb"\bdef[ \t]+\w+\([ \t\r\n]*(\w+)")
_EQUALS: Final = re.compile(rb"(?<![=!<>])=(?!=)")
_OPEN: Final = re.compile(rb"[(\[{\\][ \t\r]*(?:#|$)")
_VARIABLE: Final = re.compile(rb"(\w+)[ \t\r]*(?:#|$)")
_EMPTY: Final = re.compile(rb"(?:None|\[\]|\{\}|\(\)|\w+\(\w*\))[ \t\r]*(?:#|$)")
"""What an attribute holds before it is given rows: nothing, or an empty container (`defaultdict(list)`)."""


class Keepers:
    """Answers for one project."""

    def __init__(self, readings: Readings) -> None:
        self._readings: Final = readings
        self._given: Final = cache(self._find_given)
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
        return assigned_from_outside(name, self._readings.resolver.project) is not None

    def _found(self, facts: ClassFacts, name: str) -> Iterator[tuple[RowRef, RowSources] | None]:
        """The rows that methods of the class, and of those above and below it, give the attribute; None for what is not
        known."""
        families = self._readings.resolver.project.families
        above, below = families.above(facts), families.below(facts)
        methods = [method for owner in (*above, *(below or ())) for method in owner.methods.values()]
        giving = [method for method in methods if name.encode() in self._given(method)]
        if below is None or len(giving) > _MAX_METHODS or any(name in owner.opaque for owner in above):
            yield None
            return
        if any(self._gives_other_things(method, name) for method in giving):
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

    def _gives_other_things(self, method: FunctionFacts, name: str) -> bool:
        """A quick look: whether a method assigns the attribute something that is clearly no rows."""
        text = self._text(method)
        given = re.findall(rb"\.%b[ \t]*(?::[^=\n]*)?=(?!=)[ \t]*([^\n]*)" % re.escape(name.encode()), text)
        return any(self._is_other(value, text) for value in given)

    def _is_other(self, value: bytes, text: bytes) -> bool:
        """Whether the first line of a value neither asks for rows nor is a variable, or is a parameter."""
        if _EMPTY.match(value) or _OPEN.search(value) or self._readings.resolver.project.givers.may_give_in(value):
            return False
        variable = _VARIABLE.match(value)
        return variable is None or variable[1] in words(text.partition(b":\n")[0])

    def _find_given(self, method: FunctionFacts) -> frozenset[bytes]:
        """A quick look: the attributes of its own object that a method may assign, or put something into."""
        text = self._text(method)
        own = _FIRST.search(text)
        if own is None or own[1] + b"." not in text:
            return frozenset()
        attribute = re.compile(rb"\b%b\.(\w+)" % own[1])
        put = re.compile(rb"\b%b\.(\w+)\b[^\n]*\.(?:append|extend|insert|add|update)\(" % own[1])
        bound = re.compile(rb"\b(?:as|for)[ \t]+%b\.(\w+)" % own[1])
        targets = (target for line in text.splitlines() if own[1] in line for target in _EQUALS.split(line)[:-1])
        assigned = (
            name
            for target in targets
            if b"(" not in target or target.lstrip(b" \t([").startswith(own[1])
            for name in attribute.findall(target)
        )
        return frozenset((*assigned, *put.findall(text), *bound.findall(text)))

    def _text(self, method: FunctionFacts) -> bytes:
        return self._readings.resolver.project.source(method.module.path).lines(method.line, method.end_line)
