"""Classes that are mapped by calls of `mapper()`, and the registry that can take its place.

SQLAlchemy 1.4, "Imperative Mapping": `registry.map_imperatively()`. `mapper()` never told a registry the names of its
classes, so no relationship can name them by strings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.values import Answer, Outside

_TOKENS: Final = re.compile(rb"\bmapper\b")
_PLACES: Final = ("properties",)
"""The arguments of `mapper()` by position, after the class and the table."""
_NAMES: Final = ("mapper_registry", "imperative_registry")


@dataclass(frozen=True, slots=True)
class Mapping:
    """One call of `mapper()`. `obstacle` says why it cannot be a call of a registry."""

    call: ast.Call
    answer: Answer
    obstacle: str = ""

    @property
    def extra(self) -> ast.expr | None:
        """The third argument, which a registry takes by name only."""
        return self.call.args[2] if len(self.call.args) > 2 else None


class ImperativeMappings(Area):
    """Questions about calls of `mapper()` in the files of a project."""

    def of(self, path: Path) -> Sequence[Mapping]:
        """The calls of one file, in source order."""
        if not _TOKENS.search(self.inference.project.source(path).utf8):
            return ()
        found = [
            Mapping(node, answer, _obstacle(node))
            for node in walk(self.inference.project.tree(path))
            if isinstance(node, ast.Call) and (answer := self._is_mapper(path, node.func)) is not None
        ]
        return sorted(found, key=lambda one: (one.call.lineno, one.call.col_offset))

    def registry(self, path: Path, before: ast.stmt) -> str:
        """The name of a registry that the top level of a file makes before a statement; "" when it makes none."""
        for statement in self.inference.project.tree(path).body:
            if statement is before:
                break
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=maker)):
                    answer = self.inference.value(path, maker)
                    match answer:
                        case Answer(value=Outside(definition=definition)):
                            if definition.name in {"sqlalchemy.orm.registry", "sqlalchemy.orm.decl_api.registry"}:
                                return name
        return ""

    def free_name(self, path: Path) -> str:
        """A name for a new registry that the file does not know; "" when it knows all that are tried."""
        data = self.inference.project.source(path).utf8
        return next((name for name in _NAMES if name.encode() not in data), "")

    def _is_mapper(self, path: Path, function: ast.expr) -> Answer | None:
        if not isinstance(function, ast.Name | ast.Attribute):
            return None
        answer = self.inference.value(path, function)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.name == "sqlalchemy.orm.mapper":
                return answer
        return None


def _obstacle(call: ast.Call) -> str:
    if any(isinstance(one, ast.Starred) for one in call.args):
        return "what the arguments are; write map_imperatively(cls, table, ...) of a registry"
    if len(call.args) > 2 + len(_PLACES) or not call.args:
        return "what each argument means; a registry takes all but the class and the table by name"
    for keyword in call.keywords:
        if keyword.arg == "non_primary" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
            return "what the second mapping is for; write a relationship to an aliased class"
    return ""
