"""Which files are worth parsing: cheap tests on their bytes.

Gate A is a fixed set of tokens. Gate B searches the files that gate A dropped for names that facts export.
"""

from __future__ import annotations

import re

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
)

PRODUCING = (".query", "select(", "scalars(", ".execute(", ".exec(", ".all(", ".stream")
"""What a function writes that executes a statement itself."""
_PRODUCING = tuple(token.encode() for token in PRODUCING)

_CLASS_BASES = re.compile(rb"class\s+\w+\s*\(([^)]*)\)")


def gate_a(data: bytes) -> bool:
    """Whether a file may speak of SQLAlchemy."""
    return any(token in data for token in TOKENS)


def gives_rows(function: bytes) -> bool:
    """Whether a function may execute a statement itself, so that its loops may go over rows."""
    return any(token in function for token in _PRODUCING)


def base_words(data: bytes) -> set[bytes]:
    """The identifiers that stand between the parentheses of the file's class statements."""
    found: set[bytes] = set()
    if b"class" in data:
        for bases in _CLASS_BASES.findall(data):
            found.update(words(bases))
    return found
