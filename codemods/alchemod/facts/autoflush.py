"""Whether some sessions of a project do not flush by themselves.

SQLAlchemy 2.0, "Session Basics", Flushing: `autoflush=False`, `Session.autoflush`, `Session.no_autoflush`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alchemod.facts.project import Project

_SWITCHED: Final = re.compile(rb"\bautoflush\b(?!\s*=\s*True\b)")
"""Whatever may switch it off: a keyword, a dictionary of options, an attribute."""


def autoflush_off(project: Project) -> str | None:
    """The first file in which something may switch autoflush off for a session; None when nothing does."""
    for path in sorted(project.files_mentioning("autoflush")):
        if _SWITCHED.search(project.content(path)):
            return project.displayed(path)
    return None


def autoflush_held(project: Project) -> str | None:
    """The first file in which a block holds autoflush back; None when none does."""
    return next(map(project.displayed, sorted(project.files_mentioning("no_autoflush"))), None)
