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
