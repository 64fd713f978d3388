"""What in a project changes how its sessions commit: listeners, session classes with methods of their own."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from alchemod.facts.autoflush import autoflush_off
from alchemod.facts.project import Project
from alchemod.inference.ownership.session_classes import overriding

_AUTOCOMMIT: Final = re.compile(rb"\bautocommit\s*=\s*True\b|\bautobegin\s*=\s*False\b")
_BEFORE_COMMIT: Final = re.compile(rb"[\"']before_commit[\"']|\bbefore_models_committed\b|\bdef before_commit\b")
_ISOLATION: Final = re.compile(rb"[\"']AUTOCOMMIT[\"']")

_REMOVING: Final = re.compile(rb"\.remove\(\)|\bflask_sqlalchemy\b|\bflask_appbuilder\b")


class CommitHooks:
    """Answers for one project, looked for once."""

    def __init__(self, project: Project) -> None:
        self._project: Final = project

    @cached_property
    def begins_by_hand(self) -> bool:
        """Whether some sessions begin no transaction by themselves (`autocommit=True`, `autobegin=False`)."""
        return self._where(_AUTOCOMMIT) is not None

    @cached_property
    def before_commit(self) -> str | None:
        """Where code runs before each commit and sees what is not flushed yet, as a sentence; None where none does."""
        where = self._where(_BEFORE_COMMIT)
        return f"code in {where} runs before each commit, and would see what is not flushed yet" if where else None

    @cached_property
    def commits_at_once(self) -> bool:
        """Whether some engine commits each statement by itself (isolation level AUTOCOMMIT)."""
        return self._where(_ISOLATION) is not None

    @cached_property
    def may_not_autoflush(self) -> bool:
        """Whether some sessions do not flush by themselves."""
        return autoflush_off(self._project) is not None

    @cached_property
    def removes_registry(self) -> bool:
        """Whether the session of a registry is removed when a request or task ends."""
        return self._where(_REMOVING) is not None

    def overridden(self, name: str) -> str | None:
        """Which session class of the project has its own method `name`, as a sentence; None where none has."""
        return overriding(name, self._project)

    def _where(self, pattern: re.Pattern[bytes]) -> str | None:
        """The first file that matches, those that cannot be parsed included."""
        for path in sorted(self._project.paths):
            if pattern.search(self._project.content(path)):
                return self._project.displayed(path)
        return None
