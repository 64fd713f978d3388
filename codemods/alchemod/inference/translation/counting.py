"""What `count()` and `exists()` of a Query become.

`Query.count()` counts the rows of the whole statement as a subquery; `Query.exists()` selects 1 from it.
"""

from __future__ import annotations

import ast
from typing import Final

from alchemod.inference.loading.options import loader_options
from alchemod.inference.translation.changes import Change, Replaced, UntranslatedError
from alchemod.inference.translation.endings import Ending
from alchemod.inference.translation.sessions import Executor
from alchemod.inference.translation.situation import Situation
from alchemod.inference.translation.steps import without

_SIMPLE: Final = frozenset({"filter", "where", "filter_by", "order_by"})
"""Steps with which `count()` is a count over the table itself."""
_WINDOW: Final = ("limit", "offset", "slice", "distinct", "yield_per")


def is_short_count(here: Situation) -> bool:
    """Whether the rows can be counted without a subquery: one class and criteria, in one chain."""
    steps = {name for name, _ in here.statement.steps}
    return here.web.is_expression and here.columns.kind == "entity" and steps <= _SIMPLE


def count_ending(here: Situation, executor: Executor) -> Ending:
    """`count()`."""
    call = here.use.node
    if not isinstance(call, ast.Call) or call.args or call.keywords:
        raise UntranslatedError("count() of a Query takes no arguments")
    if here.statement.has_step("from_statement"):
        raise UntranslatedError("count() after from_statement() raises")
    holes = {"session": executor.session, "statement": here.use.receiver}
    changes: list[Change] = []
    if here.web.is_expression and not here.statement.has_step(*_WINDOW):
        changes += [without(step) for step in here.web.steps if step.name == "order_by"]
    if is_short_count(here):
        template = f"{executor.hole}.scalar({{statement}})"
        return Ending((*changes, *_counted(here), Replaced(call, template, here.path, holes)))
    if _may_filter_entities(here):
        raise UntranslatedError("with_loader_criteria() reaches the rows of a Query, not those of a subquery")
    counted = "{sqlalchemy.select}({sqlalchemy.func}.count()).select_from({statement})"
    changes.append(Replaced(here.use.receiver, "{_}.subquery()", here.path))
    template = f"{executor.hole}.scalar({counted})"
    return Ending((*changes, Replaced(call, template, here.path, holes)))


def _may_filter_entities(here: Situation) -> bool:
    """Whether an option adds criteria to every SELECT from a class, or may where the project has such options."""
    if not here.resolver.project.files_mentioning("with_loader_criteria"):
        return False
    root = here.use.place.scope.root.node
    options = loader_options(here.statement.steps, root if isinstance(root, ast.Module) else None)
    return options.all is not None or options.unread is not None


def _counted(here: Situation) -> list[Change]:
    origin = here.web.origins[0].node
    entity = here.columns.columns[0].node
    template = "{sqlalchemy.select}({sqlalchemy.func}.count()).select_from({entity})"
    return [Replaced(origin, template, here.path, {"entity": entity})]


def exists_ending(here: Situation) -> Ending:
    """`exists()`: the same on the statement, unless an aggregate is selected, which always gives a row."""
    call = here.use.node
    if not isinstance(call, ast.Call) or call.args or call.keywords:
        raise UntranslatedError("exists() of a Query takes no arguments")
    for column in here.columns.columns:
        if column.kind not in {"entity", "column"}:
            raise UntranslatedError("exists() of a Query asks for its rows, an EXISTS over an aggregate is always true")
    is_joined = here.columns.kind == "rows" and here.statement.has_step("join", "outerjoin", "options")
    return Ending((), ("EXISTS selects all the classes, which may be ambiguous where others are joined",) * is_joined)
