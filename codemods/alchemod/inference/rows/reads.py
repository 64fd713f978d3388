"""Which relationships of the rows of a query, or of what it is handed, one function reads: on every way, or on some."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alchemod.facts.nodes import walk
from alchemod.inference.control.domain import TooComplexError
from alchemod.inference.control.flow import Walker
from alchemod.inference.rows.domain import RowDomain
from alchemod.inference.rows.knowledge import Act, Producer, RowKnowledge
from alchemod.inference.rows.record import Exposure, Going, RootRecord
from alchemod.inference.rows.refs import Path, Root, RowRef
from alchemod.inference.rows.state import RowState
from alchemod.inference.scoping.scopes import FUNCTIONS, Scope
from alchemod.inference.summaries.vocabulary import Effect


@dataclass(frozen=True, slots=True)
class PathRead:
    """A relationship path that is read.

    `must`: of each row (for a single object: of it), on every normal way through the function once the root has
    been executed. `direct` are the places that read it, `through` those that hand an object to code which does, and
    `repeated` those among them whose code reads it in a loop; the first in source order first. `since` is what may have
    acted on a session between the execution of the root and one of these reads. `why` leads to the first read of the
    latter kind.
    """

    path: Path
    must: bool
    direct: tuple[ast.AST, ...]
    through: tuple[ast.AST, ...]
    repeated: tuple[ast.AST, ...]
    since: frozenset[Act] = field(compare=False)
    why: tuple[str, ...] = field(compare=False)

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All places, in source order."""
        return tuple(sorted((*self.direct, *self.through), key=position))

    @property
    def between(self) -> tuple[tuple[Effect, ast.AST], ...]:
        """What may happen to a session before the reads: each effect with its place."""
        found = {(effect, act.shown) for act in self.since for effect in act.effects}
        return tuple(sorted(found, key=lambda happened: (position(happened[1]), happened[0])))

    @property
    def in_loop(self) -> bool:
        """Whether the read happens once for each of several objects."""
        return "[]" in self.path[:-1]


@dataclass(frozen=True, slots=True)
class RowReads:
    """What a function reads of what the root `site` gives. Rows of several roots in one value: see `joined`.

    `exposures` are the places where an object gets out of sight. `lazily`: the function is a generator, whose consumer
    may stop early. `earlier` are producers executed before this one.
    """

    site: Root
    producer: Producer
    reads: tuple[PathRead, ...]
    loops: tuple[Going, ...]
    exposures: tuple[Exposure, ...]
    joined: frozenset[Root]
    earlier: frozenset[Root]
    lazily: bool

    @property
    def many(self) -> bool:
        """Whether there may be several rows."""
        return self.producer.many


@dataclass(frozen=True, slots=True)
class Returned:
    """Rows that a function gives to its callers, what it read of each of them, and what acted on the session since they
    were executed."""

    ref: RowRef
    read: frozenset[Path]
    since: frozenset[Act] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Walked:
    """What one walk over a function found, in source order."""

    reads: tuple[RowReads, ...] = ()
    returned: frozenset[Returned] = frozenset()
    kept: Mapping[str, frozenset[RowRef] | None] = field(default_factory=dict)
    """The rows that attributes of the function's own object are given; None where that is not known."""

    def of(self, site: Root) -> RowReads | None:
        """The reads of one root."""
        return next((reads for reads in self.reads if reads.site is site), None)


def row_reads(scope: Scope, knowledge: RowKnowledge, given: Mapping[ast.arg, Producer] | None = None) -> Walked | None:
    """The reads of the rows of each producer in the function (or module) of `scope`, and of the parameters `given`.

    None where the function is too complex to follow. Reads in functions inside it are exposures.
    """
    function = scope.node
    assert isinstance(function, (*FUNCTIONS, ast.Module, ast.Lambda))
    given = given or {}
    domain = RowDomain(scope, knowledge, given)
    try:
        exits = Walker(domain).run(_block(function), _start(given))
    except TooComplexError:
        return None
    ends = [exits[channel] for channel in ("next", "return") if channel in exits]
    end = ends[0].join(ends[-1]) if ends else RowState()
    walked = walk(function) if isinstance(function, FUNCTIONS) else ()
    lazily = any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in walked)
    used = (record for record in domain.records.values() if record.reads or record.loops or record.exposures)
    found = [_summary(record, end, lazily) for record in used]
    returned = [
        Returned(ref.part() if domain.returns_others else ref, frozenset() if read is None else read, since)
        for ref, (read, since) in domain.returned.items()
    ]
    return Walked(tuple(sorted(found, key=lambda reads: position(reads.site))), frozenset(returned), domain.kept)


def _block(function: ast.AST) -> Sequence[ast.stmt]:
    if isinstance(function, ast.Lambda):
        return [ast.copy_location(ast.Return(function.body), function.body)]
    assert isinstance(function, (*FUNCTIONS, ast.Module))
    return function.body


def _start(given: Mapping[ast.arg, Producer]) -> RowState:
    executed = [site for site, producer in given.items() if not producer.lazy]
    return RowState(
        {site.arg: frozenset([RowRef(site, *producer.given)]) for site, producer in given.items()},
        {site: frozenset() for site in executed},
        {site: frozenset() for site in executed},
    )


def _summary(record: RootRecord, end: RowState, lazily: bool) -> RowReads:
    certain = end.reads.get(record.site, frozenset())
    reads = tuple(
        PathRead(
            read.path,
            not lazily and (certain is None or read.path in certain),
            tuple(sorted(read.direct, key=position)),
            tuple(sorted(read.through, key=position)),
            tuple(sorted(read.repeated, key=position)),
            frozenset(read.since),
            read.why,
        )
        for read in sorted(record.reads.values(), key=lambda read: read.path)
    )
    return RowReads(
        record.site,
        record.producer,
        reads,
        tuple(record.loops),
        tuple(record.exposures),
        frozenset(record.joined),
        frozenset(record.earlier),
        lazily,
    )


def position(node: ast.AST) -> tuple[int, int]:
    """Where a node begins."""
    if isinstance(node, ast.withitem):
        node = node.context_expr
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
