"""The code of a string literal after parts of its text were replaced, with its quotes, lines and comments kept.

A literal is read into units: a character of its value, or a hole, with the span of code that stands for it.
(Python reference, "String and Bytes literals", "Formatted string literals".)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alchemod.inference.sql.strings import Hole, SqlString, Style, read
from alchemod.inference.sql.tokens import HOLE


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` in the place of what stands from `start` to `end` of a SQL text, each hole being one character."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """A character of the value (:data:`HOLE` for a hole), the span of its code, and the number of its literal."""

    text: str
    start: int
    end: int
    literal: int


@dataclass(frozen=True, slots=True)
class _Literal:
    """One literal of an implicit concatenation: where its prefix and its content stand."""

    start: int
    prefix: str
    content: int
    end: int


_OPENING = re.compile(r"([a-zA-Z]{0,2})(\"\"\"|'''|\"|')")
_BETWEEN = re.compile(r"(?:\s|\\\n|#[^\n]*)*")
_ESCAPE = re.compile(r"\\(?:\r?\n|N\{[^}]*\}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_PLACEHOLDERS = {
    "percent": re.compile(r"%%|%(?:\([^)]*\))?[-#0 +]*[\d.*]*[a-zA-Z]"),
    "format": re.compile(r"\{\{|\}\}|\{[^{}]*\}"),
}


def edited(code: str, string: SqlString, edits: Sequence[Edit]) -> str | None:
    """The code of a string whose own code is `code`, with `edits` to its SQL; None when it cannot be written."""
    sql = "".join(HOLE if isinstance(part, Hole) else part for part in string.parts)
    holes = [part for part in string.parts if isinstance(part, Hole)]
    text = list(sql)
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        text[edit.start : edit.end] = edit.text
    kept = [hole for hole, at in zip(holes, _places(sql), strict=True) if not any(e.start <= at < e.end for e in edits)]
    wanted = "".join(text)
    for candidate in (_in_place(code, string, edits), _anew(wanted, kept)):
        if candidate is not None and _says(candidate, wanted, kept, string):
            return candidate
    return None


def _places(sql: str) -> list[int]:
    return [match.start() for match in re.finditer(HOLE, sql)]


def _says(code: str, wanted: str, kept: Sequence[Hole], string: SqlString) -> bool:
    """Whether the code builds just the wanted text around the holes that are kept."""
    try:
        found = read(ast.parse(f"({code})", mode="eval").body, string.place)
    except (SyntaxError, ValueError):
        return False
    if found is None:
        return False
    sql = "".join(HOLE if isinstance(part, Hole) else part for part in found.parts)
    dumps = [[ast.dump(hole.value) for hole in holes] for holes in (found.holes, kept)]
    return sql == wanted and dumps[0] == dumps[1]


def _anew(text: str, kept: Sequence[Hole]) -> str | None:
    """A literal of this text, written from nothing."""
    quote = '"""' if "\n" in text else "'" if '"' in text and "'" not in text else '"'
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    if text.endswith('"') and quote == '"""':
        return None
    if not kept:
        return f"{quote}{escaped}{quote}"
    pieces = escaped.replace("{", "{{").replace("}", "}}").split(HOLE)
    fields = [ast.unparse(hole.value) for hole in kept]
    if len(pieces) != len(fields) + 1 or any(set(field) & {quote[0], "\\", "{", "}"} for field in fields):
        return None
    return "f" + quote + pieces[0] + "".join(f"{{{f}}}{p}" for f, p in zip(fields, pieces[1:], strict=True)) + quote


def _in_place(code: str, string: SqlString, edits: Sequence[Edit]) -> str | None:
    """The literal with just the code of the edited parts replaced."""
    inner = _template(string.node)
    if string.style == "concatenation" or inner is None:
        return None
    if inner is not string.node:
        code = _segment(code, string.node, inner)
    literals = list(_literals(code))
    units = _joined(list(_units(code, literals)), string.style)
    if literals and any("b" in literal.prefix.lower() for literal in literals):
        return None
    changes: list[tuple[int, int, str]] = []
    left = dict.fromkeys(range(len(literals)), 0)
    for index, unit in enumerate(units):
        if unit.text == HOLE and not any(edit.start <= index < edit.end for edit in edits):
            left[unit.literal] += 1
    for edit in edits:
        span = units[edit.start : edit.end]
        if not span or span[0].literal != span[-1].literal:
            return None
        changes.append((span[0].start, span[-1].end, edit.text))
    if string.style != "f-string" and any(left.values()):
        return None
    for number, literal in enumerate(literals):
        plain = literal.prefix.replace("f", "").replace("F", "")
        if not left[number] and plain != literal.prefix:
            changes.append((literal.start, literal.start + len(literal.prefix), plain))
    changes.extend(_undoubled(units, edits, left, string.style))
    for start, end, text in sorted(changes, reverse=True):
        code = code[:start] + text + code[end:]
    return code


def _undoubled(
    units: Sequence[_Unit], edits: Sequence[Edit], left: dict[int, int], style: Style
) -> Iterator[tuple[int, int, str]]:
    """`{{`, `}}` and `%%` written once, where nothing is formatted any more."""
    for index, unit in enumerate(units):
        inside = any(edit.start <= index < edit.end for edit in edits)
        is_doubled = unit.text in "{}%" and unit.end - unit.start == 2
        if is_doubled and not inside and (style != "f-string" or not left[unit.literal]):
            yield unit.start, unit.end, unit.text


def _template(node: ast.expr) -> ast.expr | None:
    """The literal that a string is made from."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            return node
        case ast.BinOp(left=ast.Constant() as template, op=ast.Mod()):
            return template
        case ast.Call(func=ast.Attribute(value=ast.Constant() as template, attr="format")):
            return template
    return None


def _segment(code: str, node: ast.expr, inner: ast.expr) -> str:
    """The code of a node inside another one, whose code is given."""
    lines = code.encode().splitlines(keepends=True)

    def offset(line: int, column: int) -> int:
        before = sum(map(len, lines[: line - node.lineno]))
        return before + column - (node.col_offset if line == node.lineno else 0)

    start = offset(inner.lineno, inner.col_offset)
    end = offset(inner.end_lineno or inner.lineno, inner.end_col_offset or 0)
    return code.encode()[start:end].decode()


def _literals(code: str) -> Iterator[_Literal]:
    position = 0
    while (match := _OPENING.match(code, position)) is not None:
        content = match.end()
        is_raw, is_formatted = "r" in match[1].lower(), "f" in match[1].lower()
        at = content
        while at < len(code) and not code.startswith(match[2], at):
            if (code[at] == "\\" and not is_raw) or (is_raw and code[at] == "\\"):
                at += 2
            elif is_formatted and code[at] == "{" and code[at + 1 : at + 2] != "{":
                at = _end_of_field(code, at)
            else:
                at += 2 if code[at] == "{" else 1
        yield _Literal(match.start(), match[1], content, at)
        position = at + len(match[2])
        between = _BETWEEN.match(code, position)
        position = between.end() if between is not None else position


def _end_of_field(code: str, at: int) -> int:
    """The end of a replacement field that starts at `at`: behind the brace that closes it."""
    depth = 0
    while at < len(code):
        inner = _OPENING.match(code, at)
        if inner is not None and depth and not inner[1]:
            closing = code.find(inner[2], inner.end())
            at = closing + len(inner[2]) if closing >= 0 else len(code)
            continue
        depth += (code[at] in "{[(") - (code[at] in "}])")
        at += 1
        if depth == 0:
            return at
    return at


def _units(code: str, literals: Sequence[_Literal]) -> Iterator[_Unit]:
    """The characters and fields of the literals, in order."""
    for number, literal in enumerate(literals):
        is_raw, is_formatted = "r" in literal.prefix.lower(), "f" in literal.prefix.lower()
        at = literal.content
        while at < literal.end:
            escape = None if is_raw else _ESCAPE.match(code, at)
            if escape is not None:
                value = ast.literal_eval(f'"{escape.group()}"') if "\n" not in escape.group() else ""
                if value:
                    yield _Unit(value, at, escape.end(), number)
                at = escape.end()
            elif is_formatted and code[at] in "{}":
                end = at + 2 if code[at : at + 2] in {"{{", "}}"} else _end_of_field(code, at)
                yield _Unit(code[at] if end == at + 2 and code[at + 1] == code[at] else HOLE, at, end, number)
                at = end
            else:
                end = at + 2 if code[at : at + 2] == "\r\n" else at + 1
                yield _Unit("\n" if code[at] == "\r" else code[at], at, end, number)
                at = end


def _joined(units: list[_Unit], style: Style) -> list[_Unit]:
    """The units of a template for `%` or `.format()`, each placeholder being one."""
    pattern = _PLACEHOLDERS.get(style)
    if pattern is None:
        return units
    text = "".join(unit.text for unit in units)
    found: list[_Unit] = []
    end = 0
    for match in pattern.finditer(text):
        found.extend(units[end : match.start()])
        first, last = units[match.start()], units[match.end() - 1]
        doubled = match.group() in {"%%", "{{", "}}"}
        if first.literal != last.literal:
            return []
        found.append(_Unit(match.group()[0] if doubled else HOLE, first.start, last.end, first.literal))
        end = match.end()
    return [*found, *units[end:]]
