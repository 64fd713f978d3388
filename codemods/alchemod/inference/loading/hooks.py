"""What in a project changes queries behind their backs, so that two ways of loading may differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alchemod.facts.autoflush import autoflush_held, autoflush_off
from alchemod.facts.project import Project
from alchemod.text.words import mentions

if TYPE_CHECKING:
    from alchemod.inference.loading.loop import RowLoop

_HOOKS: Final = ("with_loader_criteria", "do_orm_execute", "before_compile")
"""The function that adds criteria to every query for an entity, and the events that may change a query: "Adding global
WHERE / ON criteria" in the ORM event documentation."""


_LISTENING: Final = rb"\blistens?(?:_for)?\([^()]*[\"'](?:load|refresh|loaded_as_persistent)[\"']"
_LISTENING_TO_LOADS: Final = re.compile(_LISTENING, re.DOTALL)
_LOADING: Final = re.compile(rb"@[\w.]*\breconstructor\b|" + _LISTENING, re.DOTALL)
"""Code that runs when objects are loaded, so that their order and number shows ("Instance Events", "Session Events" of
the ORM)."""
_REACTING: Final = re.compile(
    rb"\blistens?(?:_for)?\([^()]*[\"'](?:set|append|remove|bulk_replace|(?:before|after)_flush)[\"']", re.DOTALL
)
"""Listeners that run when attributes change or are flushed, and may change other objects ("Attribute Events")."""


class LoadHooks:
    """The hooks of one project as its files are now."""

    def __init__(self, project: Project) -> None:
        self._project: Final = project

    def of(self, loop: RowLoop) -> str | None:
        """Why loading in another way may show, as far as the rest of the project says; None when it does not."""
        doubt = self.without_autoflush() if loop.may_hold_changes else None
        return self.first or doubt or (self.reacting() if loop.changes_objects else None)

    @cached_property
    def first(self) -> str | None:
        """A sentence that names the first file with such a hook; None when there is none."""
        return self.changing_queries() or self.running_on_load()

    def without_autoflush(self) -> str | None:
        """Rows are then loaded as the database has them, not as changes that are not flushed yet make them."""
        where = autoflush_off(self._project) or autoflush_held(self._project)
        return f"autoflush is off in {where}, and changes may not be flushed when the query is sent" if where else None

    def reacting(self) -> str | None:
        """A sentence that names the first file with a listener that may change rows when others change."""
        where = self._matching(_REACTING, b"listen")
        return f"a listener in {where} runs when objects change, and may change what is loaded" if where else None

    def changing_queries(self) -> str | None:
        """A sentence that names the first file with a hook that may change a query; None when there is none."""
        for path, data in self._files():
            for name in _HOOKS:
                if mentions(data, name.encode()):
                    return f"{name} in {self._project.displayed(path)} may treat the changed query in another way"
        return None

    def running_on_load(self) -> str | None:
        """A sentence that names the first file with code that runs when objects are loaded; None when there is none."""
        where = self._matching(_LOADING, b"reconstructor", b"listen")
        return f"code in {where} runs when objects are loaded" if where else None

    def listening_to_loads(self) -> bool:
        """Whether such code is a listener, which may speak of any class, and not a method of its class."""
        return self._matching(_LISTENING_TO_LOADS, b"listen") is not None

    def _matching(self, pattern: re.Pattern[bytes], *tokens: bytes) -> str | None:
        """The first file that matches; every match holds one of the tokens, which are quicker to find."""
        for path, data in self._files():
            if any(token in data for token in tokens) and pattern.search(data):
                return self._project.displayed(path)
        return None

    def _files(self) -> Iterator[tuple[Path, bytes]]:
        """The contents of the files, those that cannot be parsed included."""
        for path in sorted(self._project.paths):
            yield path, self._project.content(path)
