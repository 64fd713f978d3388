"""Where the files of a project call something of SQLAlchemy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alchemod.facts.module import last_name
from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.values import Answer, Outside


@dataclass(frozen=True, slots=True)
class LibraryCall:
    """One call: the short name of what is called, and where."""

    name: str
    path: Path
    node: ast.Call

    def is_at(self, path: Path, node: ast.Call) -> bool:
        """Whether a node of the current tree of a file is this call."""
        here = self.node.lineno, self.node.col_offset
        return self.path == path and here == (node.lineno, node.col_offset)


class LibraryCalls(Area):
    """The calls in the files that are looked at, those of revisions left out, in the order of the files."""

    def of(self, *names: str) -> Iterator[LibraryCall]:
        """Every call of one of these, by SQLAlchemy's short names."""
        project = self.inference.project
        for path, tree in project.trees_mentioning(*names):
            if not project.in_scope(path) or project.is_revision(path):
                continue
            for node in walk(tree):
                if isinstance(node, ast.Call) and (name := last_name(node)) in names:
                    match self.inference.value(path, node.func):
                        case Answer(value=Outside(definition=definition)) if definition.canonical == name:
                            yield LibraryCall(name, path, node)

    def shown(self, call: LibraryCall) -> str:
        """Where a call stands, as `file:line`."""
        return f"{self.inference.project.displayed(call.path)}:{call.node.lineno}"
