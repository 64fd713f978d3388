"""What in a project changes queries behind their backs, so that two ways of loading may differ."""

from __future__ import annotations

from typing import Final

from alchemod.facts.project import Project

_HOOKS: Final = ("with_loader_criteria", "do_orm_execute", "before_compile")
"""The function that adds criteria to every query for an entity, and the events that may change a query: "Adding global
WHERE / ON criteria" in the ORM event documentation."""


def query_hook(project: Project) -> str | None:
    """A sentence that names the first file with such a hook; None when there is none."""
    for name in _HOOKS:
        for path in sorted(project.files_mentioning(name)):
            shown = path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else path.name
            return f"{name} in {shown} may treat the option's query in another way"
    return None
