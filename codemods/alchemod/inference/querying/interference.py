"""What may stand between a query and what it seems to do: query classes of the project, hooks, tests with mocks."""

from __future__ import annotations

import ast
from functools import cached_property

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.module import FunctionFacts, last_name
from alchemod.facts.relationships import is_joined, lazy
from alchemod.inference.area import Area
from alchemod.inference.loading.hooks import LoadHooks
from alchemod.inference.querying.executions import Execution
from alchemod.inference.translation.hooks import QueryHooks
from alchemod.inference.values import Statement


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
            or (self._on_load(statement) if loads else None)
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
    def _loading(self) -> str | None:
        return self._hooks.running_on_load()

    @cached_property
    def _is_listened_to(self) -> bool:
        return self._hooks.listening_to_loads()

    def _on_load(self, statement: Statement) -> str | None:
        """Which code may run when the objects of a statement are loaded; None when they, and all that is loaded with
        them, have no reconstructor ("Instance Events")."""
        entities = [term.entity for term in statement.terms]
        if self._loading is None or self._is_listened_to or statement.has_step("options") or not all(entities):
            return self._loading
        models = (entity.model for entity in entities if entity is not None)
        return None if all(map(self._is_quiet, models)) else self._loading

    def _is_quiet(self, model: Model) -> bool:
        """Whether no code of its class runs when an object is loaded, and nothing else is loaded with it."""
        families = self.inference.project.families
        below = families.below(model.facts)
        if below is None or any(map(_loads_eagerly, model.attributes.values())):
            return False
        classes = [*families.above(model.facts), *below]
        return not any(_reconstructs(method) for cls in classes for method in cls.methods.values())

    @cached_property
    def without_autoflush(self) -> str | None:
        """Where autoflush is switched off, as a sentence; None where it is not."""
        return self._hooks.without_autoflush()


def _loads_eagerly(attribute: Attribute) -> bool:
    return attribute.kind == "relationship" and lazy(attribute) in {"eager", "unknown"}


def _reconstructs(method: FunctionFacts) -> bool:
    return any(last_name(decorator) == "reconstructor" for decorator in method.decorators)
