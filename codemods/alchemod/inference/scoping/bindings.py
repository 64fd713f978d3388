"""The places that bind a name: assignments, loops, imports, parameters and the rest.

Rules of the Python reference, section 4.2.1 "Binding of names".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

BindingKind: TypeAlias = Literal[
    "assignment", "annotation", "augmented", "walrus", "loop", "with", "except", "match", "parameter",
    "import", "function", "class", "delete", "comprehension", "type",
]  # fmt: skip


@dataclass(slots=True, eq=False)
class Binding:
    """One place that binds (or, for `delete`, unbinds) a name. Compared by identity.

    `node` is the statement or clause that binds: Assign, AnnAssign, AugAssign, NamedExpr, For, AsyncFor,
    withitem, ExceptHandler, a match pattern, arg, alias, a def or class, Delete, comprehension. `target` is
    the Name bound, or `node` where there is none. `value` is the expression the name's value comes from:
    the assigned expression, the iterable of a loop, the context manager, the default of a parameter, the
    class of an `except`; None where there is none (an annotation without value only declares). `position`
    says which part of that value (for a loop: of each element) the name gets: () the whole, (1,) its second
    item, None an unknown part. Displays are already matched by position: in `a, s = 1, Maker()` the value
    of `s` is `Maker()` with position ().
    """

    name: str
    kind: BindingKind
    node: ast.AST
    target: ast.AST
    value: ast.expr | None = None
    position: tuple[int, ...] | None = ()
    statement: ast.Import | ast.ImportFrom | None = None
    """The import statement, for an import (its `node` is the alias)."""


def bindings_in(node: ast.AST) -> Iterator[Binding]:
    """The names that this statement or clause itself binds, not those bound by what is inside it.
    Definitions and parameters are not covered: they are scopes."""
    binder = _BINDERS.get(type(node))
    return binder(node) if binder is not None else iter(())


def _of_assign(node: ast.Assign) -> Iterator[Binding]:
    for target in node.targets:
        yield from _unpack("assignment", node, target, node.value)


def _of_annotation(node: ast.AnnAssign) -> Iterator[Binding]:
    if isinstance(node.target, ast.Name):
        yield Binding(node.target.id, "annotation", node, node.target, node.value)


def _of_augmented(node: ast.AugAssign) -> Iterator[Binding]:
    if isinstance(node.target, ast.Name):
        yield Binding(node.target.id, "augmented", node, node.target, node.value)


def _of_walrus(node: ast.NamedExpr) -> Iterator[Binding]:
    yield Binding(node.target.id, "walrus", node, node.target, node.value)


def _of_loop(node: ast.For | ast.AsyncFor) -> Iterator[Binding]:
    yield from _unpack("loop", node, node.target, node.iter)


def _of_clause(node: ast.comprehension) -> Iterator[Binding]:
    yield from _unpack("comprehension", node, node.target, node.iter)


def _of_with(node: ast.withitem) -> Iterator[Binding]:
    if node.optional_vars is not None:
        yield from _unpack("with", node, node.optional_vars, node.context_expr)


def _of_handler(node: ast.ExceptHandler) -> Iterator[Binding]:
    if node.name is not None:
        yield Binding(node.name, "except", node, node, node.type)


def _of_import(node: ast.Import | ast.ImportFrom) -> Iterator[Binding]:
    for alias in node.names:
        if alias.name != "*":
            yield Binding(alias.asname or alias.name.partition(".")[0], "import", alias, alias, statement=node)


def _of_pattern(node: ast.MatchAs | ast.MatchStar) -> Iterator[Binding]:
    if node.name is not None:
        yield Binding(node.name, "match", node, node, None, None)


def _of_mapping(node: ast.MatchMapping) -> Iterator[Binding]:
    if node.rest is not None:
        yield Binding(node.rest, "match", node, node, None, None)


def _of_delete(node: ast.Delete) -> Iterator[Binding]:
    for target in node.targets:
        yield from _unpack("delete", node, target, None)


_BINDERS: Final[dict[type, Callable[[Any], Iterator[Binding]]]] = {
    ast.Assign: _of_assign,
    ast.AnnAssign: _of_annotation,
    ast.AugAssign: _of_augmented,
    ast.NamedExpr: _of_walrus,
    ast.For: _of_loop,
    ast.AsyncFor: _of_loop,
    ast.comprehension: _of_clause,
    ast.withitem: _of_with,
    ast.ExceptHandler: _of_handler,
    ast.Import: _of_import,
    ast.ImportFrom: _of_import,
    ast.MatchAs: _of_pattern,
    ast.MatchStar: _of_pattern,
    ast.MatchMapping: _of_mapping,
    ast.Delete: _of_delete,
}
BINDING: Final = frozenset(_BINDERS)
"""The classes of nodes that bind names themselves."""


_Part: TypeAlias = tuple[ast.expr, ast.expr | None, tuple[int, ...] | None]


def _unpack(kind: BindingKind, node: ast.AST, target: ast.expr, value: ast.expr | None) -> Iterator[Binding]:
    """The bindings of a target, tuples taken apart; a display on the right is matched by position."""
    stack: list[_Part] = [(target, value, ())]
    while stack:
        part, source, position = stack.pop()
        if isinstance(part, ast.Name):
            yield Binding(part.id, kind, node, part, source, position)
        elif isinstance(part, ast.Starred):
            stack.append((part.value, source, None))
        elif isinstance(part, (ast.Tuple, ast.List)):
            stack += reversed(_parts(kind, part.elts, source, position))


def _parts(
    kind: BindingKind, targets: list[ast.expr], source: ast.expr | None, position: tuple[int, ...] | None
) -> list[_Part]:
    if kind == "assignment" and position == () and isinstance(source, (ast.Tuple, ast.List)):
        plain = not any(isinstance(item, ast.Starred) for item in (*targets, *source.elts))
        if plain and len(targets) == len(source.elts):
            return [(target, item, ()) for target, item in zip(targets, source.elts, strict=True)]
    parts: list[_Part] = []
    for index, target in enumerate(targets):
        if isinstance(target, ast.Starred):
            position = None
        parts.append((target, source, None if position is None else (*position, index)))
    return parts
