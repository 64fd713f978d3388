"""The loader options that a statement already has: which relationships they decide about.

SQLAlchemy 1.4 to 2.1: "Relationship Loading Techniques"; strings for attributes are those of 1.x.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.reaching import definitions

_LOADERS: Final = frozenset(
    {
        *("joinedload", "selectinload", "subqueryload", "lazyload", "immediateload", "noload", "raiseload"),
        *("contains_eager", "defaultload", "eagerload", "joinedload_all", "subqueryload_all", "eagerload_all"),
    }
)
"""Functions (and methods of Load) that say how a relationship loads; the `_all` ones take a whole path."""
_OF_COLUMNS: Final = frozenset(
    {"load_only", "defer", "undefer", "undefer_group", "with_expression", "selectin_polymorphic", "contains_alias"}
)
_MAX_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """What the options of a statement decide.

    `names` are the relationships of its entities that an option speaks of. `all` is the option that speaks of every
    relationship: a wildcard, loader criteria, eager loading switched off. `unread` is one that is not understood.
    """

    names: frozenset[str] = frozenset()
    all: ast.expr | None = None
    unread: ast.expr | None = None


def loader_options(
    steps: Iterable[tuple[str, ast.Call]],
    root: ast.Module | None,
    called: Callable[[ast.Call], str] = last_name,
) -> LoaderOptions:
    """The options that the steps of a chain give to a statement.

    Variables are looked up in the module `root`; without it they are not understood. `called` gives the name of the
    function that a call calls, whatever it is imported as.
    """
    reading = _Reading(root, called)
    for name, call in steps:
        if name == "options":
            for argument in call.args:
                reading.option(argument, 0)
            if call.keywords:
                reading.unread = reading.unread or call
        elif name == "enable_eagerloads":
            reading.all = call
    return LoaderOptions(frozenset(reading.names), reading.all, reading.unread)


def together(one: LoaderOptions, other: LoaderOptions) -> LoaderOptions:
    """The options that are given in two places."""
    return LoaderOptions(one.names | other.names, one.all or other.all, one.unread or other.unread)


class _Reading:
    def __init__(self, root: ast.Module | None, called: Callable[[ast.Call], str]) -> None:
        self.names: Final[set[str]] = set()
        self.all: ast.expr | None = None
        self.unread: ast.expr | None = None
        self._root: Final = root
        self._called: Final = called

    def option(self, node: ast.expr, depth: int) -> None:
        """Take in one argument of `options()`."""
        if depth > _MAX_DEPTH:
            self.unread = node
            return
        match node:
            case ast.Starred(value=inner):
                self.option(inner, depth + 1)
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                for part in parts:
                    self.option(part, depth + 1)
            case ast.IfExp(body=body, orelse=orelse):
                self.option(body, depth + 1)
                self.option(orelse, depth + 1)
            case ast.Name():
                self._variable(node, depth)
            case ast.Call():
                self._call(node)
            case _:
                self.unread = self.unread or node

    def _variable(self, name: ast.Name, depth: int) -> None:
        single = definitions(self._root, name).single if self._root is not None else None
        value = single.value if single is not None and single.kind == "assignment" and single.position == () else None
        if value is None or self._root is None or _is_changed(name.id, self._root, value):
            self.unread = self.unread or name
        else:
            self.option(value, depth + 1)

    def _call(self, call: ast.Call) -> None:
        links = _links(call)
        name = self._called(links[0])
        if name == "Load":
            links = links[1:]
            if not links:
                return
            name = last_name(links[0])
        if name in _OF_COLUMNS:
            return
        if name == "with_loader_criteria":
            self.all = call
        elif name in _LOADERS and links[0].args:
            self._path(links[0].args[0], call)
        else:
            self.unread = self.unread or call

    def _path(self, path: ast.expr, option: ast.Call) -> None:
        match path:
            case ast.Constant(value="*"):
                self.all = option
            case ast.Constant(value=str(text)):
                self.names.add(text.partition(".")[0])
            case ast.Attribute(attr=name):
                self.names.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr="of_type" | "and_")):
                self.names.add(name)
            case _:
                self.unread = self.unread or option


def _links(call: ast.Call) -> list[ast.Call]:
    """The calls of a chain of options, the first one first: `Load(A)`, `joinedload(A.b)`, `selectinload(B.c)`."""
    links = [call]
    while isinstance(links[0].func, ast.Attribute) and isinstance(links[0].func.value, ast.Call):
        links.insert(0, links[0].func.value)
    return links


def _is_changed(name: str, root: ast.Module, value: ast.expr) -> bool:
    """Whether a list of options in a variable may be added to: a method is called on it."""
    if not isinstance(value, ast.List):
        return False
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name
        for node in ast.walk(root)
    )
