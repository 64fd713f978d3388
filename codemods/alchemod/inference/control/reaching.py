"""Reaching definitions: which bindings of a name a read of it may see.

Answers are kept with the tree. A name bound once in its function, before and on every way to the read,
costs no walk of the function; the others of a function share one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from alchemod.inference.control.domain import Domain, TooComplexError
from alchemod.inference.control.dominance import dominates
from alchemod.inference.control.evaluation import Steps
from alchemod.inference.control.flow import Walker
from alchemod.inference.scoping.bindings import Binding
from alchemod.inference.scoping.scopes import COMPREHENSIONS, FunctionNode, Scope, scope_of

_ANSWERS: Final = "_alchemod_definitions"
_TABLES: Final = "_alchemod_reaching"


@dataclass(frozen=True, slots=True)
class Definitions:
    """The bindings a read of a name may see.

    `sites` is empty for builtins and names from outside the root. `may_be_unbound`: on some way the name
    has no value here (then Python raises, or in a class body looks further out). `captured`: the read is in
    another scope than the variable, or runs later, so every binding may be seen. `owner` is the scope of
    the variable, None if it is not in sight. `exact` is false where the code was too complex to follow, or
    the variable is also rebound from another scope; `sites` are then all bindings in sight.
    """

    sites: frozenset[Binding]
    may_be_unbound: bool
    captured: bool
    owner: Scope | None
    exact: bool = True

    @property
    def single(self) -> Binding | None:
        """The one binding that every read sees, if there is just one and it is certain."""
        if len(self.sites) != 1 or self.may_be_unbound or not self.exact:
            return None
        return next(iter(self.sites))


def definitions(root: ast.Module | FunctionNode, name: ast.Name) -> Definitions:
    """The bindings that `name`, a Name anywhere inside `root`, may see when it is read.

    With a function as root, names from outside it have no owner. The target of an augmented assignment or
    `del` is asked like a read: what it held before.
    """
    memo: dict[ast.Name, Definitions] = root.__dict__.setdefault(_ANSWERS, {})
    found = memo.get(name)
    if found is None:
        found = memo[name] = _definitions(scope_of(root), name)
    return found


def _definitions(root: Scope, name: ast.Name) -> Definitions:
    reading = root.innermost(name)
    owner = reading.owner(name.id)
    if owner is None:
        return Definitions(frozenset(), False, False, None)
    bindings = frozenset(binding for binding in owner.bindings[name.id] if binding.kind != "delete")
    if name.id in owner.rebound_inside:
        elsewhere = (binding for scope in owner.within() for binding in scope.outer_bindings)
        bindings |= {binding for binding in elsewhere if binding.name == name.id}
        return Definitions(bindings, False, True, owner, exact=False)
    if owner.is_comprehension:
        return Definitions(bindings, False, False, owner)
    if not _runs_in(owner, reading):
        return Definitions(bindings, False, True, owner)
    if len(owner.bindings[name.id]) == 1 and dominates(next(iter(bindings), None), owner.node, name):
        return Definitions(bindings, False, False, owner)
    return _tables(owner).at(name, bindings)


def _runs_in(owner: Scope, reading: Scope) -> bool:
    """Whether code of `reading` runs where the code of `owner` does: only comprehensions lie between."""
    scope: Scope | None = reading
    while scope is not None and scope is not owner:
        if not scope.is_comprehension:
            return False
        scope = scope.parent
    return True


def _tables(owner: Scope) -> _Tables:
    tables = owner.node.__dict__.get(_TABLES)
    if not isinstance(tables, _Tables):
        tables = owner.node.__dict__[_TABLES] = _Tables(owner)
    return tables


class _Tables:
    """The reaching definitions of one scope: of the names bound more than once in one pass, of all others in a second
    when one is asked for."""

    def __init__(self, owner: Scope) -> None:
        self._owner = owner
        self._seen: dict[ast.Name, _Sites] = {}
        self._covered: set[str] = set()
        self._steps: Steps = {}
        self._too_complex = False

    def at(self, name: ast.Name, bindings: frozenset[Binding]) -> Definitions:
        if name.id not in self._covered:
            several = {key for key, places in self._owner.bindings.items() if len(places) > 1}
            self._run(several if name.id in several else self._owner.bindings.keys() - self._covered)
        sites = self._seen.get(name)
        if self._too_complex:
            return Definitions(bindings, True, False, self._owner, exact=False)
        if sites is None:  # a generator expression that is consumed later, or code that is not reached
            return Definitions(bindings, False, True, self._owner)
        return Definitions(frozenset(s for s in sites if s is not None), None in sites, False, self._owner)

    def _run(self, names: set[str]) -> None:
        self._covered |= names
        node = self._owner.node
        if isinstance(node, (ast.Lambda, *COMPREHENSIONS)):
            block: Sequence[ast.stmt] = [ast.Expr(node.body)] if isinstance(node, ast.Lambda) else []
        else:
            block = node.body
        domain = _Reaching(self._owner, names, self._seen)
        try:
            Walker(domain, self._steps).run(block, domain.start)
        except TooComplexError:
            self._too_complex = True


_Sites: TypeAlias = frozenset[Binding | None]
_State: TypeAlias = dict[str, _Sites]
_UNBOUND: Final[_Sites] = frozenset([None])


class _Reaching(Domain[_State]):
    wanted = frozenset(
        [
            ast.Name,
            ast.alias,
            ast.FunctionDef,
            ast.AsyncFunctionDef,
            ast.ClassDef,
            ast.ExceptHandler,
            ast.MatchAs,
            ast.MatchStar,
            ast.MatchMapping,
        ]
    )

    def __init__(self, owner: Scope, names: set[str], seen: dict[ast.Name, _Sites]) -> None:
        self._names = names
        self._binding_of = owner.binding_of
        self._seen = seen
        self.start: _State = dict.fromkeys(names, _UNBOUND)
        for name in names:
            for binding in owner.bindings[name]:
                if binding.kind in ("parameter", "type"):
                    self.start[name] = frozenset([binding])

    def join(self, a: _State, b: _State) -> _State:
        return {name: sites if sites == b[name] else sites | b[name] for name, sites in a.items()}

    def event(self, node: ast.AST, state: _State) -> _State:
        if isinstance(node, ast.Name):
            if node.id not in self._names:
                return state
            if isinstance(node.ctx, ast.Load):
                self._record(node, state)
                return state
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            if node.target.id in self._names:
                self._record(node.target, state)
            return state
        binding = self._binding_of.get(node)
        if binding is None or binding.name not in self._names:
            return state
        if binding.kind == "delete" and isinstance(node, ast.Name):
            self._record(node, state)
        sites = _UNBOUND if binding.kind == "delete" else frozenset([binding])
        return {**state, binding.name: sites}

    def forget(self, handler: ast.ExceptHandler, state: _State) -> _State:
        return {**state, handler.name: _UNBOUND} if handler.name in self._names else state

    def _record(self, name: ast.Name, state: _State) -> None:
        self._seen[name] = self._seen.get(name, frozenset()) | state[name.id]
