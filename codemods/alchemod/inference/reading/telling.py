"""What a walk over a function says to those who call it: the reads of one parameter, with their places."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from alchemod.inference.reading.combined import MAX_HOPS
from alchemod.inference.rows.knowledge import ExposureKind, Handed, HandedExposure, HandedRead
from alchemod.inference.rows.reads import PathRead, Walked
from alchemod.inference.rows.record import Exposure
from alchemod.inference.rows.refs import Given
from alchemod.inference.rows.turns import Turns
from alchemod.inference.values import Place

Where = Callable[[ast.AST], str]

PASSED_ON: Final[frozenset[ExposureKind]] = frozenset({"member", "reflection", "callee", "depth", "runtime"})
"""Exposures that tell of code which may look at an object; the others say where it goes."""


def told(walked: Walked, parameter: ast.arg, inside: Place, name: str, where: Where) -> Handed:
    """What the function whose inside is `inside`, called `name` for people, does with what its parameter is handed."""
    gives = frozenset(Given(*part.ref[1:]) for part in walked.returned if part.ref.site is parameter)
    reads = walked.of(parameter)
    if reads is None:
        return Handed(gives=gives)
    turns = Turns(inside.scope)
    return Handed(
        frozenset(_read(read, bool(turns.repeating(read, reads)), name, where) for read in reads.reads),
        frozenset(_exposure(part, name, where) for part in reads.exposures if part.kind in PASSED_ON),
        gives,
    )


def _read(read: PathRead, repeated: bool, name: str, where: Where) -> HandedRead:
    if read.direct:
        why: tuple[str, ...] = (f"{name} reads {read.path[-1]} in {where(read.direct[0])}",)
    else:
        why = (f"{name} in {where(read.through[0])}", *read.why)
    return HandedRead(read.path, read.must, repeated, read.since, why[:MAX_HOPS])


def _exposure(exposure: Exposure, name: str, where: Where) -> HandedExposure:
    said = f"{name} in {where(exposure.node)}"
    return HandedExposure(exposure.kind, exposure.path, (said, *exposure.why)[:MAX_HOPS])
