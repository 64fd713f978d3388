"""The names under which files import something of SQLAlchemy: `from sqlalchemy import select as choose`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from alchemod.facts.module import Import
from alchemod.facts.project import Project
from alchemod.facts.vocabulary import canonical


def nicknames(project: Project, names: Collection[str]) -> Iterator[str]:
    """The local names, other than `names` themselves, of what files import from SQLAlchemy under one of `names`."""
    for module in project.modules():
        for local, bindings in module.bindings.items():
            if local in names:
                continue
            for binding in bindings:
                if isinstance(binding, Import) and binding.name in names and canonical(f"{binding.module}.x"):
                    yield local
