"""What may stand between a query and what it seems to do: query classes of the project, hooks, tests with mocks."""

from __future__ import annotations

from functools import cached_property

from alchemod.inference.area import Area
from alchemod.inference.loading.hooks import QueryHooks
from alchemod.inference.values import Statement


class Interference(Area):
    """Why another way to ask for the same rows may not be the same, as far as the rest of the project says."""

    def of(self, statement: Statement, *methods: str, loads: bool = True) -> str | None:
        """Why a statement may not be asked in another way; None when nothing speaks against it.

        `methods` are the methods of Query that are called no more, or from now on. `loads` says that objects are
        loaded no more.
        """
        inference = self.inference
        own = next((name for name in methods if inference.overrides_query_method(name, statement)), None)
        if own is not None:
            return f"a query class of the project has its own {own}()"
        return (
            inference.unseen_query_class(statement)
            or self._changing
            or (self._on_load if loads else None)
            or self._pin(statement, methods[0] if methods else None)
        )

    def _pin(self, statement: Statement, method: str | None) -> str | None:
        """Which test prepares the chain on a mock; no mock stands for a select, update or delete construct."""
        if statement.style != "query" or method is None:
            return None
        steps = [name for name, _ in statement.steps]
        return self.inference.pinned(*([] if statement.dynamic else ["query"]), *steps, method)

    @cached_property
    def _hooks(self) -> QueryHooks:
        return QueryHooks(self.inference.project)

    @cached_property
    def _changing(self) -> str | None:
        return self._hooks.changing_queries()

    @cached_property
    def _on_load(self) -> str | None:
        return self._hooks.running_on_load()

    @cached_property
    def without_autoflush(self) -> str | None:
        """Where autoflush is switched off, as a sentence; None where it is not."""
        return self._hooks.without_autoflush()
