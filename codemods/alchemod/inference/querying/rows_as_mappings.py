"""What decides whether a row is used by name: who executed the statement, what an index is."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from pathlib import Path
from typing import Final

from alchemod.inference.area import Area
from alchemod.inference.scoping.scopes import scope_of
from alchemod.inference.values import Engine

_FUTURE: Final = re.compile(rb"\bfuture\s*=\s*True\b")
_MOST_STEPS: Final = 20


class RowsAsMappings(Area):
    """Questions about rows that are used as mappings."""

    @cached_property
    def future_engine(self) -> str:
        """The file that makes an engine with `future=True`, whose rows are those of 2.0; "" when none does."""
        project = self.inference.project
        for path in project.paths:
            if path in project and _FUTURE.search(project.source(path).utf8):
                return path.name
        return ""

    def is_position(self, path: Path, index: ast.expr) -> bool:
        """Whether an index is seen to be a number: it counts, or is bound to numbers only."""
        match index:
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return True
            case ast.Call(func=ast.Name(id="int" | "len")):
                return True
            case ast.Name(id=name):
                owner = scope_of(self.inference.project.tree(path)).innermost(index).owner(name)
                bindings = owner.bindings.get(name, []) if owner is not None else []
                return bool(bindings) and all(_counts(one.value) for one in bindings)
        return False

    def is_of_connection(self, path: Path, row: ast.expr) -> bool:
        """Whether a connection, not a session, executed the statement of a row: its name leads to the call."""
        node: ast.expr | None = row
        for _ in range(_MOST_STEPS):
            match node:
                case ast.Call(func=ast.Attribute(value=receiver, attr="execute" | "exec_driver_sql")):
                    answer = self.inference.value(path, receiver)
                    return answer is not None and isinstance(answer.value, Engine)
                case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner):
                    node = inner
                case ast.Name(id=name):
                    owner = scope_of(self.inference.project.tree(path)).innermost(node).owner(name)
                    bindings = owner.bindings.get(name, []) if owner is not None else []
                    node = bindings[0].value if len(bindings) == 1 else None
                case _:
                    return False
        return False


def _counts(value: ast.expr | None) -> bool:
    match value:
        case ast.Constant(value=int()):
            return True
        case ast.Call(func=ast.Name(id="range" | "len" | "int")):
            return True
    return False
