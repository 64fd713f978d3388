"""Which exceptions a handler catches, as far as a database is concerned.

SQLAlchemy 2.0, "Core Exceptions" and "ORM Exceptions"; the classes are the same in 1.4 to 2.1.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

from alchemod.inference.control.exceptions import EVERYTHING, Exceptions
from alchemod.inference.values import Answer, ClassObject, Place

FAILURES: Final = frozenset(
    {
        "SQLAlchemyError", "StatementError", "DBAPIError", "DatabaseError", "IntegrityError", "DataError",
        "OperationalError", "ProgrammingError", "InternalError", "InterfaceError", "NotSupportedError",
        "InvalidRequestError", "PendingRollbackError", "StaleDataError", "FlushError", "ObjectDeletedError",
        "DisconnectionError", "TimeoutError", "ResourceClosedError",
    }
)  # fmt: skip
"""What a flush or a commit may raise."""


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
        return self.is_bare or not self.names.isdisjoint(EVERYTHING)

    @property
    def is_narrow(self) -> bool:
        """Whether it catches rows that are there already, and nothing else."""
        return not self.is_bare and not self.others and self.names <= {"IntegrityError"}

    @property
    def failures(self) -> bool:
        """Whether it catches a failed flush or commit."""
        return self.is_broad or not self.names.isdisjoint(FAILURES)


def caught_by(handler: ast.ExceptHandler, place: Place, exceptions: Exceptions) -> Caught:
    """What `handler`, which stands in `place`, catches."""
    if handler.type is None:
        return Caught(frozenset(), is_bare=True)
    names: set[str] = set()
    others = False
    for part in _classes(handler.type):
        found = exceptions.classes(place.module.path, part) or _of_project(part, place, exceptions)
        known = [name for name in found if name in FAILURES | EVERYTHING]
        names.update(known)
        others = others or not known
    return Caught(frozenset(names), others)


def _classes(node: ast.expr) -> list[ast.expr]:
    return [inner for part in node.elts for inner in _classes(part)] if isinstance(node, ast.Tuple) else [node]


def _of_project(node: ast.expr, place: Place, exceptions: Exceptions) -> tuple[str, ...]:
    """The class of SQLAlchemy's that an exception class of the project derives from."""
    resolver = exceptions.inference.local
    match resolver.value(node, place):
        case Answer(value=ClassObject(facts=facts)):
            lookup = resolver.project.lookup
            return tuple(name for name in sorted(FAILURES) if lookup.reaches(facts, name))[:1]
    return ()
