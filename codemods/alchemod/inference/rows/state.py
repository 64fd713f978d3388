"""The state in which reads of rows are followed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from alchemod.inference.rows.knowledge import Act
from alchemod.inference.rows.refs import NOTHING, Path, Refs, Root, RowRef, is_under

Reads: TypeAlias = frozenset[Path]


@dataclass(frozen=True, slots=True)
class RowState:
    """`names` are the rows that names hold. `reads` are the paths read on every way since each root was executed;
    a root not executed on the way is missing, and one found empty has None: nothing is left unread. `since` is
    what may have happened to the session since then. `turning` are the elements of the turns that are under way: what
    is read under them counts for this turn only."""

    names: Mapping[str, Refs] = field(default_factory=dict)
    reads: Mapping[Root, Reads | None] = field(default_factory=dict)
    since: Mapping[Root, frozenset[Act]] = field(default_factory=dict)
    turning: frozenset[RowRef] = frozenset()

    def join(self, other: RowState) -> RowState:
        """What holds on either of two ways."""
        if self is other or self == other:
            return self
        names = {
            name: _either(self.names.get(name, NOTHING), other.names.get(name, NOTHING))
            for name in self.names.keys() | other.names.keys()
        }
        reads = dict(self.reads)
        for site, paths in other.reads.items():
            mine = reads.get(site, paths)
            reads[site] = paths if mine is None else mine if paths is None else mine & paths
        since = dict(self.since)
        for site, happened in other.since.items():
            since[site] = since.get(site, frozenset()) | happened
        return RowState(names, reads, since, self.turning | other.turning)

    def bind(self, name: str, refs: Refs) -> RowState:
        """The state with `name` holding `refs`."""
        if self.names.get(name, NOTHING) == refs:
            return self
        return replace(self, names={**self.names, name: refs})

    def executed(self, site: Root, since: frozenset[Act] = frozenset(), read: Reads = frozenset()) -> RowState:
        """The state when the producer has just been executed, or was in a callee, with what happened there since."""
        return replace(self, reads={**self.reads, site: read}, since={**self.since, site: since})

    def read(self, site: Root, paths: Iterable[Path]) -> RowState:
        """The state once `paths` have been read."""
        present = self.reads.get(site, frozenset())
        if present is None:
            return self
        return replace(self, reads={**self.reads, site: present.union(paths)})

    def start_turn(self, ref: RowRef) -> RowState:
        """The state at the start of a turn: nothing under the next element has been read."""
        return replace(self.forget_under(ref), turning=self.turning | {ref})

    def end_turns(self, refs: Iterable[RowRef]) -> RowState:
        """The state behind or on the way out of a loop over `refs`: what its last turn read is left aside."""
        ended = frozenset(refs)
        state = self
        for ref in ended:
            state = state.forget_under(ref)
        return replace(state, turning=self.turning - ended)

    def left_over(self, refs: Iterable[RowRef]) -> RowState:
        """The state where names that come from a turn over `refs` hold one element of many."""
        ended = frozenset(refs)
        names = {name: frozenset(_left_over(held, ended) for held in value) for name, value in self.names.items()}
        return replace(self, names=names)

    def forget_under(self, ref: RowRef) -> RowState:
        """The state without what was read under the element."""
        present = self.reads.get(ref.site)
        if not present:
            return self
        kept = frozenset(path for path in present if not is_under(path, ref.path))
        return self if kept == present else replace(self, reads={**self.reads, ref.site: kept})

    def changed(self, lists: Iterable[RowRef]) -> RowState:
        """The state after elements were taken out of lists: names that may hold one of them hold some of the rows."""
        taken = set(lists)
        names = {
            name: frozenset(ref.part() if ref in taken else ref for ref in refs) for name, refs in self.names.items()
        }
        return self if names == self.names else replace(self, names=names)

    def found_empty(self, site: Root) -> RowState:
        """The state where the producer gave no rows."""
        return replace(self, reads={**self.reads, site: None})

    def happened(self, *acts: Act) -> RowState:
        """The state after acts on a session; which session is not told apart."""
        if not acts or not self.since:
            return self
        return replace(self, since={site: happened.union(acts) for site, happened in self.since.items()})


def _either(a: Refs, b: Refs) -> Refs:
    """What a name may hold after one way or the other: where it holds no rows on one, it holds some at best."""
    if a and b:
        return a | b
    return frozenset(ref.part() for ref in a or b)


def _left_over(held: RowRef, ended: frozenset[RowRef]) -> RowRef:
    of_turn = any(held.site is ref.site and held.path[: len(ref.path)] == ref.path and not held.listed for ref in ended)
    return held.part() if of_turn else held
