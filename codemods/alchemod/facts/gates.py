"""Which files are worth parsing: cheap tests on their bytes.

Gate A is a fixed set of tokens. Gate B searches the files that gate A dropped for names that facts export.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from alchemod.facts.module import ClassFacts, Module, last_name
from alchemod.text.words import words

TOKENS = (
    b"sqlalchemy",
    b".query",
    b"filter_by",
    b"sqlmodel",
    b"from alembic ",
    b"sessionmaker",
    b"relationship(",
    b".Model)",
    b"db.Model",
    b"Column(",
    b"create_all(",
    b"drop_all(",
    b"engine.execute(",
    b"engine.begin(",
    b"engine.connect(",
    b"conn.execute(",
    b"connection.execute(",
)


_CLASS_BASES = re.compile(rb"class\s+\w+\s*\(([^)]*)\)")


def gate_a(data: bytes) -> bool:
    """Whether a file may speak of SQLAlchemy."""
    return any(token in data for token in TOKENS)


def base_words(data: bytes) -> set[bytes]:
    """The identifiers that stand between the parentheses of the file's class statements."""
    found: set[bytes] = set()
    if b"class" in data:
        for bases in _CLASS_BASES.findall(data):
            found.update(words(bases))
    return found


def names_of_interest(modules: Sequence[Module], known: set[bytes]) -> set[bytes]:
    """The names of classes whose subclasses matter, those that derive from `known` ones included."""
    pending = [facts for module in modules for facts in module.classes.values()]
    found = {facts.name.encode() for facts in pending if _may_be_derived(facts)}
    while True:
        above = known | found
        more = {
            facts.name.encode()
            for facts in pending
            if any(last_name(base).encode() in above for base in facts.bases) and facts.name.encode() not in found
        }
        if not more:
            return found
        found |= more


def _may_be_derived(facts: ClassFacts) -> bool:
    """Whether subclasses of a class matter: it looks mapped, or like a session or query class."""
    if "__tablename__" in facts.attributes or "__table__" in facts.attributes:
        return True
    return any(last_name(base).endswith(("Session", "Query", "Base", "Model")) for base in facts.bases)
