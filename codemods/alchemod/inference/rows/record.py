"""What a walk notes of the rows of each producer."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from alchemod.inference.rows.knowledge import Path, Producer
from alchemod.inference.rows.state import Happened

ExposureKind: TypeAlias = Literal["member", "reflection", "callee", "returned", "yielded", "stored", "captured"]
"""How a row gets out of sight: a property or method of the model; `__dict__`, `vars` or `getattr` with a variable name;
a callee that reads what is not known; and what is handed on."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A place where the object (or collection) at `path` gets out of sight."""

    kind: ExposureKind
    path: Path
    node: ast.AST


@dataclass(slots=True)
class Read:
    """The reads of one relationship path."""

    path: Path
    nodes: list[ast.AST] = field(default_factory=list)
    between: set[Happened] = field(default_factory=set)
    """What may have happened to the session between the execution of the producer and one of these reads."""


@dataclass(slots=True)
class ProducerRecord:
    """Everything noted of one producer."""

    site: ast.Call
    producer: Producer
    reads: dict[Path, Read] = field(default_factory=dict)
    exposures: list[Exposure] = field(default_factory=list)
    loops: list[ast.AST] = field(default_factory=list)
    """The loops and comprehension clauses over its rows, or over collections of them."""
    joined: set[ast.Call] = field(default_factory=set)
    """Other producers that a value read from may also come from."""
    earlier: set[ast.Call] = field(default_factory=set)
    """Producers executed before it."""

    def read(self, path: Path, node: ast.AST, between: frozenset[Happened]) -> None:
        """Note a read of the relationship `path`."""
        found = self.reads.setdefault(path, Read(path))
        if node not in found.nodes:
            found.nodes.append(node)
        found.between |= between

    def expose(self, kind: ExposureKind, path: Path, node: ast.AST) -> None:
        """Note an exposure, once for each place and path."""
        exposure = Exposure(kind, path, node)
        if exposure not in self.exposures:
            self.exposures.append(exposure)
