"""Relationships that are read for nothing but the key, which the row itself has in its foreign key column."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alchemod.facts.keys import key_to
from alchemod.facts.models import Models
from alchemod.inference.loading.loop import KeyRead, Loading
from alchemod.inference.loading.strategy import is_many_to_one
from alchemod.inference.scoping.scopes import Scope


def key_reads(loading: Loading, scope: Scope, models: Models) -> tuple[KeyRead, ...]:
    """The reads of a many-to-one, when each of them is followed by that of its key; else none."""
    step = loading.last
    if len(loading.steps) > 1 or loading.read.through or step.relationship is None:
        return ()
    target = models.target(step.relationship, step.model)
    if target is None or not is_many_to_one(step.model, step.relationship, models):
        return ()
    pair = key_to(step.model, target)
    if pair is None:
        return ()
    column, key = pair
    around = _parents(scope.node, loading.read.direct)
    found = tuple(KeyRead(outer, node.value, column) for node, outer in around if outer.attr == key)
    return found if len(found) == len(loading.read.direct) else ()


def _parents(tree: ast.AST, nodes: Iterable[ast.AST]) -> list[tuple[ast.Attribute, ast.Attribute]]:
    """The attributes `a.b` among the nodes that stand left of another attribute, with that one: `a.b.c`."""
    wanted = {id(node) for node in nodes}
    return [
        (outer.value, outer)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.Attribute)
        and isinstance(outer.ctx, ast.Load)
        and isinstance(outer.value, ast.Attribute)
        and id(outer.value) in wanted
    ]
