"""Which relationships the loader options of a query load at once.

SQLAlchemy 2.0, "Relationship Loading Techniques".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from alchemod.facts.module import last_name
from alchemod.inference.ownership.knowledge import NO_OPTIONS, Options

_EAGER: Final = frozenset(
    {"joinedload", "selectinload", "subqueryload", "immediateload", "contains_eager", "eagerload"}
)


def options_of(steps: Iterable[tuple[str, ast.Call]]) -> Options:
    """What the options among the steps of a statement say."""
    calls = [call for name, call in steps if name == "options"]
    others = any(name == "enable_eagerloads" for name, _ in steps)
    if not calls and not others:
        return NO_OPTIONS
    given = [option for call in calls for option in _opened(call.args)]
    eager = {name for option in given if (name := _loaded_at_once(option)) is not None}
    named = {part.attr for option in given for part in ast.walk(option) if isinstance(part, ast.Attribute)}
    unread = others or any(not isinstance(option, ast.Call) or _has_text(option) for option in given)
    return Options(frozenset(eager), frozenset(named), unread)


def _opened(arguments: Iterable[ast.expr]) -> Iterator[ast.expr]:
    for argument in arguments:
        if isinstance(argument, ast.List | ast.Tuple):
            yield from _opened(argument.elts)
        else:
            yield argument


def _loaded_at_once(option: ast.expr) -> str | None:
    """The relationship of the entity that an option, or the first link of its chain, loads with its object."""
    while (
        isinstance(option, ast.Call)
        and isinstance(option.func, ast.Attribute)
        and isinstance(option.func.value, ast.Call)
    ):
        option = option.func.value
    match option:
        case ast.Call(args=[ast.Attribute(attr=name)]) if last_name(option) in _EAGER:
            return name
    return None


def _has_text(option: ast.expr) -> bool:
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(option))
