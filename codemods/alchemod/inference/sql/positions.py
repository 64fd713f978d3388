"""What stands in the holes of a SQL string: a value, a pattern, a list of values, or a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from alchemod.inference.sql.strings import Hole, Part
from alchemod.inference.sql.tokens import HOLE, Token, tokens

Position = Literal["value", "quoted", "list", "name", "schema", "fragment"]
"""`value`: where a bound parameter may stand. `quoted`: inside the quotes of a string literal. `list`: all between the
parentheses of `IN (...)`, or after a bare `IN`. `name`: part of a name, or where a table or column stands. `schema`:
the schema of a table. `fragment`: anything else."""

_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">=", "==", "+", "-", "*", "/", "||", "LIKE", "ILIKE"})
_VALUE_WORDS = frozenset({"BETWEEN", "LIMIT", "OFFSET", "WHEN", "THEN", "ELSE", "GLOB", "REGEXP"})
_BEFORE_TEXT = _VALUE_WORDS | {"LIKE", "ILIKE", "AND", "OR", "NOT", "WHERE", "ON", "HAVING", "CASE"}
_AFTER_VALUE = frozenset(
    {
        "AND", "OR", "ORDER", "GROUP", "LIMIT", "OFFSET", "HAVING", "UNION", "RETURNING", "WHERE", "ON", "THEN",
        "ELSE", "END", "AS", "IS", "NOT", "IN", "FROM", "ESCAPE", "FOR", "FETCH", "WHEN", "EXCEPT", "INTERSECT",
        "LEFT", "RIGHT", "INNER", "JOIN", "CROSS", "ROWS", "WINDOW",
    }
)  # fmt: skip
"""Words that may follow a value; another word makes of the value before it a part of something else."""

_NAME_WORDS = frozenset(
    {
        "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "BY", "DATABASE", "SCHEMA", "INDEX", "VIEW", "COLUMN", "SET", "AS",
        "SELECT", "DISTINCT", "EXISTS", "ASC", "DESC", "USING", "ROLE", "USER",
        "TRUNCATE", "CONSTRAINT", "SEQUENCE", "TYPE", "EXTENSION", "FUNCTION", "TRIGGER", "ONLY", "TO", "RENAME",
    }
)  # fmt: skip
_TABLE_WORDS = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "EXISTS", "ON"})
NO_PARAMETERS = frozenset(
    {
        "CREATE", "ALTER", "DROP", "PRAGMA", "TRUNCATE", "GRANT", "REVOKE", "SHOW", "USE", "VACUUM", "ANALYZE",
        "COMMENT", "COPY", "REFRESH", "LOCK", "DO", "SET", "ATTACH", "DETACH", "REINDEX", "CLUSTER", "NOTIFY",
        "LISTEN", "DESCRIBE", "EXPLAIN", "KILL", "FLUSH", "OPTIMIZE", "BACKUP", "RESTORE", "LOAD", "DECLARE",
    }
)  # fmt: skip
"""What statements begin with that take no parameters, in one database or another."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole and where it stands. For one in quotes, `around` is the whole literal with a hole in it, `is_pattern`
    says that it is compared by LIKE."""

    hole: Hole
    position: Position
    around: str = ""
    is_pattern: bool = False


def marked(parts: Sequence[Part]) -> str:
    """The text of a string with :data:`HOLE` for each hole."""
    return "".join(HOLE if isinstance(part, Hole) else part.replace(HOLE, " ") for part in parts)


def first_word(sql: str) -> str:
    """What a statement begins with, in capitals: `SELECT`; `""` for a text without words."""
    return next((token.word for token in tokens(sql) if token.kind == "word"), "")


def takes_no_parameters(sql: str) -> bool:
    """Whether the statement is of a kind that takes no parameters: DDL, PRAGMA, SET and the like."""
    return first_word(sql) in NO_PARAMETERS


def is_several(sql: str) -> bool:
    """Whether a text holds more than one statement."""
    found = [token.text for token in tokens(sql)]
    return ";" in found[:-1] and any(text != ";" for text in found[found.index(";") :])


def gaps(parts: Sequence[Part]) -> list[Gap]:
    """Where each hole of a string stands, in order. Those in comments come out as `fragment`."""
    sql = marked(parts)
    holes = iter(part for part in parts if isinstance(part, Hole))
    places = {match.start(): hole for match, hole in zip(re.finditer(HOLE, sql), holes, strict=True)}
    found: dict[int, Gap] = {}
    pieces = list(tokens(sql))
    openers = _openers(pieces)
    for index, token in enumerate(pieces):
        inside = [at for at in places if token.start <= at < token.end]
        for at in inside:
            found[at] = _gap(places[at], pieces, index, openers)
    return [found.get(at, Gap(hole, "fragment")) for at, hole in places.items()]


def _gap(hole: Hole, pieces: Sequence[Token], index: int, openers: Mapping[int, str]) -> Gap:
    token = pieces[index]
    before = pieces[index - 1] if index else None
    after = pieces[index + 1] if index + 1 < len(pieces) else None
    if len(pieces) == 1 and not token.text.strip(HOLE):
        return Gap(hole, "fragment")
    if token.kind == "string":
        return _quoted(hole, token, before)
    if token.kind == "hole" and _is_sign(after, ".") and before is not None and before.word in _TABLE_WORDS:
        return Gap(hole, "schema")
    if token.kind != "hole" or _is_sign(before, ".") or _is_sign(after, ".", "("):
        return Gap(hole, "name" if token.kind in {"word", "name", "hole"} else "fragment")
    return Gap(hole, _of_token(pieces, index, before, after, openers))


def _quoted(hole: Hole, token: Token, before: Token | None) -> Gap:
    """A hole in a string literal. A typed one, `DATE '...'`, and a path of JSON take no parameter."""
    literal = token.text[1:-1]
    is_typed = before is not None and before.kind == "word" and before.word not in _BEFORE_TEXT
    is_path = literal.lstrip().startswith("$")  # of JSON, which some databases take as a literal only
    if is_typed or is_path or not token.text.startswith("'") or not token.text[1:].endswith("'") or "\\" in literal:
        return Gap(hole, "fragment")
    is_pattern = before is not None and before.word in {"LIKE", "ILIKE"}
    return Gap(hole, "quoted", literal.replace("''", "'"), is_pattern)


def _of_token(
    pieces: Sequence[Token], index: int, before: Token | None, after: Token | None, openers: Mapping[int, str]
) -> Position:
    if before is None:
        return "fragment"
    opener = openers.get(index, "")
    fills = before.text == "(" and _is_sign(after, ")")
    if before.word == "IN" or (opener == "IN" and fills):
        return "list"
    if fills or (before.word in _COMPARISONS and index > 1 and HOLE in pieces[index - 2].text):
        return "fragment"  # several values perhaps, or a column compared with a column
    ends_well = after is None or after.kind == "sign" or after.word in _AFTER_VALUE
    if before.text == "*" and not _is_multiplied(pieces, index):
        return "fragment"
    is_value = before.word in _COMPARISONS or before.word in _VALUE_WORDS or opener in {"IN", "VALUES"}
    if is_value or (before.word == "AND" and _closes_between(pieces, index)):
        return "value" if ends_well else "fragment"
    if before.word in _NAME_WORDS or (before.text == "," and _in_names(pieces, index)):
        return "name"
    is_compared = after is not None and after.word in {*_COMPARISONS, "IN", "IS", "BETWEEN"}
    return "name" if is_compared else "fragment"


def _is_sign(token: Token | None, *signs: str) -> bool:
    return token is not None and token.text in signs


def _is_multiplied(pieces: Sequence[Token], index: int) -> bool:
    """Whether the `*` before a hole multiplies: something stands before it that is no word of SQL."""
    before = pieces[index - 2] if index > 1 else None
    return before is not None and (before.kind in {"number", "parameter", "hole"} or before.text == ")")


def _closes_between(pieces: Sequence[Token], index: int) -> bool:
    """Whether the AND before a hole belongs to a BETWEEN."""
    for token in reversed(pieces[: index - 1]):
        if token.word == "BETWEEN":
            return True
        if token.word in {"AND", "OR", "WHERE", "ON", "SELECT"}:
            return False
    return False


def _in_names(pieces: Sequence[Token], index: int) -> bool:
    """Whether a list of names, after SELECT, BY or FROM, goes on at a comma."""
    depth = 0
    for token in reversed(pieces[:index]):
        depth += (token.text == ")") - (token.text == "(")
        if depth < 0:
            return False
        if depth == 0 and token.kind == "word" and token.word in {"SELECT", "BY", "FROM", "WHERE", "SET", "VALUES"}:
            return token.word in {"SELECT", "BY", "FROM"}
    return False


def _openers(pieces: Sequence[Token]) -> dict[int, str]:
    """The pieces that stand directly in parentheses after IN, or in those of the rows of VALUES, by index."""
    found: dict[int, str] = {}
    stack: list[str] = []
    for index, token in enumerate(pieces):
        if token.text == "(":
            stack.append(_opener(pieces, index))
        elif token.text == ")":
            if stack:
                stack.pop()
        elif stack and stack[-1]:
            found[index] = stack[-1]
    return found


def _opener(pieces: Sequence[Token], index: int) -> str:
    before = pieces[index - 1] if index else None
    if before is None:
        return ""
    if before.word in {"IN", "VALUES"}:
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        return "" if after is not None and after.word in {"SELECT", "WITH"} else before.word
    is_next_row = before.text == "," and index > 1 and pieces[index - 2].text == ")"
    return "VALUES" if is_next_row and any(token.word == "VALUES" for token in pieces[:index]) else ""
