"""Which files are worth parsing: cheap tests on their bytes.

Gate A is a fixed set of tokens. Gate B searches the files that gate A dropped for names that facts export; whole words
of a file are compared as one set (measured: one pass for any number of names).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TOKENS = (
    b"sqlalchemy",
    b".query",
    b"filter_by",
    b"sqlmodel",
    b"sessionmaker",
    b"relationship(",
    b".Model)",
    b"db.Model",
    b"Column(",
)

PRODUCING = (".query", "select(", "scalars(", ".execute(", ".exec(", ".all(", ".stream")
"""What a function writes that executes a statement itself."""
_PRODUCING = tuple(token.encode() for token in PRODUCING)

_WORD_BYTES = bytes(byte if chr(byte).isalnum() or byte == 0x5F or byte >= 0x80 else 0x20 for byte in range(256))
_CLASS_BASES = re.compile(rb"class\s+\w+\s*\(([^)]*)\)")


def gate_a(data: bytes) -> bool:
    """Whether a file may speak of SQLAlchemy."""
    return any(token in data for token in TOKENS)


def gives_rows(function: bytes) -> bool:
    """Whether a function may execute a statement itself, so that its loops may go over rows."""
    return any(token in function for token in _PRODUCING)


def words(data: bytes) -> set[bytes]:
    """The identifiers of a file, those in strings and comments included."""
    return set(data.translate(_WORD_BYTES).split())


def mentions(data: bytes, names: Iterable[bytes]) -> bool:
    """Whether one of `names` stands in the file as a whole word."""
    present = [name for name in names if name in data]
    return bool(present) and not words(data).isdisjoint(present)


def base_words(data: bytes) -> set[bytes]:
    """The identifiers that stand between the parentheses of the file's class statements."""
    found: set[bytes] = set()
    if b"class" in data:
        for bases in _CLASS_BASES.findall(data):
            found |= words(bases)
    return found
