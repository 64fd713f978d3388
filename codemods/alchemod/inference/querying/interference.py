"""What may stand between a query and what it seems to do: query classes of the project, hooks, tests with mocks."""

from __future__ import annotations

import ast
from functools import cached_property

from alchemod.facts.relationships import is_joined
from alchemod.inference.area import Area
from alchemod.inference.loading.hooks import LoadHooks
from alchemod.inference.querying.executions import Execution
from alchemod.inference.translation.hooks import QueryHooks


class Interference(Area):
    """Why another way to ask for the same rows may not be the same, as far as the rest of the project says."""

    def of(self, execution: Execution, *methods: str, loads: bool = True, same_calls: bool = False) -> str | None:
        """Why a statement may not be asked in another way; None when nothing speaks against it.

        `methods` are the methods of Query that are called from now on. `loads` says that objects are loaded no more,
        `same_calls` that the same methods are called, so that a mock does not notice.
        """
        inference, statement = self.inference, execution.statement
        called = (execution.taken, *methods)
        own = next((name for name in called if inference.overrides_query_method(name, statement)), None)
        if own is not None:
            return f"a query class of the project has its own {own}()"
        return (
            inference.unseen_query_class(statement)
            or self._own_session(execution)
            or self._changing
            or self._joined_inner(execution)
            or (self._on_load if loads else None)
            or (None if same_calls else self._pin(execution))
        )

    def _joined_inner(self, execution: Execution) -> str | None:
        """Which eager join leaves out rows that have nothing to join: an inner one."""
        statement = execution.statement
        for name, call in statement.steps:
            given = (keyword for node in ast.walk(call) if isinstance(node, ast.Call) for keyword in node.keywords)
            unseen = any(not isinstance(argument, ast.Call) for argument in call.args)
            says = any(keyword.arg == "innerjoin" for keyword in given)
            if name == "options" and (says or (unseen and self.inference.project.files_mentioning("innerjoin"))):
                return "an eager join with innerjoin= leaves out rows"
        for term in statement.terms:
            for attribute in term.entity.model.attributes.values() if term.entity is not None else ():
                if attribute.kind == "relationship" and is_joined(attribute) and attribute.keyword("innerjoin"):
                    return f"{attribute.name} is joined with innerjoin=, which leaves out rows"
        return None

    def _own_session(self, execution: Execution) -> str:
        """Which class of sessions of the project asks for rows in its own way; "" when this session's does not."""
        factory = execution.sender.factory if execution.sender is not None else None
        if factory is None or factory.kind != "plain":
            return self.inference.ask(QueryHooks).doubt(is_plain=False)
        own = next(iter(sorted(factory.overrides)), None)
        return f"{factory.name} has its own {own}()" if own is not None else ""

    def _pin(self, execution: Execution) -> str | None:
        """Which test prepares on a mock what is called no more."""
        if execution.sent is not None:
            return self.inference.pinned(execution.path[0] if execution.path else execution.taken)
        steps = [name for name, _ in execution.statement.steps]
        begin = [] if execution.statement.dynamic else ["query"]
        return self.inference.pinned(*begin, *steps, *([execution.taken] if execution.taken else []))

    @cached_property
    def _hooks(self) -> LoadHooks:
        return LoadHooks(self.inference.project)

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
