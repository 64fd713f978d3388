"""The names that may make sessions: variables that hold a factory, session classes, and what imports call them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.facts.module import Assigned, FunctionFacts, Import, Module, last_name

_MAKERS = frozenset(
    {
        "sessionmaker", "async_sessionmaker", "scoped_session", "async_scoped_session", "create_session", "SQLAlchemy",
        "SQLA",
    }
)  # fmt: skip
_CLASSES = frozenset({"Session", "AsyncSession"})
_OTHER_LIBRARIES = frozenset(
    {"requests", "requests_html", "aiohttp", "boto3", "botocore", "aioboto3", "httpx", "keystoneauth1", "cassandra"}
)
"""Libraries with a class `Session` of their own, for which many files speak of sessions."""
_MAX_ROUNDS = 4
"""How many functions may stand between a factory and a call that opens a session."""


def exported_factories(module: Module) -> Iterator[str]:
    """The module-level variables that hold a session factory or a Flask-SQLAlchemy object."""
    for name, bindings in module.bindings.items():
        for binding in bindings:
            value = binding.value if isinstance(binding, Assigned) else None
            if isinstance(value, ast.Call) and last_name(value) in _MAKERS:
                yield name


def session_names(module: Module) -> Iterator[str]:
    """The names of a module by which other files may open a session: its factories, and its functions that hand on
    what these or the session classes give."""
    exported = set(exported_factories(module))
    yield from exported
    makers = {*_MAKERS, *_CLASSES, *exported}
    for name, calls in module.handed.items():
        is_known = any(isinstance(binding, FunctionFacts) for binding in module.bindings.get(name, ()))
        if is_known and any(_is_one_of(call, makers, module) for call in calls):
            yield name


def session_makers(modules: Iterable[Module]) -> set[str]:
    """Every name that a call which opens a session may have in these modules: factories, session classes, functions
    that hand on what those give."""
    found = {*_CLASSES, *_MAKERS}
    known = list(modules)
    for module in known:
        found.update(exported_factories(module))
        for facts in module.classes.values():
            if any(last_name(base).endswith("Session") for base in facts.bases):
                found.add(facts.name)
            found.update(
                name
                for name, assigned in facts.attributes.items()
                if isinstance(assigned.value, ast.Call) and last_name(assigned.value) in _MAKERS
            )
    for _ in range(_MAX_ROUNDS):
        fresh = {name for module in known for name in _led_to(module, found)} - found
        if not fresh:
            break
        found |= fresh
    return found


def _led_to(module: Module, makers: set[str]) -> Iterator[str]:
    for names in (module.held, module.handed):
        yield from (name for name, calls in names.items() if any(_is_one_of(call, makers, module) for call in calls))
    for name, bindings in module.bindings.items():
        if any(_renames(binding, makers) for binding in bindings):
            yield name


def _is_one_of(call: str, makers: set[str], module: Module) -> bool:
    """Whether a call, by its first and last name, may be one of the makers and not another library's."""
    first, _, last = call.rpartition(".")
    if last not in makers:
        return False
    imports = [binding for binding in module.bindings.get(first or last, ()) if isinstance(binding, Import)]
    return not any(binding.module.partition(".")[0] in _OTHER_LIBRARIES for binding in imports)


def _renames(binding: object, names: set[str]) -> bool:
    match binding:
        case Import(name=str() as name):
            return name in names
        case Assigned(value=ast.Name() | ast.Attribute() as value):
            return last_name(value) in names
    return False
