"""Which relationships of the rows of a query one function reads: on every way, or on some."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from alchemod.inference.domain import TooComplexError
from alchemod.inference.flow import Walker
from alchemod.inference.rows.domain import RowDomain
from alchemod.inference.rows.knowledge import Path, RowKnowledge
from alchemod.inference.rows.record import Exposure, ProducerRecord
from alchemod.inference.rows.state import Happened, RowState
from alchemod.inference.scopes import FUNCTIONS, Scope


@dataclass(frozen=True, slots=True)
class PathRead:
    """A relationship path that is read.

    `must`: of each row (for a single object: of it), on every normal way through the function once the producer has
    been executed. `nodes` are the places, the first in source order first. `between` is what may happen to a session
    between the execution of the producer and one of these reads: each effect with its place.
    """

    path: Path
    must: bool
    nodes: tuple[ast.AST, ...]
    between: tuple[Happened, ...]

    @property
    def in_loop(self) -> bool:
        """Whether the read happens once for each of several objects."""
        return "[]" in self.path[:-1]


@dataclass(frozen=True, slots=True)
class RowReads:
    """What a function reads of what the producer `site` gives. Rows of several producers in one value: see `joined`.

    `exposures` are the places where an object gets out of sight. `lazily`: the function is a generator, whose consumer
    may stop early. `earlier` are producers executed before this one.
    """

    site: ast.Call
    many: bool
    reads: tuple[PathRead, ...]
    loops: tuple[ast.AST, ...]
    exposures: tuple[Exposure, ...]
    joined: frozenset[ast.Call]
    earlier: frozenset[ast.Call]
    lazily: bool


def row_reads(scope: Scope, knowledge: RowKnowledge) -> list[RowReads] | None:
    """The reads of the rows of each producer in the function (or module) of `scope`, in source order.

    None where the function is too complex to follow. Reads in functions inside it are exposures.
    """
    function = scope.node
    assert isinstance(function, (*FUNCTIONS, ast.Module))
    domain = RowDomain(scope, knowledge)
    try:
        exits = Walker(domain).run(function.body, RowState())
    except TooComplexError:
        return None
    ends = [exits[channel] for channel in ("next", "return") if channel in exits]
    end = ends[0].join(ends[-1]) if ends else RowState()
    walked = ast.walk(function) if isinstance(function, FUNCTIONS) else ()
    lazily = any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in walked)
    used = (record for record in domain.records.values() if record.reads or record.loops or record.exposures)
    found = [_summary(record, end, lazily) for record in used]
    return sorted(found, key=lambda reads: (reads.site.lineno, reads.site.col_offset))


def _summary(record: ProducerRecord, end: RowState, lazily: bool) -> RowReads:
    certain = end.reads.get(record.site, frozenset())
    reads = tuple(
        PathRead(
            read.path,
            not lazily and (certain is None or read.path in certain),
            tuple(sorted(read.nodes, key=_position)),
            tuple(sorted(read.between, key=lambda happened: (_position(happened[1]), happened[0]))),
        )
        for read in sorted(record.reads.values(), key=lambda read: read.path)
    )
    return RowReads(
        record.site,
        record.producer.many,
        reads,
        tuple(record.loops),
        tuple(record.exposures),
        frozenset(record.joined),
        frozenset(record.earlier),
        lazily,
    )


def _position(node: ast.AST) -> tuple[int, int]:
    if isinstance(node, ast.withitem):
        node = node.context_expr
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
