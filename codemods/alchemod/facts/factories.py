"""The names that may make sessions: variables that hold a factory, session classes, and what imports call them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.facts.module import Assigned, Import, Module, last_name

_MAKERS = frozenset(
    {
        "sessionmaker", "async_sessionmaker", "scoped_session", "async_scoped_session", "create_session", "SQLAlchemy",
        "SQLA",
    }
)  # fmt: skip
_CLASSES = frozenset({"Session", "AsyncSession"})


def exported_factories(module: Module) -> Iterator[str]:
    """The module-level variables that hold a session factory or a Flask-SQLAlchemy object."""
    for name, bindings in module.bindings.items():
        for binding in bindings:
            value = binding.value if isinstance(binding, Assigned) else None
            if isinstance(value, ast.Call) and last_name(value) in _MAKERS:
                yield name


def session_makers(modules: Iterable[Module]) -> set[str]:
    """Every name that a call which opens a session may have in these modules."""
    found = set(_CLASSES)
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
    for module in known:
        for name, bindings in module.bindings.items():
            if any(_renames(binding, found) for binding in bindings):
                found.add(name)
    return found


def _renames(binding: object, names: set[str]) -> bool:
    match binding:
        case Import(name=str() as name):
            return name in names
        case Assigned(value=ast.Name() | ast.Attribute() as value):
            return last_name(value) in names
    return False
