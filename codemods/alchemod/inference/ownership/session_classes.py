"""Session classes of the project, and which methods they have of their own."""

from __future__ import annotations

from alchemod.facts.project import Project


def overriding(name: str, project: Project) -> str | None:
    """Which session class of the project has its own method `name`, also from a mixin, as a sentence; None where none
    has."""
    lookup, families = project.lookup, project.families
    owners = (method.owner for method in project.methods_named(name) if method.owner is not None)
    for one in (having for owner in owners for having in families.having(owner)):
        if lookup.reaches(one, "Session") or lookup.reaches(one, "AsyncSession"):
            return f"{one.name} has its own {name}()"
    return None
