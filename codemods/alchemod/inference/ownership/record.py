"""What one walk over a function saw of one session."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from alchemod.inference.control.domain import Channel
from alchemod.inference.ownership.state import Life, State
from alchemod.inference.summaries.vocabulary import Effect, Treatment

UseKind: TypeAlias = Literal["session", "lazy", "read", "pass", "write", "elsewhere", "yields"]
"""A use of the session, of a lazy value of it, of an object of it: read, passed to a callee, written to, added to
another session, yielded."""

Outcome: TypeAlias = Literal["works", "unknown", "may fail", "fails"]

EscapeKind: TypeAlias = Literal[
    "lent",
    "closed by callee",
    "yielded",
    "returned",
    "stored",
    "held",
    "captured",
    "registered",
    "kept",
    "unknown callee",
]

_OUTCOMES: tuple[Outcome, ...] = ("works", "unknown", "may fail", "fails")


@dataclass(slots=True)
class Use:
    """A use at a node. `lives` are those the session may have there; `outcomes` is how the use ends if it is closed."""

    node: ast.AST
    kind: UseKind
    source: ast.AST | None = None
    """What made the value that is used, None for the session."""
    lives: set[Life] = field(default_factory=set)
    outcomes: set[Outcome] = field(default_factory=set)

    @property
    def closed(self) -> Outcome:
        """How it may end at worst."""
        return max(self.outcomes, default="works", key=_OUTCOMES.index)

    @property
    def surely_fails(self) -> bool:
        """Whether it fails on every way here."""
        return self.outcomes == {"fails"}

    def add(self, life: Life, closed: Outcome) -> None:
        """Note one more way to get here."""
        self.lives.add(life)
        self.outcomes.add(closed)


@dataclass(slots=True)
class Record:
    """Everything a walk noted about the session opened at `site`, or given by the parameter `site`."""

    site: ast.Call | ast.arg
    uses: dict[tuple[ast.AST, UseKind], Use] = field(default_factory=dict)
    escapes: dict[EscapeKind, ast.AST] = field(default_factory=dict)
    """How the session gets out of the function's hands, each with its first place."""
    closes: list[ast.Call] = field(default_factory=list)
    commits: list[ast.AST] = field(default_factory=list)
    writes: list[ast.AST] = field(default_factory=list)
    reuses: list[ast.AST] = field(default_factory=list)
    """Uses that open the session again after a close."""
    effects: dict[Effect, ast.AST] = field(default_factory=dict)
    """What may be done to its transaction and objects, each with the first place."""
    lent: dict[ast.Call, Treatment] = field(default_factory=dict)
    """What callees that get the session do with it."""
    lost: list[ast.AST] = field(default_factory=list)
    """Where the last name of the open session is lost."""
    entered_by_hand: list[ast.AST] = field(default_factory=list)
    rebound: list[ast.AST] = field(default_factory=list)
    """Where it is given another bind."""
    managed: list[ast.AST] = field(default_factory=list)
    """`with` items and stacks that close it."""
    yields: list[ast.AST] = field(default_factory=list)
    """Where the session itself is yielded."""
    loaded_before_yield: bool = False
    exits: dict[Channel, State] = field(default_factory=dict)
    """The state in which each channel of the function is left."""

    def use(
        self, node: ast.AST, kind: UseKind, life: Life, closed: Outcome = "works", source: ast.AST | None = None
    ) -> None:
        """Note a use in one life of the session."""
        self.uses.setdefault((node, kind), Use(node, kind, source)).add(life, closed)

    def escape(self, kind: EscapeKind, node: ast.AST) -> None:
        """Note an escape of the session; the first place of each kind is kept."""
        self.escapes.setdefault(kind, node)


def note(places: list[ast.AST], node: ast.AST) -> None:
    """Add `node` unless it is there."""
    if node not in places:
        places.append(node)
