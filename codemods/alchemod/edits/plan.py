"""The edits of one file by node, and which of them get in each other's way."""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from alchemod.edits.ancestry import Ancestry, Place
from alchemod.edits.refusal import Refusal
from alchemod.edits.templates import nodes_of
from alchemod.edits.verbs import (
    AddArgument,
    AddParameter,
    Append,
    Block,
    Decorate,
    Dissolve,
    Drop,
    Insert,
    Reimport,
    Rename,
    SetParameters,
    Spread,
    Swap,
    Transform,
    Verb,
)

V = TypeVar("V", bound=Verb)

_EXCLUSIVE = (Rename, Swap, Drop, Spread, Dissolve, Transform, Reimport)
"""At most one of these per node, except a rename together with a swap that keeps the node."""


_NAMED = re.compile(r"\s*(?:\*|\w+\s*=(?!=))")
"""A template that is an argument and no expression: `name=value`, `*values`, `**values`."""


class Plan:
    """The verbs of one file by the node they stand on.

    ``refused`` maps the fixes that cannot be carried out together with an earlier one, or inside code that
    an edit discards, to the reason. Their verbs are not part of the plan.
    """

    def __init__(self, edits: Mapping[Hashable, Sequence[Verb]], ancestry: Ancestry) -> None:
        self.ancestry = ancestry
        self.refused: dict[Hashable, str] = {}
        self._verbs: dict[int, list[tuple[Hashable, Verb]]] = {}
        self._kept: set[int] = set()
        self._replaced: set[int] = set()
        accepted = [fix for fix, verbs in edits.items() if self._accept(fix, verbs)]
        for fix in accepted:
            self._refuse_if_discarded(fix, edits[fix])
        self.fixes = {fix: edits[fix] for fix in accepted if fix not in self.refused}
        self._touched = {
            id(ancestor)
            for _, verb in self.verbs()
            for node in (verb.node, *(verb.replaces if isinstance(verb, Block) else ()))
            for ancestor in self.ancestry.ancestors(node)
        }

    def on(self, node: ast.AST, kind: type[V]) -> list[V]:
        """The verbs of a kind that stand on a node."""
        return [verb for _, verb in self._verbs.get(id(node), ()) if isinstance(verb, kind)]

    def verbs(self) -> Iterator[tuple[Hashable, Verb]]:
        """All verbs with their fixes, in the order given."""
        for fix, verbs in self.fixes.items():
            for verb in verbs:
                yield fix, verb

    def touches(self, node: ast.AST) -> bool:
        """Whether a verb stands on the node or on one inside it."""
        return id(node) in self._touched

    def changes_argument(self, node: ast.AST) -> bool:
        """Whether a verb on the node changes the argument that it is, not only the value of one."""
        if isinstance(node, ast.keyword):
            return bool(self.on(node, Swap) or self.on(node, Drop) or self.on(node, Spread))
        if not is_argument(self.ancestry.place(node)):
            return False
        return bool(self.on(node, Drop)) or any(_NAMED.match(swap.template) for swap in self.on(node, Swap))

    def is_inside_unit(self, verb: Verb) -> bool:
        """Whether the verb changes something inside a statement or header, not whole statements."""
        match verb:
            case Rename() | AddArgument() | AddParameter() | SetParameters() | Transform() | Spread():
                return True
            case Swap():
                return not isinstance(verb.node, ast.stmt)
            case Drop():
                return is_argument(self.ancestry.place(verb.node))
            case _:
                return False

    def fixes_within(self, node: ast.AST) -> frozenset[Hashable]:
        """The fixes with a verb on the node, or on one inside it."""
        return frozenset(
            fix
            for fix, verb in self.verbs()
            if any(ancestor is node for ancestor in self.ancestry.ancestors(verb.node))
        )

    def _accept(self, fix: Hashable, verbs: Sequence[Verb]) -> bool:
        try:
            for verb in verbs:
                self._check(verb)
                self._verbs.setdefault(id(verb.node), []).append((fix, verb))
            kept = [node for verb in verbs for node in _hole_nodes(verb)]
        except Refusal as refusal:
            self._refuse(fix, refusal.reason)
            return False
        self._kept.update(map(id, kept))
        for verb in verbs:
            if isinstance(verb, Block):
                self._replaced.update(map(id, verb.replaces))
        return True

    def _refuse(self, fix: Hashable, reason: str) -> None:
        self.refused[fix] = reason
        for entries in self._verbs.values():
            entries[:] = [entry for entry in entries if entry[0] != fix]

    def _check(self, verb: Verb) -> None:
        if verb.node is not self.ancestry.tree:
            self.ancestry.place(verb.node)
        if any(_clash(verb, other) for _, other in self._verbs.get(id(verb.node), ())):
            raise Refusal("another edit changes the same code")
        if isinstance(verb, Block):
            self._check_block(verb)

    def _check_block(self, verb: Block) -> None:
        first, last = self.ancestry.place(verb.node), self.ancestry.place(verb.last)
        if first.parent is not last.parent or first.field != last.field or first.item > last.item:  # type: ignore[operator]
            raise Refusal("the statements of a block are not of one suite, in order")
        for entries in self._verbs.values():
            for _, other in entries:
                if isinstance(other, Block) and self._overlap(verb, other):
                    raise Refusal("another edit puts some of the same statements into a block")

    def _overlap(self, one: Block, other: Block) -> bool:
        """Whether two ranges of one suite overlap without one holding the other."""
        a, b = self.ancestry.place(one.node), self.ancestry.place(other.node)
        if a.parent is not b.parent or a.field != b.field:
            return False
        start, end = a.item, self.ancestry.place(one.last).item
        begin, stop = b.item, self.ancestry.place(other.last).item
        if start is None or end is None or begin is None or stop is None:
            return False
        if (start, end) == (begin, stop) or start == begin:
            return True
        return start < begin <= end < stop or begin < start <= stop < end

    def _refuse_if_discarded(self, fix: Hashable, verbs: Sequence[Verb]) -> None:
        for verb in verbs:
            if self._is_discarded(verb):
                self._refuse(fix, "it lies in code that another edit replaces")
                return

    def _is_discarded(self, verb: Verb) -> bool:
        on_itself = isinstance(verb, Rename | AddArgument | AddParameter | SetParameters | Reimport | Spread)
        if on_itself and self._discards(verb.node, verb.node):
            return True
        below: ast.AST = verb.node
        for ancestor in self.ancestry.ancestors(verb.node):
            if ancestor is not verb.node and self._discards(ancestor, below):
                return True
            if id(ancestor) in self._kept:
                return False
            below = ancestor
        return False

    def _discards(self, node: ast.AST, child: ast.AST) -> bool:
        """Whether an edit throws away what a node holds, or its header when ``child`` belongs to that."""
        if id(node) in self._kept:
            return False
        for _, verb in self._verbs.get(id(node), ()):
            if isinstance(verb, Swap | Drop | Transform):
                return True
            if isinstance(verb, Dissolve) and not isinstance(child, ast.stmt):
                return True
        return id(node) in self._replaced


def is_argument(place: Place) -> bool:
    """Whether what stands at a place is an argument of a call or of a class definition."""
    return isinstance(place.parent, ast.Call | ast.ClassDef) and place.field in ("args", "bases", "keywords")


def _clash(verb: Verb, other: Verb) -> bool:
    if isinstance(verb, Block) and isinstance(other, Drop):
        return False
    if not isinstance(verb, _EXCLUSIVE) or not isinstance(other, _EXCLUSIVE):
        return False
    if isinstance(verb, Drop) and isinstance(other, Drop):
        return False
    if isinstance(verb, Rename) and isinstance(other, Rename):
        return verb.to != other.to
    return {type(verb), type(other)} != {Rename, Swap}


def _hole_nodes(verb: Verb) -> list[ast.AST]:
    match verb:
        case Swap() | Insert() | Append() | AddArgument() | Decorate():
            return nodes_of(verb.template, verb.holes, verb.node)
        case Block():
            return nodes_of(verb.header, verb.holes, verb.node)
        case _:
            return []
