"""Whether code reads the rows of a Query in a way that shows their keys.

A Query keeps equal column names as they are and gives none to an expression without a label; `select()` calls the
second `id` `id_1`, and an unlabelled count `count`. Rows that are unpacked, indexed or read by a name of their own do
not show it (verified by execution on SQLAlchemy 1.4 to 2.1).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, Literal

from alchemod.inference.control.reaching import definitions
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.translation.columns import ColumnList
from alchemod.inference.translation.situation import Situation
from alchemod.inference.uses.parents import Parents, parents_of

_Shape = Literal["row", "rows"]
_ONE_ROW: Final = frozenset({"first", "one", "one_or_none"})
_MEASURING: Final = frozenset({"len", "bool", "any", "all"})
_LISTING: Final = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter"})
_MAX_STEPS: Final = 200


def why_keys_matter(here: Situation) -> str:
    """Why the keys of the rows may show, as a sentence; "" when they are the same or are not read."""
    columns = here.columns
    if columns.kind == "entity" or not (columns.repeated or columns.nameless):
        return ""
    tree = here.use.place.scope.root.node
    assert isinstance(tree, ast.Module)
    is_blind = _Reading(tree, here.use.place.scope.root, columns).is_blind(here)
    return "" if is_blind else why_keys_differ(columns)


def why_keys_differ(columns: ColumnList) -> str:
    """In what the keys of the rows differ, as a sentence; "" when they are the same."""
    if columns.kind == "entity" or not (columns.repeated or columns.nameless):
        return ""
    if columns.repeated:
        return f"the rows have two keys {columns.repeated[0]}, select() calls the second {columns.repeated[0]}_1"
    nameless = columns.nameless[0].node
    return f"select() gives the rows a key for {ast.unparse(nameless) if nameless is not None else 'an expression'}"


class _Reading:
    """Follows rows through the code of a module."""

    def __init__(self, tree: ast.Module, root: Scope, columns: ColumnList) -> None:
        self._tree: Final = tree
        self._root: Final = root
        self._parents: Final[Parents] = parents_of(tree)
        self._unique: Final = {column.name for column in columns.columns if column.name is not None} - set(
            columns.repeated
        )

    def is_blind(self, here: Situation) -> bool:
        """Whether nothing reads the keys of the rows that a use gives."""
        use = here.use
        pending: list[tuple[ast.AST, _Shape]]
        if use.kind in {"iterated", "listed", "argument"}:
            pending = [(use.receiver, "rows")]
        else:
            is_row = use.name in _ONE_ROW or (use.kind == "subscript" and not _is_slice(use.node))
            pending = [(use.node, "row" if is_row else "rows")]
        for _ in range(_MAX_STEPS):
            if not pending:
                return True
            node, shape = pending.pop()
            found = self._row(node) if shape == "row" else self._rows(node)
            if found is None:
                return False
            pending += found
        return False

    def _rows(self, node: ast.AST) -> list[tuple[ast.AST, _Shape]] | None:
        """What reads rows at an expression that gives several; None when it may read their keys."""
        above = self._parents.of(node)
        match above:
            case ast.For(iter=iterable) | ast.comprehension(iter=iterable) if iterable is node:
                return list(self._iterated(above, node))
            case ast.Call(func=ast.Name(id=name), args=[argument]) if argument is node:
                if name in _MEASURING or name == "dict":
                    return []
                return [(above, "rows")] if name in _LISTING else None
            case ast.Subscript(value=value) if value is node:
                return [(above, "rows" if _is_slice(above) else "row")]
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.If() | ast.While() | ast.Expr():
                return [] if not isinstance(above, ast.BoolOp) else None
            case ast.Assign(targets=[ast.Name() as target]):
                return self._reads(target, "rows")
        return None

    def _row(self, node: ast.AST) -> list[tuple[ast.AST, _Shape]] | None:
        """What reads one row; None when it may read its keys."""
        above = self._parents.of(node)
        match above:
            case ast.Subscript(value=value) if value is node:
                return [] if not isinstance(above.slice, ast.Constant) or isinstance(above.slice.value, int) else None
            case ast.Attribute(value=value, attr=name) if value is node:
                return [] if name in self._unique and not self._is_called(above) else None
            case ast.Assign(targets=[ast.Tuple() | ast.List()]) | ast.Starred() | ast.Expr():
                return []
            case ast.Assign(targets=[ast.Name() as target]):
                return self._reads(target, "row")
            case ast.For(target=ast.Tuple() | ast.List()):
                return []
            case ast.Call(func=ast.Name(id="list" | "tuple" | "len" | "bool"), args=[argument]) if argument is node:
                return []
            case ast.Compare(ops=[ast.Is() | ast.IsNot()]) | ast.UnaryOp(op=ast.Not()) | ast.If() | ast.While():
                return []
        return None

    def _is_called(self, node: ast.Attribute) -> bool:
        above = self._parents.of(node)
        return isinstance(above, ast.Call) and above.func is node

    def _iterated(self, loop: ast.AST, iterable: ast.AST) -> Iterator[tuple[ast.AST, _Shape]]:
        """What reads the rows of a loop: nothing when its target takes them apart."""
        target = loop.target if isinstance(loop, ast.For | ast.comprehension) else None
        match target:
            case ast.Tuple() | ast.List():
                return
            case ast.Name() if (reads := self._reads(target, "row")) is not None:
                yield from reads
            case _:
                yield iterable, "row"

    def _reads(self, target: ast.Name, shape: _Shape) -> list[tuple[ast.AST, _Shape]] | None:
        binding = self._binding(target)
        if binding is None:
            return None
        found: list[tuple[ast.AST, _Shape]] = []
        for read in self._parents.reads(target.id):
            seen = definitions(self._tree, read)
            if binding in seen.sites:
                if not seen.exact or (seen.captured and seen.sites != {binding}):
                    return None
                found.append((read, shape))
        return found

    def _binding(self, target: ast.Name) -> Binding | None:
        scope: Scope | None = self._root.innermost(target)
        while scope is not None:
            if (binding := scope.binding_of.get(target)) is not None:
                return None if scope.parent is None else binding
            scope = scope.parent
        return None


def _is_slice(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)
