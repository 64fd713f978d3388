"""Assignments to attributes of objects from outside: `module.name = ...`, `setattr(thing, "name", ...)`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alchemod.facts.project import Project


def assigned_from_outside(name: str, project: Project) -> str | None:
    """Where some code assigns an attribute `name` of something that is not its own object; None where none does."""
    word = re.escape(name.encode())
    assigned = re.compile(
        rb"^[ \t]*(?!self\.|cls\.)\S[^\n#:]*\." + word + rb"[ \t]*=(?!=)"
        rb"|\bsetattr\(\s*(?!self\b|cls\b)[^,()]*,\s*[\"']" + word + rb"[\"']",
        re.MULTILINE,
    )
    for path in project.files_mentioning(name):
        data = project.content(path)
        if (found := assigned.search(data)) is not None:
            line = data.count(b"\n", 0, found.start()) + 1
            return f"{project.displayed(path)}:{line} replaces {name}"
    return None
