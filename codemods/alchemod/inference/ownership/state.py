"""The state that the life of one session is followed in.

A state maps each life the session may have at a point (not opened, open, closed) to what else holds there,
so what is said of an open session never mixes with what is said of a closed one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from alchemod.inference.ownership.knowledge import NO_OPTIONS, Options
from alchemod.inference.summaries.vocabulary import Effect

K = TypeVar("K")
V = TypeVar("V")

Life: TypeAlias = Literal["N", "O", "C", "R"]
"""N not opened, O open, C closed, R open again because it was used after it was closed."""


def is_open(lives: Iterable[Life]) -> bool:
    """Whether one of these lives is that of an open session."""
    return any(life in ("O", "R") for life in lives)


Transaction: TypeAlias = Literal["none", "begun", "dirty", "failed"]

Element: TypeAlias = Literal["L", "X", "E", "D"]
"""L loaded, X expired, E expunged, D deleted. Plain values are not tracked; lazy ones are refs of their own."""

Elements: TypeAlias = frozenset[Element]
LOADED: Final[Elements] = frozenset(["L"])
EXPIRED: Final[Elements] = frozenset(["X"])
DELETED: Final[Elements] = frozenset(["D"])

RefKind: TypeAlias = Literal[
    "session", "data", "rows", "lazy", "carrier", "holder", "unknown", "parameter", "outer", "none"
]

MAX_PATH: Final = 4


class Ref(NamedTuple):
    """Something a value may be. `site` is the node that made it or, for a parameter or outer name, the
    name.

    `session` is the session followed; `data` a mapped object made at `site`, or reached from it along
    `path` (`[]` is an element); `rows` a collection of such objects; `lazy` a Query, Result or generator;
    `carrier` a transaction, connection or bound method; `holder` an object that keeps the session, or a
    function inside that uses it (then `path` is the name it uses); `unknown` a value that may hold objects;
    `parameter` and `outer` what came in from the caller or from around the function; `none` is None.
    """

    kind: RefKind
    site: ast.AST | str | None = None
    path: tuple[str, ...] = ()

    def step(self, name: str, kind: RefKind = "data") -> Ref:
        """What the relationship `name`, or the element `[]`, of this is."""
        if len(self.path) >= MAX_PATH:
            return Ref("unknown", self.site)
        return Ref(kind, self.site, (*self.path, name))


Value: TypeAlias = frozenset[Ref]
NOTHING: Final[Value] = frozenset()
NONE: Final = Ref("none")
SESSION: Final = Ref("session")


@dataclass(frozen=True, slots=True)
class Data:
    """The objects made at one site.

    `loaded` are the paths touched on every way here. `tied`: they may belong to the session. `queried`:
    they came from the database, not from their constructor. `stale` are columns the query did not load.
    `written`: an attribute may have been assigned, so that columns computed by the database on update are
    expired at the next flush. `options` are the loader options of the query.
    """

    elements: Elements = LOADED
    loaded: frozenset[tuple[str, ...]] = frozenset()
    tied: bool = True
    queried: bool = True
    stale: frozenset[str] = frozenset()
    written: bool = False
    options: Options = NO_OPTIONS

    def expired(self) -> Data:
        """After commit, rollback, expire or a failed flush."""
        elements: Elements = frozenset(e if e in ("E", "D") else "X" for e in self.elements)
        return replace(self, elements=elements, loaded=frozenset()) if "X" in elements else self

    def refreshed(self) -> Data:
        """After a refresh of all columns."""
        return replace(self, elements=LOADED, loaded=frozenset(), written=False, queried=True)

    def refreshed_in_part(self, names: frozenset[str]) -> Data:
        """After a refresh of some attributes of one object."""
        return replace(self, loaded=self.loaded | {(name,) for name in names})

    def assigned(self, path: tuple[str, ...], computed: bool) -> Data:
        """After an attribute was assigned. What the database computes is left by the flush to be loaded."""
        if computed:
            return replace(self, written=True, stale=self.stale | {path[-1]}, loaded=self.loaded - {path})
        return replace(self, written=True, loaded=self.loaded | {path})

    def expunged(self) -> Data:
        """After an expunge; what was expired stays so."""
        return replace(self, elements=frozenset(e if e == "X" else "E" for e in self.elements))

    def given_away(self) -> Data:
        """After another session took it, whose it is from then on."""
        return replace(self, tied=False)

    def deleted(self) -> Data:
        """After a delete; columns stay readable."""
        return replace(self, elements=DELETED)

    def join(self, other: Data) -> Data:
        """What holds for either."""
        if self == other:
            return self
        return Data(
            self.elements | other.elements,
            self.loaded & other.loaded,
            self.tied or other.tied,
            self.queried and other.queried,
            self.stale | other.stale,
            self.written or other.written,
            self.options if self.options == other.options else Options(unread=True),
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds in one life of the session. Names that may be nothing of interest are missing or hold no
    ref."""

    names: Mapping[str, Value] = field(default_factory=dict)
    transaction: frozenset[Transaction] = frozenset(["none"])
    data: Mapping[ast.AST, Data] = field(default_factory=dict)
    out: frozenset[tuple[Ref, ast.AST]] = frozenset()
    """What the outside can see by now, and where it got out: stored objects, added parameters, exception arguments."""
    returned: frozenset[tuple[Ref, ast.AST]] = frozenset()
    """What the `return` on the way leads to."""
    done: frozenset[Effect] = frozenset()
    """What was done to the transaction and the objects on every way here."""

    def join(self, other: Facts) -> Facts:
        """What holds on either of two ways."""
        if self is other or self == other:
            return self
        return Facts(
            _either_names(self.names, other.names),
            self.transaction | other.transaction,
            _merge(self.data, other.data, Data.join),
            self.out | other.out,
            self.returned | other.returned,
            self.done & other.done,
        )

    def bind(self, name: str, value: Value) -> Facts:
        """The facts with `name` bound to `value`."""
        if self.names.get(name, NOTHING) == value:
            return self
        return replace(self, names={**self.names, name: value})

    def put(self, site: ast.AST, data: Data) -> Facts:
        """The facts with the objects of `site` being `data`."""
        return self if self.data.get(site) == data else replace(self, data={**self.data, site: data})

    def change(self, change: Callable[[Data], Data], sites: Iterable[ast.AST] | None = None) -> Facts:
        """The facts with the tied objects, of all sites or the given ones, changed."""
        chosen = self.data if sites is None else set(sites)
        data = {site: change(old) if site in chosen and old.tied else old for site, old in self.data.items()}
        return self if data == self.data else replace(self, data=data)

    def expired(self) -> Facts:
        """The facts after everything in the session was expired."""
        return self.change(Data.expired)

    def in_transaction(self, transaction: Transaction) -> Facts:
        """The facts with the transaction in this state."""
        return replace(self, transaction=frozenset([transaction]))

    def after(self, effect: Effect) -> Facts:
        """The facts with this done."""
        return self if effect in self.done else replace(self, done=self.done | {effect})

    def let_out(self, refs: Iterable[Ref], where: ast.AST) -> Facts:
        """The facts once `refs` can be seen outside."""
        out = self.out | {(ref, where) for ref in refs}
        return self if out == self.out else replace(self, out=out)


State: TypeAlias = dict[Life, Facts]


def join(a: State, b: State) -> State:
    """The join of two states, life by life."""
    if a is b:
        return a
    return _merge(a, b, Facts.join)


def _either_names(a: Mapping[str, Value], b: Mapping[str, Value]) -> dict[str, Value]:
    """What names hold on either of two ways. One that is None on one way, and something without interest on the other,
    is not known to be None."""
    if a == b:
        return dict(a)
    merged: dict[str, Value] = {}
    for name in a.keys() | b.keys():
        one, other = a.get(name, NOTHING), b.get(name, NOTHING)
        value = one | other
        merged[name] = value if one and other else value - {NONE}
    return merged


def _merge(a: Mapping[K, V], b: Mapping[K, V], both: Callable[[V, V], V]) -> dict[K, V]:
    merged = dict(a)
    for key, value in b.items():
        present = merged.setdefault(key, value)
        if present is not value:
            merged[key] = both(present, value)
    return merged


def with_life(state: State, change: Callable[[Life, Facts], Iterable[tuple[Life, Facts]]]) -> State:
    """The state after each of its lives has gone over into others."""
    result: State = {}
    for life, facts in state.items():
        for next_life, next_facts in change(life, facts):
            present = result.get(next_life)
            result[next_life] = next_facts if present is None else present.join(next_facts)
    return result
