"""What a call sends to the database: a statement that reads, one that writes, or one that is not known."""

from __future__ import annotations

import ast
import re
from typing import Final, Literal

from alchemod.inference.resolving.resolver import Resolver
from alchemod.inference.resolving.statements import ROW_ENDINGS
from alchemod.inference.values import Answer, Outside, Place, Statement

WRITING: Final = frozenset({"update", "delete"})
"""Methods of Query that write."""
EXECUTING: Final = ROW_ENDINGS | WRITING | {"scalar", "count", "one_or_404", "paginate"}
"""Methods of Query that execute it ("Query API")."""
_WORD: Final = re.compile(r"\s*(\w+)")
_READING_WORDS: Final = frozenset({"select", "with", "show", "pragma", "explain", "values"})
_WRITING_WORDS: Final = frozenset({"insert", "update", "delete", "replace", "merge"})


def sends(call: ast.Call, place: Place, resolver: Resolver) -> Literal["read", "write", "execute"]:
    """What `session.execute(statement)` and its like send; `execute` where the statement is not known."""
    if not call.args:
        return "execute"
    statement = call.args[0]
    match resolver.value(statement, place):
        case Answer(value=Statement(style=style)):
            return "read" if style in {"query", "select"} else "write"
    while isinstance(statement, ast.Call) and isinstance(statement.func, ast.Attribute):
        inner = statement.func.value
        if not isinstance(inner, ast.Call):
            break
        statement = inner
    if not isinstance(statement, ast.Call):
        return "execute"
    maker = resolver.value(statement.func, place)
    if maker is None or not isinstance(maker.value, Outside) or maker.value.canonical is None:
        return "execute"
    match maker.value.canonical:
        case "insert" | "update" | "delete":
            return "write"
        case "select":
            return "read"
        case "text" if statement.args:
            return _of_text(statement.args[0])
    return "execute"


def _of_text(text: ast.expr) -> Literal["read", "write", "execute"]:
    match text:
        case ast.Constant(value=str(sql)) | ast.JoinedStr(values=[ast.Constant(value=str(sql)), *_]):
            word = _WORD.match(sql)
            if word is not None and word[1].lower() in _READING_WORDS - {"with", "pragma"}:
                return "read"
            if word is not None and word[1].lower() in _WRITING_WORDS:
                return "write"
    return "execute"
