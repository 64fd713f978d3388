"""Which Python types a project maps to column types of its own: the keys of every `type_annotation_map`.

SQLAlchemy 2.0: "Customizing the Type Map".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from alchemod.facts.nodes import walk

MAPPING: Final = ("type_annotation_map", "update_type_annotation_map")
"""The names under which such maps are given."""


def mapped_annotations(trees: Iterable[ast.Module]) -> frozenset[str] | None:
    """The names in the keys of all maps in these files; None where one is not written out."""
    found: set[str] = set()
    for given in (value for tree in trees for value in _maps(tree)):
        if not isinstance(given, ast.Dict):
            return None
        for key in given.keys:
            if key is None:
                return None
            names = {getattr(part, "attr", getattr(part, "id", "")) for part in walk(key)}
            found |= names - {""}
    return frozenset(found)


def _maps(tree: ast.Module) -> Iterator[ast.expr]:
    for node in walk(tree):
        match node:
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                if getattr(target, "attr", getattr(target, "id", "")) == MAPPING[0]:
                    yield value
            case ast.keyword(arg="type_annotation_map", value=value):
                yield value
            case ast.Call(func=ast.Attribute(attr="update_type_annotation_map"), args=[value]):
                yield value
