"""What is known of code outside the project that gets a row."""

from __future__ import annotations

import ast
import re
from typing import Final

from alchemod.inference.ownership.methods import SESSION_METHODS
from alchemod.inference.summaries.direct import looks_like_session

TEXT: Final = frozenset({"print", "str", "repr", "format", "ascii"})
"""Builtins that make text of what they get."""
LEVELS: Final = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
"""Methods of loggers, which make text of what they get when their level is on."""

_HARMLESS: Final = TEXT | {
    "len", "isinstance", "bool", "type", "list", "tuple", "set", "frozenset", "any", "all", "sorted", "id", "hash",
    "enumerate", "zip", "filter", "map", "min", "max", "next", "iter", "reversed", "sum", "callable", "issubclass",
}  # fmt: skip
_KEEPING: Final = frozenset(
    {
        "append", "add", "insert", "extend", "setdefault", "appendleft", "put", "put_nowait", "update", "discard",
        "remove", "index", "count", "push", "get", "pop",
    }
)  # fmt: skip
"""Methods by which a container of unknown kind takes an object or compares it."""
_LOGGER: Final = re.compile(r"_?(?:log(?:ger|ging)?|logs)", re.IGNORECASE)


def is_harmless(name: str) -> bool:
    """Whether a builtin looks at no attribute of what it gets, unless it makes text of it."""
    return name in _HARMLESS


def is_logger(name: str) -> bool:
    """Whether something unknown has a name that loggers have."""
    return bool(_LOGGER.fullmatch(name))


def keeps(method: str, receiver: ast.expr) -> bool:
    """Whether a method of something unknown takes an object in without a look at it: one of a container or session."""
    return method in _KEEPING or (method in SESSION_METHODS and looks_like_session(receiver))
