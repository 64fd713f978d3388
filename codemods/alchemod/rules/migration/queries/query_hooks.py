"""MIG412: hooks that act on a Query only, and would fall silent with `select()`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference.translation.hooks import Hook, QueryHooks


class QueryHookRule(Rule):
    """Reports hooks that act on a Query only.

    What it does:
        Reports listeners for `before_compile` and its kin, classes derived from Query, query classes that a session or
        an extension is given, and listeners for bulk changes, and names the classes whose queries they reach. As long
        as they are there, the other rules for Query leave these queries alone.

    Why:
        None of these is asked when a `select()`, `update()` or `delete()` is executed. A filter on the tenant or on
        deleted rows that such a hook adds would silently be gone after the migration.

    Example:
        ```python
        @event.listens_for(Query, "before_compile", retval=True)
        def without_deleted(query):
            for entity in query.column_descriptions:
                query = query.enable_assertions(False).filter(entity["entity"].deleted.is_(False))
            return query
        ```

    Use instead:
        ```python
        @event.listens_for(Session, "do_orm_execute")
        def without_deleted(state):
            if state.is_select:
                visible = with_loader_criteria(Base, lambda cls: cls.deleted.is_(False), include_aliases=True)
                state.statement = state.statement.options(visible)
        ```

    Fix safety:
        No fix is offered: which rows a hook hides, and for whom, is for its author to say in the new form.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/session_events.html#adding-global-where-on-criteria
        - https://docs.sqlalchemy.org/en/20/orm/events.html#sqlalchemy.orm.QueryEvents.before_compile
    """

    code = "MIG412"
    since = "1.4"
    names = ("listens_for", "listen", "query_cls", "query_class")

    def names_from(self, project: Project) -> Iterable[str]:
        """The names of the project's query classes, and of session classes that make queries in their own way."""
        lookup, families = project.lookup, project.families
        for facts in project.classes():
            if any(lookup.reaches(facts, kind) for kind in ("Query", "flask_sqlalchemy:Query")) or (
                lookup.reaches(facts, "Session") and families.defines(facts, "query")
            ):
                yield facts.name

    def find_Module(self, module: ast.Module, ctx: Context) -> Iterator[Finding]:
        """Looks at one file that may have hooks."""
        for hook in ctx.ask(QueryHooks).hooks:
            if hook.path == ctx.path and hook.kind != "session class":
                yield self.report(_node(hook, module), f"{hook.text} {_effect(hook)}", missing=_reached(ctx))


def _node(hook: Hook, module: ast.Module) -> ast.AST:
    """Where the hook stands in the tree at hand."""
    kind = ast.ClassDef if hook.cls is not None else type(hook.node)
    place = hook.node.lineno, hook.node.col_offset  # type: ignore[attr-defined]
    return next(
        node
        for node in ast.walk(module)
        if isinstance(node, kind) and (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)) == place
    )


def _effect(hook: Hook) -> str:
    if hook.kind == "bulk listener":
        return "is asked for update() and delete() of a Query only, not for the constructs of that name"
    return "acts on a Query only, a select() goes past it"


def _reached(ctx: Context) -> str:
    """The classes whose queries stay as they are."""
    names = sorted({model.name for model in ctx.project.models.all()})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"queries for {', '.join(names[:_SHOWN])}{more} are left alone" if names else "all queries are left alone"


_SHOWN = 5
