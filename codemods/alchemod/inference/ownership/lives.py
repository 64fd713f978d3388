"""The lives of the sessions of a project, function by function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.facts.module import Assigned, ClassFacts, last_name
from alchemod.inference.area import Area
from alchemod.inference.functions import enclosing_function
from alchemod.inference.ownership.life import SessionLife, session_lives
from alchemod.inference.ownership.verdict import Verdict, verdict
from alchemod.inference.summaries.table import Summaries
from alchemod.inference.values import Answer, Place, Plain

if TYPE_CHECKING:
    from alchemod.inference import Inference


class SessionLives(Area):
    """Which sessions functions open, and what becomes of them."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._lives: dict[ast.AST, dict[ast.Call, SessionLife]] = {}

    def of_call(self, path: Path, call: ast.Call) -> tuple[SessionLife, Verdict] | None:
        """The life of the session that `call` opens, and what may be done; None when it opens none, or not in the code
        of a function or the top level of the file.

        `call` may also be the call of `maker()()` that makes the factory.
        """
        place = self.inference.place(path, call)
        if place is None:
            return None
        unit = enclosing_function(place.scope) or place.scope.root
        if isinstance(unit.node, ast.Lambda):
            return None
        if unit.node not in self._lives:
            sources = self.inference.ask(Summaries).sources(Place(place.module, unit))
            self._lives[unit.node] = dict(_by_call(session_lives(unit, sources)))
        life = self._lives[unit.node].get(call)
        return (life, verdict(life)) if life is not None else None

    def is_in_function(self, path: Path, life: SessionLife) -> bool:
        """Whether a session is opened in a function, not at the top level of a file."""
        place = self.inference.place(path, life.site)
        return place is not None and enclosing_function(place.scope) is not None

    def answer(self, path: Path, life: SessionLife) -> Answer:
        """How sure it is that a session is opened, and why."""
        place = self.inference.place(path, life.site)
        answer = self.inference.local.value(life.site, place) if place is not None else None
        answer = answer or Answer(Plain())
        return answer if life.opening.proved else answer.weakened(life.opening.reason)

    def replaced_factory(self, path: Path, life: SessionLife) -> str | None:
        """Where the factory that opens a session is replaced by another, as a sentence; None when it is not."""
        name = last_name(life.site)
        place = self.inference.place(path, life.site)
        if place is None:
            return None
        modules = {place.module.name}
        for module in self.inference.project.modules():
            if any(isinstance(binding, Assigned | ClassFacts) for binding in module.bindings.get(name, ())):
                modules.add(module.name)
        return self.inference.pinning.replaced(name, *sorted(modules))


def _by_call(lives: list[SessionLife]) -> Iterator[tuple[ast.Call, SessionLife]]:
    for life in lives:
        yield life.site, life
        if isinstance(life.site.func, ast.Call):
            yield life.site.func, life
