"""How the objects that a loop looks up one by one can be asked for at once: by the keys of all its elements."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import Final

from alchemod.facts.model import Model
from alchemod.inference.loading.lookups import Lookup
from alchemod.inference.mapping.keys import primary_key
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.rows.reads import position
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import Answer, Collection, Object, Place, Rows, Statement

_HEADS: Final = (ast.Return, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.For)
"""Statements before which another one can be put when a part of them needs it."""
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Batch:
    """Before the statement `before`, a dictionary `name` takes the objects, by the keys of the elements of `iterated`.

    `row` is the name of an element, `item` that of an object. `listed` is a name for what is gone over, where it has to
    be kept to be gone over twice; `asks` says that it is a Query then, which `all()` executes.
    """

    lookup: Lookup
    before: ast.stmt
    iterated: ast.expr
    row: str
    name: str
    item: str
    listed: str = ""
    asks: bool = False

    @property
    def code(self) -> str:
        """The statements, a template of the verbs with the holes `entity`, `session` and `rows`, what is gone over."""
        first = f"{self.listed} = {{rows}}{'.all()' if self.asks else ''}\n" if self.listed else ""
        column, item = self.lookup.column, self.item
        return f"{first}{self.name} = {{{{{item}.{column}: {item} for {item} in {self._query}}}}}"

    @property
    def _query(self) -> str:
        """The query that asks for all objects."""
        found, source = self.lookup, self.listed or ast.unparse(self.iterated)
        key = ast.unparse(found.key)
        keys = source if key == self.row else f"{{{{{key} for {self.row} in {source}}}}}"
        criterion = f"{{entity}}.{found.column}.in_({keys})"
        if found.is_query:
            return f"{{session}}.query{'' if found.of_class else '({entity})'}.filter({criterion})"
        scalars = f"{{session}}.scalars({{sqlalchemy.select}}({{entity}}).where({criterion}))"
        return f"await {scalars}" if found.is_async else scalars


def batch_for(
    found: Lookup, loop: ast.AST, row: ast.Name, nodes: list[ast.AST], inside: Place, resolver: Resolver
) -> Batch | str:
    """How the objects that `loop` looks up by its element `row` can be asked for at once, or why they cannot."""
    model = found.entity.model
    if not _is_unique(model, found.column):
        return f"several {model.name} may have one {found.column}"
    iterated = _iterated(loop, row.id)
    statement = _statement_of(loop, nodes)
    if iterated is None or statement is None:
        return "nothing can be put before the loop"
    item = _WORDS.sub("_", model.name).lower()
    batch = Batch(found, statement, iterated, row.id, _free(f"{item}_by_{found.column}", inside.scope), item)
    answer = resolver.value(iterated, Place(inside.module, inside.scope.innermost(iterated)))
    listed = _free(f"{row.id}s", inside.scope)
    match answer:
        case Answer(value=Rows(lazy=False) | Collection(lazy=False)) if isinstance(iterated, ast.Name):
            return batch
        case Answer(value=Rows() | Statement(style="query")) if isinstance(loop, ast.For):
            return replace(batch, listed=listed, asks=isinstance(answer.value, Statement))
        case Answer(value=Rows(lazy=False) | Collection(element=Object(), lazy=False)):
            return replace(batch, listed=listed)
    return "what the loop goes over is not known to be a list"


def _is_unique(model: Model, name: str) -> bool:
    if primary_key(model) == name:
        return True
    column = model.attributes.get(name)
    unique = column.keyword("unique") if column is not None else None
    return isinstance(unique, ast.Constant) and unique.value is True


def _iterated(loop: ast.AST, name: str) -> ast.expr | None:
    """What a loop goes over whose elements are called `name`, one by one."""
    clauses = [loop] if isinstance(loop, ast.For) else getattr(loop, "generators", [])
    for clause in clauses:
        if isinstance(clause.target, ast.Name) and clause.target.id == name:
            iterated: ast.expr = clause.iter
            return iterated
    return None


def _statement_of(loop: ast.AST, nodes: list[ast.AST]) -> ast.stmt | None:
    """The statement that a loop is or stands in, if something can be put before it."""
    if isinstance(loop, ast.For):
        return loop
    around = [node for node in nodes if isinstance(node, ast.stmt) and any(part is loop for part in ast.walk(node))]
    innermost = max(around, key=position, default=None)
    return innermost if isinstance(innermost, _HEADS) else None


def _free(name: str, scope: Scope) -> str:
    """The name, or one like it that means nothing here yet."""
    while scope.owner(name) is not None or any(name in inner.bindings for inner in scope.within()):
        name += "_"
    return name
