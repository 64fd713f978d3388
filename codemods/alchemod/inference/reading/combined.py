"""What is known when one of several pieces of code runs: what all do is certain, what any does is possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from alchemod.inference.rows.knowledge import MUTE, Handed, HandedExposure, HandedRead
from alchemod.inference.rows.refs import Given, Path

MAX_HOPS: Final = 4
"""So many calls between a query and a read are named."""


def combined(candidates: Iterable[Handed]) -> Handed:
    """What code does of which only one of several pieces runs."""
    every = list(candidates)
    known = [handed for handed in every if not handed.everything]
    if len(known) < 2:
        return known[0] if known else every[0] if every else MUTE
    reads: dict[Path, HandedRead] = {}
    for handed in known:
        for read in handed.reads:
            reads[read.path] = _either(reads[read.path], read) if read.path in reads else read
    certain = frozenset[Path].intersection(*(frozenset(r.path for r in handed.reads if r.must) for handed in known))
    shared = frozenset.intersection(*(handed.gives for handed in known))
    given = frozenset[Given]().union(*(handed.gives for handed in known))
    return Handed(
        frozenset(replace(read, must=read.path in certain) for read in reads.values()),
        frozenset[HandedExposure]().union(*(handed.exposures for handed in known)),
        frozenset(part if part in shared else part._replace(some=True) for part in given),
    )


def together(parts: Iterable[Handed]) -> Handed:
    """What code does that does all of several things."""
    every = list(parts)
    reads: dict[Path, HandedRead] = {}
    for read in (read for handed in every for read in handed.reads):
        before = reads.get(read.path)
        reads[read.path] = read if before is None else replace(_either(before, read), must=before.must or read.must)
    return Handed(
        frozenset(reads.values()),
        frozenset[HandedExposure]().union(*(handed.exposures for handed in every)),
        frozenset[Given]().union(*(handed.gives for handed in every)),
        any(handed.everything for handed in every),
    )


def perhaps(handed: Handed) -> Handed:
    """What code does that may not run, or not now."""
    return Handed(
        frozenset(replace(read, must=False) for read in handed.reads),
        handed.exposures,
        frozenset(given._replace(some=True) for given in handed.gives),
    )


def through(handed: Handed, path: Path, *why: str, repeated: bool = False) -> Handed:
    """What is done with an object when that is done with what `path` leads to from it, or, `repeated`, with each of
    several; `why` names the place."""
    repeated = repeated or "[]" in path
    return Handed(
        frozenset(
            replace(
                read,
                path=(*path, *read.path),
                why=(*why, *read.why)[:MAX_HOPS],
                repeated=repeated or read.repeated,
            )
            for read in handed.reads
        ),
        frozenset(
            replace(exposure, path=(*path, *exposure.path), why=(*why, *exposure.why)[:MAX_HOPS])
            for exposure in handed.exposures
        ),
        everything=handed.everything,
    )


def _either(one: HandedRead, other: HandedRead) -> HandedRead:
    return replace(one, repeated=one.repeated or other.repeated, since=one.since | other.since)
