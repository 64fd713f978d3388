"""The loader options that a statement already has: which relationships they decide about.

SQLAlchemy 1.4 to 2.1: "Relationship Loading Techniques"; strings for attributes are those of 1.x.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from alchemod.facts.module import last_name
from alchemod.inference.control.reaching import definitions

Names: TypeAlias = tuple[str, ...]
"""The relationships on the way from an entity of the statement, the first one first."""

_LOADERS: Final = frozenset(
    {
        *("joinedload", "selectinload", "subqueryload", "lazyload", "immediateload", "noload", "raiseload"),
        *("contains_eager", "defaultload", "eagerload", "joinedload_all", "subqueryload_all", "eagerload_all"),
    }
)
"""Functions (and methods of Load) that say how a relationship loads; the `_all` ones take a whole path."""
_NOT_LOADING: Final = frozenset({"lazyload", "noload", "raiseload"})
_OF_COLUMNS: Final = frozenset(
    {"load_only", "defer", "undefer", "undefer_group", "with_expression", "selectin_polymorphic", "contains_alias"}
)
_MAX_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """What the options of a statement decide.

    `chosen` are the loaders by the relationship they speak of. `ends` are options that can be led on: arguments of
    `options()` that are written there, by where they end. `all` is the option that speaks of every relationship: a
    wildcard, loader criteria, eager loading switched off; `below` are relationships under which a wildcard speaks of
    all. `unread` is an option that is not understood.
    """

    chosen: Mapping[Names, str] = field(default_factory=dict)
    ends: Mapping[Names, ast.expr] = field(default_factory=dict)
    below: frozenset[Names] = frozenset()
    all: ast.expr | None = None
    unread: ast.expr | None = None

    @property
    def names(self) -> frozenset[str]:
        """The relationships of the entities themselves that an option speaks of."""
        return frozenset(names[0] for names in self.chosen)

    def decides(self, names: Names) -> bool:
        """Whether an option says how a relationship loads, or that one on the way to it does not load with the rows."""
        if self.all is not None or names in self.chosen:
            return True
        before = [names[:end] for end in range(1, len(names))]
        return any(prefix in self.below or self.chosen.get(prefix) in _NOT_LOADING for prefix in before)


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
                reading.option(argument, 0, is_written=True)
            if call.keywords:
                reading.unread = reading.unread or call
        elif name == "enable_eagerloads":
            reading.all = call
    return reading.found


def listed_options(
    listed: ast.expr | None, root: ast.Module | None, called: Callable[[ast.Call], str] = last_name
) -> LoaderOptions:
    """The options that a list holds, that of `session.get(..., options=[...])`; only a display can be added to."""
    reading = _Reading(root, called)
    match listed:
        case ast.List(elts=[_, *_] as options):
            for option in options:
                reading.option(option, 0, is_written=True)
        case ast.expr():
            reading.unread = listed
    return reading.found


def together(one: LoaderOptions, other: LoaderOptions) -> LoaderOptions:
    """The options that are given in two places, of which only the first can be led on."""
    return LoaderOptions(
        {**other.chosen, **one.chosen},
        one.ends,
        one.below | other.below,
        one.all or other.all,
        one.unread or other.unread,
    )


class _Reading:
    def __init__(self, root: ast.Module | None, called: Callable[[ast.Call], str]) -> None:
        self.chosen: Final[dict[Names, str]] = {}
        self.ends: Final[dict[Names, ast.expr]] = {}
        self.below: Final[set[Names]] = set()
        self.all: ast.expr | None = None
        self.unread: ast.expr | None = None
        self._root: Final = root
        self._called: Final = called

    @property
    def found(self) -> LoaderOptions:
        return LoaderOptions(self.chosen, self.ends, frozenset(self.below), self.all, self.unread)

    def option(self, node: ast.expr, depth: int, *, is_written: bool = False) -> None:
        """Take in one argument of `options()`; `is_written`: it stands there itself."""
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
                end = self._chain(node, ())
                if is_written and end:
                    self.ends.setdefault(end, node)
            case _:
                self.unread = self.unread or node

    def _variable(self, name: ast.Name, depth: int) -> None:
        single = definitions(self._root, name).single if self._root is not None else None
        value = single.value if single is not None and single.kind == "assignment" and single.position == () else None
        if value is None or self._root is None or _is_changed(name.id, self._root, value):
            self.unread = self.unread or name
        else:
            self.option(value, depth + 1)

    def _chain(self, call: ast.Call, start: Names) -> Names:
        """Take in a chain of options below `start`; returns where it ends, () when nothing can be added there."""
        links = _links(call)
        name = self._called(links[0])
        if name == "Load":
            links = links[1:]
            if not links:
                return ()
            name = last_name(links[0])
        at = start
        for index, link in enumerate(links):
            name = name if index == 0 else last_name(link)
            if name in _OF_COLUMNS:
                continue
            if name == "options" and index:
                for inner in link.args:
                    self._inner(inner, at)
                continue
            if name == "with_loader_criteria":
                self.all = call
                return ()
            found = self._names(name, link, at) if name in _LOADERS and link.args else None
            if found is None:
                self.unread = self.unread or call
                return ()
            if found == at:
                return ()
            at = found
        return at if at != start and last_name(links[-1]) in _LOADERS else ()

    def _inner(self, option: ast.expr, at: Names) -> None:
        match option:
            case ast.Call():
                self._chain(option, at)
            case _:
                self.unread = self.unread or option

    def _names(self, loader: str, link: ast.Call, at: Names) -> Names | None:
        """Take in one loader; returns where it ends, `at` itself for a wildcard, None if it is not understood."""
        names = at
        for path in link.args:
            steps = list(_steps(path))
            if not steps:
                return None
            if steps == ["*"]:
                self._wildcard(link, names)
                return names
            for number, step in enumerate(steps, 1):
                names = (*names, step)
                on_the_way = number < len(steps) and not loader.endswith("_all")
                self.chosen.setdefault(names, "defaultload" if on_the_way else loader.removesuffix("_all"))
        return names

    def _wildcard(self, link: ast.Call, at: Names) -> None:
        if at:
            self.below.add(at)
        else:
            self.all = link


def _steps(path: ast.expr) -> Iterator[str]:
    """The relationships that the argument of a loader names, `*` for all; none when it is not understood."""
    match path:
        case ast.Constant(value=str(text)):
            yield from text.split(".")
        case ast.Attribute(attr=name):
            yield name
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr="of_type" | "and_")):
            yield name


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
