"""The words in which summaries of functions speak."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from alchemod.facts.module import Module

Certain: TypeAlias = Literal["no", "may", "must"]
Kept: TypeAlias = Literal["no", "yes", "unknown"]
Reads: TypeAlias = Literal["nothing", "columns", "unknown"]

Effect: TypeAlias = Literal["commit", "rollback", "expire", "expunge", "write"]
"""What happens to the transaction and to the objects of a session. `write` stands for everything that changes rows or
what relationships hold: add, delete, flush, DML, an assignment."""

DeedKind: TypeAlias = Literal[
    "commit", "rollback", "close", "expire", "refresh", "expunge", "flush", "write", "assign", "unseen", "callback"
]
"""`write` is an add, a delete, a merge or DML; `assign` sets an attribute that decides about a relationship; `unseen`
is code that is not looked at although it gets a session; `callback` calls what a variable holds."""

Given: TypeAlias = Literal["session", "object", "rows", "lazy", "carrier", "holder"]
"""What an argument is: a session, an object or a collection of objects of one, a Query or Result, or something else
that leads to the session (a transaction, a bound method), or keeps it (a repository)."""

Held: TypeAlias = Literal["no", "result", "receiver"]
"""Whether a callee keeps its argument in the object that it makes, or in the one whose method it is."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that code may do to a session.

    `own`: to a session that the function doing it opened itself. `node` in `module` is where it is done, None for code
    that is not seen; `calls` are the names of the functions that lead there, the outermost first; empty where the code
    does it itself.
    """

    kind: DeedKind
    node: ast.AST | None = field(default=None, compare=False)
    module: Module | None = field(default=None, compare=False)
    own: bool = False
    calls: tuple[str, ...] = field(default=(), compare=False)

    @property
    def line(self) -> int:
        """The line of `module` where it is done."""
        return getattr(self.node, "lineno", 0)


Deeds: TypeAlias = frozenset[Deed]
"""At most one deed of each kind on own and on other sessions; the first that was met stands for all."""

UNKNOWN_CODE: Final[Deeds] = frozenset([Deed("unseen")])


def effects_of(deeds: Iterable[Deed]) -> frozenset[Effect]:
    """What deeds do to a session that is held on to meanwhile. Deeds to sessions of their own change rows only."""
    return frozenset(effect for deed in deeds for effect in (("write",) if deed.own else _EFFECTS[deed.kind]))


_EFFECTS: Final[dict[DeedKind, tuple[Effect, ...]]] = {
    "commit": ("commit",),
    "rollback": ("rollback",),
    "close": ("expunge",),
    "expire": ("expire",),
    "refresh": ("expire",),
    "expunge": ("expunge",),
    "flush": ("write",),
    "write": ("write",),
    "assign": ("write",),
    "unseen": ("write",),
    "callback": ("write", "commit"),
}
"""Closing expunges all objects; refreshing drops what was loaded eagerly."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a callee does with one argument: a session, or something that belongs to one.

    `kept`: whether it lives on somewhere after the call. `returned`: whether the result is, or holds, the argument.
    `effects` may happen, `surely` happen on every normal end; `at` says where each may happen first.
    """

    kept: Kept = "unknown"
    closes: Certain = "no"
    effects: frozenset[Effect] = frozenset()
    reads: Reads = "unknown"
    """What it reads of an object it gets."""
    returned: bool = False
    surely: frozenset[Effect] = frozenset()
    held: Held = "no"
    at: tuple[Deed, ...] = field(default=(), compare=False)

    @property
    def lets_go(self) -> bool:
        """Whether nothing has the argument after the call that did not have it before."""
        return self.kept == "no" and self.held == "no"


LENT: Final = Treatment("no", "no", frozenset(), "nothing")
"""The argument is not touched."""
SHOWN: Final = Treatment("no", "no", frozenset(), "unknown")
"""Its text or truth is asked for."""
UNSEEN: Final = Treatment()
"""Nothing is known."""


def either(treatments: Iterable[Treatment]) -> Treatment:
    """What one of several callees does, of which any may be called."""
    found = list(treatments)
    if not found:
        return UNSEEN
    closing = {treatment.closes for treatment in found}
    return Treatment(
        max((treatment.kept for treatment in found), key=("no", "unknown", "yes").index),
        closing.pop() if len(closing) == 1 else "may",
        frozenset().union(*(treatment.effects for treatment in found)),
        max((treatment.reads for treatment in found), key=("nothing", "columns", "unknown").index),
        any(treatment.returned for treatment in found),
        frozenset.intersection(*(treatment.surely for treatment in found)),
        next((treatment.held for treatment in found if treatment.held != "no"), "no"),
        tuple(deed for treatment in found for deed in treatment.at),
    )
