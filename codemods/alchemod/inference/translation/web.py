"""Where the value of a Query goes: through the steps of its chain and through variables, to where it is used."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.translation.keeping import Kept
from alchemod.inference.translation.passages import Passage
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.values import Place

STEPS: Final = frozenset(
    {
        "filter", "where", "filter_by", "having", "group_by", "order_by", "limit", "offset", "slice", "distinct",
        "join", "outerjoin", "select_from", "reset_joinpoint", "options", "enable_eagerloads", "enable_assertions",
        "populate_existing", "autoflush", "yield_per", "execution_options", "with_for_update", "params", "correlate",
        "prefix_with", "suffix_with", "with_hint", "with_statement_hint", "with_parent", "with_labels", "apply_labels",
        "set_label_style", "with_session", "with_entities", "add_columns", "add_column", "add_entity", "from_statement",
        "union", "union_all", "intersect", "intersect_all", "except_", "except_all", "from_self", "select_entity_from",
        "with_polymorphic", "with_transformation", "tuples", "only_return_tuples", "with_lockmode",
    }
)  # fmt: skip
"""Methods of Query that give another Query."""

UseKind: TypeAlias = Literal[
    "call",
    "attribute",
    "subscript",
    "iterated",
    "listed",
    "argument",
    "returned",
    "stored",
    "tested",
    "compared",
    "other",
]


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The expression that begins a Query: `session.query(User)`, `Query(User)`, `User.query`.

    `session` is the expression that it takes its session from, None when it has none yet.
    """

    node: ast.expr
    place: Place
    session: ast.expr | None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A method called on a Query that gives another one."""

    name: str
    call: ast.Call
    place: Place

    @property
    def method(self) -> ast.Attribute:
        """The method, before it is called."""
        assert isinstance(self.call.func, ast.Attribute)
        return self.call.func


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """Where a Query becomes something else.

    `receiver` is the Query, `node` what uses it: the call of a method (`name` is the method), an attribute that is
    read, a subscript; for the other kinds the expression or statement around it.
    """

    kind: UseKind
    receiver: ast.expr
    node: ast.AST
    place: Place
    name: str = ""


@dataclass(slots=True, eq=False)
class Web:
    """All code that one Query runs through. Queries that meet in a variable are of one web.

    `problems` say what keeps the web from being known completely.
    """

    origins: list[Origin] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    bindings: dict[Binding, Place] = field(default_factory=dict)
    reads: dict[ast.Name, Place] = field(default_factory=dict)
    passages: list[Passage] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_expression(self) -> bool:
        """Whether it is one chain of calls, used where it stands."""
        return not self.bindings and not self.passages and not self.kept and len(self.origins) == len(self.uses) == 1

    def place_of(self, node: ast.expr | ast.stmt) -> Place:
        """Where a node stands that is part of the web's code, in whichever of its files."""
        parts: list[Origin | Step | Use] = [*self.origins, *self.steps, *self.uses]
        places = [part.place for part in parts]
        for place in places:
            root = place.scope.root.node
            assert isinstance(root, ast.Module)
            if parents_of(root).holds(node):
                return Place(place.module, place.scope.root.innermost(node))
        return places[0]
