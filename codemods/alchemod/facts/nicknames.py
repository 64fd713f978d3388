"""The names under which files import something of SQLAlchemy: `from sqlalchemy import select as choose`."""

from __future__ import annotations

from alchemod.facts.module import Import
from alchemod.facts.project import Project
from alchemod.facts.vocabulary import canonical


def nicknames(project: Project) -> dict[str, set[str]]:
    """The local names of what files import from SQLAlchemy under another name, by the name that SQLAlchemy gives it."""
    found: dict[str, set[str]] = {}
    for module in project.modules():
        for local, bindings in module.bindings.items():
            for binding in bindings:
                name = binding.name if isinstance(binding, Import) and canonical(f"{binding.module}.x") else None
                if name is not None and name != local:
                    found.setdefault(name, set()).add(local)
    return found
