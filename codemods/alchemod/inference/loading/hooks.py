"""What in a project changes queries behind their backs, so that two ways of loading may differ."""

from __future__ import annotations

from typing import Final

from alchemod.facts.gates import mentions
from alchemod.facts.project import Project

_HOOKS: Final = ("with_loader_criteria", "do_orm_execute", "before_compile")
"""The function that adds criteria to every query for an entity, and the events that may change a query: "Adding global
WHERE / ON criteria" in the ORM event documentation."""


class QueryHooks:
    """The hooks of one project, looked for once for each state of its files."""

    def __init__(self, project: Project) -> None:
        self._project: Final = project
        self._found: tuple[int, str | None] | None = None

    def first(self) -> str | None:
        """A sentence that names the first file with such a hook; None when there is none."""
        generation = self._project.generation
        if self._found is None or self._found[0] != generation:
            self._found = generation, self._search()
        return self._found[1]

    def _search(self) -> str | None:
        root = self._project.root
        for path in sorted(module.path for module in self._project.modules()):
            data = self._project.source(path).utf8
            for name in _HOOKS:
                if mentions(data, (name.encode(),)):
                    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
                    return f"{name} in {shown} may treat the option's query in another way"
        return None
