"""What the use of a Query becomes that executes it and gives its rows.

"ORM Query Unified with Core Select" in the 2.0 migration guide; each form verified by execution on 1.4 to 2.1.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.translation.changes import Change, Replaced, UntranslatedError
from alchemod.inference.translation.sessions import Executor
from alchemod.inference.translation.situation import Result, Situation
from alchemod.inference.uses.parents import parents_of

_AT_ONCE: Final = frozenset(
    {
        *("list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "any", "all", "dict", "join", "extend"),
        *("update", "len", "OrderedDict", "Counter", "deque", "array", "next"),
    }
)
"""Functions and methods that go through an iterable before they return."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The changes at a use, and why they are not safe; some of these are ""."""

    changes: tuple[Change, ...]
    doubts: tuple[str, ...] = ()


def row_ending(here: Situation, executor: Executor, result: Result) -> Ending:
    """`all()`, `first()`, `one()`, `one_or_none()`."""
    name = here.use.name
    call = here.use.node
    assert isinstance(call, ast.Call)
    if call.args or call.keywords:
        raise UntranslatedError(f"{name}() of a Query takes no arguments")
    holes = {"session": executor.session, "statement": here.use.receiver}
    if name != "first":
        return Ending((Replaced(call, f"{result.of(here.columns)}.{name}()", here.path, holes),))
    template = result.of(here.columns).removesuffix(".unique()")
    return Ending((*_limited(here), Replaced(call, f"{template}.first()", here.path, holes)))


def _limited(here: Situation) -> Iterator[Change]:
    """`LIMIT 1`, which `Query.first()` adds itself, except to a statement given as a whole."""
    if here.statement.has_step("from_statement"):
        return
    match here.use.receiver:
        case ast.Call(func=ast.Attribute(attr="limit"), args=[ast.Constant(value=1)]):
            return
    yield Replaced(here.use.receiver, "{_}.limit(1)", here.path)


def scalar_ending(here: Situation, executor: Executor, result: Result) -> Ending:
    """`scalar()`: the first column of the only row, or None."""
    call = here.use.node
    holes = {"session": executor.session, "statement": here.use.receiver}
    is_one_row = here.columns.is_aggregate and not here.statement.has_step("group_by", "limit", "offset", "slice")
    if is_one_row or (here.columns.is_exists and not here.statement.steps):
        template = f"{executor.hole}.scalar({{statement}})"
    else:
        template = f"{result.rows}{result.unique}.scalar_one_or_none()"
    return Ending((Replaced(call, template, here.path, holes),))


def value_ending(here: Situation, executor: Executor) -> Ending:
    """`value(column)`: the column in the first row, or None."""
    match here.use.node:
        case ast.Call(args=[column], keywords=[]) as call:
            pass
        case _:
            raise UntranslatedError("which column value() gives is not seen")
    narrowed = Replaced(here.use.receiver, "{_}.with_only_columns({column}).limit(1)", here.path, {"column": column})
    template = f"{executor.hole}.scalar({{statement}})"
    holes = {"session": executor.session, "statement": here.use.receiver}
    return Ending((narrowed, Replaced(call, template, here.path, holes)), ("value() asks for all rows, not for one",))


def values_ending(here: Situation, executor: Executor, result: Result) -> Ending:
    """`values(...)`: an iterator over rows of these columns."""
    call = here.use.node
    assert isinstance(call, ast.Call)
    if not call.args or call.keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
        raise UntranslatedError("which columns values() gives is not seen")
    if here.statement.has_step("options", "yield_per"):
        raise UntranslatedError("values() forgets the options of the Query")
    names = [f"value_{index}" for index in range(len(call.args))]
    listed = ", ".join(f"{{{name}}}" for name in names)
    columns = dict(zip(names, call.args, strict=True))
    narrowed = Replaced(here.use.receiver, f"{{_}}.with_only_columns({listed})", here.path, columns)
    holes = {"session": executor.session, "statement": here.use.receiver}
    ending = Replaced(call, f"iter({result.rows}.all())", here.path, holes)
    return Ending((narrowed, ending), ("values() loads its rows when they are first asked for",))


def iterated(here: Situation, executor: Executor, result: Result) -> Ending:
    """A loop, a comprehension, a call that goes through the Query."""
    template = result.of(here.columns)
    receiver = here.use.receiver
    is_listed = here.use.kind == "listed"
    if is_listed or (isinstance(here.use.node, ast.Call) and last_name(here.use.node) == "dict"):
        template += ".all()"
    template = template.replace("{statement}", "{_}")
    changes = (Replaced(receiver, template, here.path, {"session": executor.session}),)
    doubt = "the function that gets the rows gets a list of them" if is_listed else _why_too_early(here)
    return Ending(changes, (doubt,))


def _why_too_early(here: Situation) -> str:
    """Why the statement may be sent earlier than the Query sent it."""
    tree = here.use.place.scope.root.node
    assert isinstance(tree, ast.Module)
    parents = parents_of(tree)
    above = here.use.node
    if isinstance(above, ast.comprehension):
        made = parents.of(above)
        if not isinstance(made, ast.GeneratorExp) or made.generators[0] is not above:
            return ""
        consumer = parents.of(made)
        if isinstance(consumer, ast.Call) and last_name(consumer) in _AT_ONCE:
            return ""
        if isinstance(consumer, ast.For | ast.Starred | ast.YieldFrom):
            return ""
        return "the statement is sent when the generator is made, not when it is first asked"
    if isinstance(above, ast.Call) and last_name(above) == "enumerate":
        consumer = parents.of(above)
        is_at_once = isinstance(consumer, ast.Call) and last_name(consumer) in _AT_ONCE
        if not (is_at_once or isinstance(consumer, ast.For | ast.comprehension)):
            return "the statement is sent when enumerate() is made, not when it is first asked"
    return ""
