"""Which exceptions a handler catches, as far as a database is concerned.

SQLAlchemy 2.0, "Core Exceptions" and "ORM Exceptions"; the classes are the same in 1.4 to 2.1.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from alchemod.facts.module import ClassFacts
from alchemod.inference.resolver import Resolver
from alchemod.inference.values import Answer, ClassObject, Outside, Place

FAILURES: Final = frozenset(
    {
        "SQLAlchemyError", "StatementError", "DBAPIError", "DatabaseError", "IntegrityError", "DataError",
        "OperationalError", "ProgrammingError", "InternalError", "InterfaceError", "NotSupportedError",
        "InvalidRequestError", "PendingRollbackError", "StaleDataError", "FlushError", "ObjectDeletedError",
        "DisconnectionError", "TimeoutError", "ResourceClosedError",
    }
)  # fmt: skip
"""What a flush or a commit may raise."""
MISSING_ROWS: Final = frozenset({"NoResultFound", "MultipleResultsFound"})
"""What `one()` raises."""
BROAD: Final = frozenset({"BaseException", "Exception"})


@dataclass(frozen=True, slots=True)
class Caught:
    """What a handler catches. `names` are SQLAlchemy's or Python's own classes by their short names; `others` whether
    classes of other kinds are among them; `is_bare`: an `except:` without a class."""

    names: frozenset[str]
    others: bool = False
    is_bare: bool = False

    @property
    def is_broad(self) -> bool:
        """Whether it catches any error, of whatever kind."""
        return self.is_bare or not self.names.isdisjoint(BROAD)

    @property
    def is_narrow(self) -> bool:
        """Whether it catches rows that are there already, and nothing else."""
        return not self.is_bare and not self.others and self.names <= {"IntegrityError"}

    @property
    def failures(self) -> bool:
        """Whether it catches a failed flush or commit."""
        return self.is_broad or not self.names.isdisjoint(FAILURES)


def caught_by(handler: ast.ExceptHandler, place: Place, resolver: Resolver) -> Caught:
    """What `handler`, which stands in `place`, catches."""
    if handler.type is None:
        return Caught(frozenset(), is_bare=True)
    names: set[str] = set()
    others = False
    for part in _classes(handler.type, place, resolver):
        name = _name_of(part, place, resolver)
        if name is None:
            others = True
        else:
            names.add(name)
    return Caught(frozenset(names), others)


def _classes(node: ast.expr, place: Place, resolver: Resolver) -> list[ast.expr]:
    if isinstance(node, ast.Tuple):
        return [inner for part in node.elts for inner in _classes(part, place, resolver)]
    return [node]


def _name_of(node: ast.expr, place: Place, resolver: Resolver) -> str | None:
    if isinstance(node, ast.Name) and node.id in BROAD and place.scope.owner(node.id) is None:
        return node.id
    match resolver.value(node, place):
        case Answer(value=Outside(definition=definition)) if definition.canonical is not None:
            return definition.canonical
        case Answer(value=ClassObject(facts=facts)):
            return _derived(facts, resolver)
    return None


def _derived(facts: ClassFacts, resolver: Resolver) -> str | None:
    """The class of SQLAlchemy's that an exception class of the project derives from."""
    lookup = resolver.project.lookup
    return next((name for name in sorted(FAILURES) if lookup.reaches(facts, name)), None)
