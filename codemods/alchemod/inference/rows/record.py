"""What a walk notes of the rows of each root."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from alchemod.inference.rows.knowledge import Act, ExposureKind, Producer
from alchemod.inference.rows.refs import Path, Root


@dataclass(frozen=True, slots=True)
class Exposure:
    """A place where the object (or collection) at `path` gets out of sight. `why` leads on, through callees."""

    kind: ExposureKind
    path: Path
    node: ast.AST
    why: tuple[str, ...] = field(default=(), compare=False)


@dataclass(slots=True)
class Read:
    """The reads of one relationship path.

    `direct` are the nodes that read it themselves, `through` those that hand the object to code which does. `repeated`
    are the latter where that code reads it in a loop of its own. `why` names the places of the first such read.
    """

    path: Path
    direct: list[ast.AST] = field(default_factory=list)
    through: list[ast.AST] = field(default_factory=list)
    repeated: list[ast.AST] = field(default_factory=list)
    since: set[Act] = field(default_factory=set)
    """What may have acted on the session between the execution of the producer and one of these reads."""
    why: tuple[str, ...] = ()


class Going(NamedTuple):
    """A loop, comprehension clause or call that goes over rows, or over a collection of them; `path` is an element."""

    node: ast.AST
    path: Path


@dataclass(slots=True)
class RootRecord:
    """Everything noted of one root."""

    site: Root
    producer: Producer
    reads: dict[Path, Read] = field(default_factory=dict)
    exposures: list[Exposure] = field(default_factory=list)
    loops: list[Going] = field(default_factory=list)
    joined: set[Root] = field(default_factory=set)
    """Other roots that a value read from may also come from."""
    earlier: set[Root] = field(default_factory=set)
    """Producers executed before it."""

    def read(self, path: Path, node: ast.AST, since: Iterable[Act]) -> None:
        """Note that `node` reads the relationship `path`."""
        found = self.reads.setdefault(path, Read(path))
        _add(found.direct, node)
        found.since.update(since)

    def read_through(
        self, path: Path, node: ast.AST, since: Iterable[Act], *, repeated: bool, why: tuple[str, ...]
    ) -> None:
        """Note that `node` hands an object to code that reads the relationship `path`."""
        found = self.reads.setdefault(path, Read(path))
        _add(found.through, node)
        if repeated:
            _add(found.repeated, node)
        found.since.update(since)
        found.why = found.why or why

    def expose(self, kind: ExposureKind, path: Path, node: ast.AST, why: tuple[str, ...] = ()) -> None:
        """Note an exposure, once for each place and path."""
        exposure = Exposure(kind, path, node, why)
        if exposure not in self.exposures:
            self.exposures.append(exposure)


def _add(nodes: list[ast.AST], node: ast.AST) -> None:
    if node not in nodes:
        nodes.append(node)
