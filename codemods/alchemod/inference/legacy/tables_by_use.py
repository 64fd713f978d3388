"""Tables that only their use tells: `select(table.c.id)`, where it is not known what `table` is."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from alchemod.facts.nodes import walk
from alchemod.facts.tables import Table
from alchemod.inference.area import Area
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.values import Answer, Outside, TableObject

_TAKING: Final = frozenset({"select", "and_", "or_", "not_", "case", "exists", "cast", "join", "outerjoin"})


class TablesByUse(Area):
    """Answers about names of a function that hold tables."""

    def of(self, path: Path, node: ast.expr) -> Answer | None:
        """That a name is a table, as a function of SQLAlchemy is given columns of it; never more than inferred."""
        if not isinstance(node, ast.Name) or f"{node.id}.c".encode() not in self.inference.project.source(path).utf8:
            return None
        place = self.inference.place(path, node)
        around = enclosing_function(place.scope) if place is not None else None
        if place is None or around is None or place.scope.owner(node.id) is not around:
            return None
        for call in walk(around.node):
            if isinstance(call, ast.Call) and any(_has_column(one, node.id) for one in call.args):
                match self.inference.value(path, call.func):
                    case Answer(value=Outside(definition=found, canonical=str(name))):
                        if name in _TAKING or ".func." in found.name:
                            why = f"line {call.lineno} gives columns of {node.id} to {name}()"
                            table = TableObject(Table("", place.module, is_whole=False))
                            return Answer(table, "inferred", (why,), f"what {node.id} is, is told by its use only")
        return None


def _has_column(argument: ast.expr, name: str) -> bool:
    """Whether an expression reads a column of what has this name: `table.c.id`."""
    return any(
        isinstance(part, ast.Attribute)
        and part.attr == "c"
        and isinstance(part.value, ast.Name)
        and part.value.id == name
        for part in walk(argument)
    )
