"""The lives of the sessions of a project, function by function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.facts.module import Assigned, ClassFacts, last_name
from alchemod.inference.area import Area
from alchemod.inference.ownership.detached import failing_reads, returned_detached
from alchemod.inference.ownership.late import LateUse, LateUses
from alchemod.inference.ownership.life import SessionLife, followed_lives, session_lives
from alchemod.inference.ownership.verdict import Verdict, verdict
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.scoping.scopes import FUNCTIONS, UNITS, FunctionNode
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.values import Answer, Place, Plain

if TYPE_CHECKING:
    from alchemod.inference import Inference


class SessionLives(Area):
    """Which sessions functions open, and what becomes of them."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._lives: dict[ast.AST, dict[ast.Call, SessionLife]] = {}
        self._followed: dict[ast.AST, dict[ast.Call, SessionLife]] = {}

    def of_call(self, path: Path, call: ast.Call) -> tuple[SessionLife, Verdict] | None:
        """The life of the session that `call` opens, and what may be done; None when it opens none, or not in the code
        of a function or the top level of the file.

        `call` may also be the call of `maker()()` that makes the factory.
        """
        inside = self._unit(path, call)
        if inside is None:
            return None
        node = inside.scope.node
        if node not in self._lives:
            sources = self.inference.ask(Summaries).sources(inside)
            self._lives[node] = dict(_by_call(session_lives(inside.scope, sources)))
        life = self._lives[node].get(call)
        return (life, verdict(life)) if life is not None else None

    def late_uses(self, path: Path, call: ast.Call) -> tuple[SessionLife, list[LateUse]] | None:
        """The session that `call` opens, takes from a context manager, or closes for the first time although others
        opened it, and what is used of it once it is closed; None when it does nothing of that."""
        inside = self._unit(path, call)
        if inside is None:
            return None
        unit = inside.scope
        assert isinstance(unit.node, UNITS)
        if unit.node not in self._followed:
            sources = self.inference.ask(Summaries).sources(inside)
            self._followed[unit.node] = dict(_by_call(followed_lives(unit, sources)))
        life = self._followed[unit.node].get(call)
        if life is None:
            return None
        uses = self._late(inside).of(life)
        return life, [use for use in uses if life.opening.is_read or not use.expired]

    def _late(self, inside: Place) -> LateUses:
        resolver, unit = self.inference.local, inside.scope.node
        assert isinstance(unit, UNITS)

        def value(node: ast.expr) -> Answer | None:
            return resolver.value(node, Place(inside.module, inside.scope.innermost(node)))

        return LateUses(unit, value, resolver.project.models)

    def read_by_callers(self, path: Path, life: SessionLife) -> Iterator[tuple[ast.AST, LateUse, Place]]:
        """Where the function returns objects of the session once it is closed, what a caller reads of them that surely
        fails, and inside which function."""
        inside = self._unit(path, life.site)
        if inside is None or not isinstance(inside.scope.node, FUNCTIONS):
            return
        callers = self.inference.local.callers
        for returned in returned_detached(life):
            facts = callers.facts_of(inside.scope.node, inside)
            for site in callers.sites_of(facts).calls if facts is not None else ():
                unit = enclosing_function(site.place.scope) or site.place.scope.root
                caller = Place(site.place.module, unit)
                if isinstance(unit.node, UNITS):
                    sources = self.inference.ask(Summaries).sources(caller)
                    for read, record in failing_reads(returned, site.call, unit, sources):
                        yield returned.node, self._late(caller).reading(read, 0, record), caller

    def is_only_lent(self, path: Path, function: FunctionNode, parameter: str) -> bool:
        """Whether a function has let go of the session that a parameter gives it, and of its queries, when it ends."""
        place = self.inference.place(path, function)
        inside = place.scope.find(function) if place is not None else None
        if place is None or inside is None:
            return False
        treatment = self.inference.ask(Summaries).of_parameter(Place(place.module, inside), parameter)
        return treatment.lets_go and not treatment.returned

    def _unit(self, path: Path, call: ast.Call) -> Place | None:
        """The inside of the function, or of the top level of the file, that `call` stands in directly."""
        place = self.inference.place(path, call)
        unit = (enclosing_function(place.scope) or place.scope.root) if place is not None else None
        if place is None or unit is None or isinstance(unit.node, ast.Lambda):
            return None
        return Place(place.module, unit)

    def is_in_function(self, path: Path, life: SessionLife) -> bool:
        """Whether a session is opened in a function, not at the top level of a file."""
        place = self.inference.place(path, life.site)
        return place is not None and enclosing_function(place.scope) is not None

    def answer(self, path: Path, life: SessionLife) -> Answer:
        """How sure it is that a session is opened, and why."""
        place = self.inference.place(path, life.site)
        if place is None:
            return Answer(Plain())
        answer = self.inference.local.value(life.site, place) or self.inference.resolver.value(life.site, place)
        answer = answer or Answer(Plain())
        return answer if life.opening.proved else answer.weakened(life.opening.reason)

    def replaced_factory(self, path: Path, life: SessionLife) -> str | None:
        """Where the factory that opens a session is replaced by another, as a sentence; None when it is not."""
        name = last_name(life.site)
        place = self.inference.place(path, life.site)
        if place is None or _is_made_here(life.site.func, place):
            return None
        modules = {place.module.name}
        for module in self.inference.project.modules():
            if any(isinstance(binding, Assigned | ClassFacts) for binding in module.bindings.get(name, ())):
                modules.add(module.name)
        return self.inference.pinning.replaced(name, *sorted(modules))


def _is_made_here(maker: ast.expr, place: Place) -> bool:
    """Whether the name of a factory is a variable of the function, which nobody else can set."""
    owner = place.scope.owner(maker.id) if isinstance(maker, ast.Name) else None
    if owner is None or owner.parent is None or not isinstance(maker, ast.Name):
        return False
    return all(binding.kind == "assignment" for binding in owner.bindings[maker.id])


def _by_call(lives: list[SessionLife]) -> Iterator[tuple[ast.Call, SessionLife]]:
    for life in lives:
        yield life.site, life
        if isinstance(life.site.func, ast.Call):
            yield life.site.func, life
