"""What becomes of a value that may be None: read at once, or by its name before it is tested."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area

if TYPE_CHECKING:
    from alchemod.inference import Inference

_HANDLED: Final = re.compile(
    rb"(?:errorhandler|exception_handler|register_error_handler|add_exception_handler)\(\s*[\w.]*NoResultFound"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A value that a statement binds to a name, and the statements that follow in the same suite."""

    name: str
    rest: Sequence[ast.stmt]


@dataclass(slots=True)
class _Uses:
    """What is made of each value of a file."""

    readers: dict[ast.expr, ast.Attribute | ast.Subscript] = field(default_factory=dict)
    named: dict[ast.expr, Named] = field(default_factory=dict)


class Absence(Area):
    """Questions about values that may be None."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._latest: tuple[ast.Module | None, _Uses] = None, _Uses()

    @cached_property
    def handled_for_all(self) -> bool:
        """Whether the project registers a handler of NoResultFound for all its routes."""
        project = self.inference.project
        return any(_HANDLED.search(project.source(path).utf8) for path in project.paths)

    def direct_read(self, path: Path, node: ast.expr) -> ast.Attribute | ast.Subscript | None:
        """What reads an attribute or item of `node` where it stands."""
        return self._of(path).readers.get(node)

    def named(self, path: Path, node: ast.expr) -> Named | None:
        """The name that a simple assignment gives the value of `node`, None when it gives none."""
        return self._of(path).named.get(node)

    def _of(self, path: Path) -> _Uses:
        tree = self.inference.project.tree(path)
        if self._latest[0] is not tree:
            self._latest = tree, _uses(tree)
        return self._latest[1]

    def before(self, path: Path, statement: ast.stmt, name: str) -> ast.expr | None:
        """The value that a simple assignment directly before `statement` gives `name`."""
        for value, named in self._of(path).named.items():
            if named.name == name and named.rest and named.rest[0] is statement:
                return value
        return None

    def unchecked_read(self, named: Named, *, writes: bool = False) -> ast.Attribute | None:
        """An attribute of the name that is read, or with `writes` also set, before the name is tested, passed on, or
        bound again."""
        for statement in named.rest:
            parts = list(ast.walk(statement))
            reads = [part for part in parts if isinstance(part, ast.Name) and part.id == named.name]
            if not reads:
                continue
            attributes = [
                part
                for part in parts
                if isinstance(part, ast.Attribute)
                and part.value in reads
                and (writes or isinstance(part.ctx, ast.Load))
            ]
            is_plain = isinstance(statement, ast.Assign | ast.Expr | ast.Return | ast.AugAssign)
            decides = any(isinstance(part, ast.IfExp | ast.BoolOp | ast.Compare | ast.NamedExpr) for part in parts)
            only_read = len(attributes) == len(reads)
            return attributes[0] if is_plain and not decides and only_read else None
        return None


def _uses(tree: ast.Module) -> _Uses:
    uses = _Uses()
    for node in walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript):
            uses.readers[node.value] = node
        if isinstance(node, ast.expr):
            continue
        for field_name in ("body", "orelse", "finalbody"):
            found = getattr(node, field_name, None)
            suite: list[ast.stmt] = found if isinstance(found, list) else []
            for index, statement in enumerate(suite):
                match statement:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value):
                        uses.named[value] = Named(name, suite[index + 1 :])
    return uses
