"""Where the statement behind some rows is written, and where a loader option can be added to it.

A statement is followed backwards from the call that gives the rows: through methods of results and sessions, through
the steps of its chain, and through variables of the function, to the construct that begins it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from alchemod.facts.nodes import walk
from alchemod.inference.control.reaching import Definitions, definitions
from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.resolving.sessions import as_session
from alchemod.inference.resolving.statements import EXECUTING, NEW_COLUMNS
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.values import Answer, Entity, ModelClass, Place, Session, Statement, Term

Step: TypeAlias = tuple[str, ast.Call]

_ASSIGNING: Final = frozenset({"assignment", "annotation", "walrus"})
_MAX_WAYS: Final = 40


@dataclass(frozen=True, slots=True)
class Origin:
    """The statement behind the rows of a producer.

    `start` is the expression after which an option is added: the construct that begins the chain, or a variable.
    `steps` are the calls of the chain that stand in its function, `behind_start` those of them that follow `start` on
    every way, in order. `doubt` says why a change at `start` is not safe, `obstacle` why none can be made.
    """

    answer: Answer
    statement: Statement
    start: ast.expr
    steps: tuple[Step, ...]
    behind_start: tuple[Step, ...]
    place: Place
    """Where `start` stands."""
    base: ast.expr | None = None
    """The construct that begins the chain, None when there are several."""
    session: Session | None = None
    doubt: str | None = None
    obstacle: str | None = None
    by_key: bool = False
    """Whether `start` is a `session.get()`, which takes options as an argument."""
    given_options: ast.expr | None = None
    """The options that it is given."""
    others: bool = False
    """Whether the rows may also be those of another statement."""

    @property
    def is_async(self) -> bool:
        """Whether an AsyncSession executes the statement."""
        return self.session is not None and self.session.is_async

    @property
    def steps_elsewhere(self) -> list[Step]:
        """The steps of the statement that stand in other functions."""
        return [step for step in self.statement.steps if step not in self.steps]


def origin_of(site: ast.Call, place: Place, resolver: Resolver) -> Origin | None:
    """The statement behind the rows that `site`, a call in `place`, gives; None when it is not seen here."""
    return _Search(place, resolver).origin(site)


def joined(origin: Origin, others: Iterable[Origin | None]) -> Origin:
    """The origin of rows that a variable holds, when it holds those of `others` on other ways.

    Queries that grow from one construct count as one that is built on several ways.
    """
    steps = dict.fromkeys(origin.steps)
    for other in others:
        if other is None or origin.base is None or other.base is not origin.base:
            return replace(origin, others=True)
        steps |= dict.fromkeys(other.steps)
    assert origin.base is not None
    doubt = "the query is built on several ways"
    return replace(origin, start=origin.base, steps=tuple(steps), behind_start=(), doubt=doubt)


def uses_of(query: ast.expr, scope: Scope, tree: ast.Module) -> list[ast.Name]:
    """The reads of the variable that a Query is assigned to in the function of `scope`, none if there is no such."""
    for bindings in scope.bindings.values():
        for binding in bindings:
            if binding.value is query and binding.kind in _ASSIGNING:
                return [use for use in _reads_of(binding.name, scope) if binding in definitions(tree, use).sites]
    return []


def apart(origin: Origin, uses: Sequence[ast.Name], over: Sequence[ast.Name]) -> Origin:
    """The origin of the rows of a Query with several `uses`, of which loops go `over` some directly."""
    others = [use for use in uses if use not in over]
    if not others or len(uses) == 1:
        return origin
    doubt = origin.doubt or f"line {others[0].lineno} uses {others[0].id} too"
    if not over:
        return replace(origin, doubt=doubt)
    return replace(origin, start=over[0], behind_start=(), doubt=doubt)


class _Search:
    def __init__(self, place: Place, resolver: Resolver) -> None:
        self._module: Final = place.module
        self._root: Final = place.scope.root
        self._resolver: Final = resolver
        self._session: Session | None = None
        self._doubt: str | None = None
        self._obstacle: str | None = None
        self._starts: Final[dict[ast.expr, list[Step]]] = {}
        self._nearest: tuple[ast.Name, list[Step]] | None = None
        self._fixed: tuple[ast.Name, list[Step]] | None = None
        self._branches = False
        self._seen: Final[set[Binding]] = set()
        self._names: Final[set[ast.Name]] = set()

    def origin(self, site: ast.Call) -> Origin | None:
        if (got := self._got(site)) is not None:
            return got
        top = self._executed(site)
        answer = self._value(top) if top is not None else None
        if top is None or answer is None or not isinstance(answer.value, Statement):
            return None
        self._statement(top, [])
        if len(self._starts) > 1 and self._fixed is None:
            self._fixed = self._nearest
        if not self._starts or (len(self._starts) > 1 and self._fixed is None):
            return None
        steps = dict.fromkeys(step for way in self._starts.values() for step in reversed(way))
        start: ast.expr
        if self._fixed is not None:
            start, behind = self._fixed
        else:
            ((start, behind),) = self._starts.items()
            behind = [] if self._branches else behind
        start, behind = _past_new_columns(start, behind)
        return Origin(
            answer,
            answer.value,
            start,
            tuple(steps),
            tuple(reversed(behind)),
            self._place(start),
            next(iter(self._starts)) if len(self._starts) == 1 else None,
            self._session,
            self._doubt,
            self._obstacle,
        )

    def _got(self, site: ast.Call) -> Origin | None:
        """The origin of an object that `session.get(Model, key)` gives."""
        match site:
            case ast.Call(func=ast.Attribute(value=receiver, attr="get" | "get_one"), args=[cls, *_]):
                owner, target = as_session(self._value(receiver)), self._value(cls)
            case _:
                return None
        if owner is None or target is None or not isinstance(owner.value, Session):
            return None
        if not isinstance(target.value, ModelClass):
            return None
        place = self._place(site)
        statement = Statement(
            "select", (Term("entity", Entity(target.value, cls, place), cls),), node=site, place=place
        )
        doubt = "an object that the session holds already keeps what is loaded of it"
        answer = owner.then(statement)
        given = next((keyword.value for keyword in site.keywords if keyword.arg == "options"), None)
        return Origin(
            answer, statement, site, (), (), place, session=owner.value, doubt=doubt, by_key=True, given_options=given
        )

    def _executed(self, node: ast.expr) -> ast.expr | None:
        """From rows back to the statement whose execution gives them."""
        for _ in range(_MAX_WAYS):
            if self._is_statement(node):
                return node
            match node:
                case ast.Await(value=inner) | ast.NamedExpr(value=inner):
                    node = inner
                case ast.Call(func=ast.Attribute(value=receiver, attr=name), args=[first, *_]) if (
                    name in EXECUTING and self._is_statement(first)
                ):
                    owner = as_session(self._value(receiver))
                    self._session = owner.value if owner is not None and isinstance(owner.value, Session) else None
                    node = first
                case ast.Call(func=ast.Attribute(value=receiver)):
                    node = receiver
                case ast.Name():
                    single = self._definitions(node).single
                    if single is None or single.value is None or single.kind not in _ASSIGNING or single.position != ():
                        return None
                    node = single.value
                case _:
                    return None
        return None

    def _statement(self, node: ast.expr, behind: list[Step]) -> None:
        """From a statement back to the construct that begins it; `behind` are the steps that follow, the last first."""
        behind = list(behind)
        while True:
            match node:
                case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if self._is_statement(receiver):
                    behind.append((name, node))
                    node = receiver
                case ast.NamedExpr(value=inner):
                    node = inner
                case _:
                    break
        if isinstance(node, ast.Name):
            self._variable(node, behind)
        else:
            self._begun(node, behind)

    def _begun(self, node: ast.expr, behind: list[Step]) -> None:
        self._starts[node] = behind
        answer = self._value(node)
        if answer is None or not isinstance(answer.value, Statement):
            return
        begun = answer.value
        if begun.dynamic:
            self._doubt = self._doubt or "the query starts at a dynamic relationship"
        elif begun.node is not node:
            self._doubt = self._doubt or f"{ast.unparse(node)} makes the query somewhere else"
        self._session = self._session or begun.session or self._asked(node)

    def _asked(self, node: ast.expr) -> Session | None:
        """The session of `session.query(...)`."""
        match node:
            case ast.Call(func=ast.Attribute(value=receiver, attr="query")):
                owner = as_session(self._value(receiver))
                return owner.value if owner is not None and isinstance(owner.value, Session) else None
        return None

    def _variable(self, name: ast.Name, behind: list[Step]) -> None:
        self._nearest = self._nearest or (name, behind)
        self._names.add(name)
        found = self._definitions(name)
        followed = found.exact and not found.captured and not found.may_be_unbound and bool(found.sites)
        if not followed or any(site.kind not in _ASSIGNING or site.position != () for site in found.sites):
            self._from_outside(name, behind, found)
            return
        if found.single is None:
            self._branches = True
            self._doubt = self._doubt or f"{name.id} is built on several ways"
        if others := self._other_uses(name, found):
            self._fix(name, behind, f"line {others[0].lineno} uses {name.id} too")
        for site in sorted(found.sites, key=lambda site: getattr(site.target, "lineno", 0)):
            if site not in self._seen and site.value is not None and len(self._seen) < _MAX_WAYS:
                self._seen.add(site)
                self._statement(site.value, behind)

    def _from_outside(self, name: ast.Name, behind: list[Step], found: Definitions) -> None:
        self._starts[name] = behind
        if any(site.kind == "parameter" for site in found.sites):
            answer = self._value(name)
            if answer is None or answer.certainty != "proved":
                self._obstacle = self._obstacle or f"{name.id} comes from the callers, and not all of them are seen"
            self._fix(name, behind, f"{name.id} comes from the callers")
        else:
            self._fix(name, behind, f"how {name.id} is made is not seen in this function")

    def _fix(self, name: ast.Name, behind: list[Step], doubt: str) -> None:
        """The option goes behind the variable: a change further back would reach more than these rows."""
        self._fixed = self._fixed or (name, behind)
        self._doubt = self._doubt or doubt

    def _other_uses(self, name: ast.Name, found: Definitions) -> list[ast.Name]:
        """The reads that may see the same definitions, apart from those that grow the variable or lead to the rows."""
        owner = found.owner
        if owner is None:
            return []
        expected = self._names | {
            root for site in owner.bindings.get(name.id, ()) if (root := _grown_variable(site)) is not None
        }
        uses = (use for use in _reads_of(name.id, owner) if use not in expected)
        return [use for use in uses if self._definitions(use).sites & found.sites]

    def _definitions(self, name: ast.Name) -> Definitions:
        assert isinstance(self._root.node, ast.Module)
        return definitions(self._root.node, name)

    def _is_statement(self, node: ast.expr) -> bool:
        answer = self._value(node)
        return answer is not None and isinstance(answer.value, Statement)

    def _value(self, node: ast.expr) -> Answer | None:
        return self._resolver.value(node, self._place(node))

    def _place(self, node: ast.expr) -> Place:
        return Place(self._module, self._root.innermost(node))


def _past_new_columns(start: ast.expr, behind: list[Step]) -> tuple[ast.expr, list[Step]]:
    """Where the option goes when the column list is replaced further on."""
    for index, (name, call) in enumerate(behind):
        if name in NEW_COLUMNS:
            return call, behind[:index]
    return start, behind


def _grown_variable(site: Binding) -> ast.Name | None:
    """The read of the variable in an assignment that grows it: `q = q.filter(...)`."""
    node = site.value
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return node if isinstance(node, ast.Name) and node.id == site.name else None


def _reads_of(name: str, owner: Scope) -> Iterator[ast.Name]:
    """The reads of a name in the code of a scope and of those inside it."""
    for node in walk(owner.node):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield node
