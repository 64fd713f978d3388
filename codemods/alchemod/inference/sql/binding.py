"""A SQL string with parameters in the place of the values that are put into it as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword

from alchemod.inference.sql.literals import Edit, edited
from alchemod.inference.sql.positions import Gap, gaps, marked
from alchemod.inference.sql.strings import Hole, SqlString
from alchemod.inference.sql.tokens import HOLE, Token, tokens

_WORD = re.compile(r"\W+")
_LIST_OF_TEXTS = re.compile(r"'\s*,\s*'")
_LIST = re.compile(r"\s*,\s*")
_TOUCHED = re.compile(r"[:\w\\]$")
_TOUCHING = re.compile(r"[:\w]")
"""What may not stand beside a parameter: `text()` reads `:value::date` as the parameter `valu`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A bound parameter: its name, the expression of its value, and whether it stands for a list of values.

    `value` is a node of the original where the value is one, else code that was put together from such.
    """

    name: str
    value: ast.expr
    is_list: bool = False
    is_original: bool = True


@dataclass(frozen=True, slots=True)
class BoundSql:
    """The new code of the literal, and its parameters."""

    code: str
    parameters: tuple[Parameter, ...]


def bound_sql(string: SqlString, wanted: Sequence[Gap], code: str) -> BoundSql | str:
    """The string, whose code is `code`, with parameters for those of the gaps `wanted` that can become some.

    A sentence says why there is none.
    """
    sql = marked(string.parts)
    named: dict[str, Parameter] = {}
    edits: list[Edit] = []
    taken = {token.text[1:] for token in tokens(sql) if token.kind == "parameter" and token.text.startswith(":")}
    by_hole = {id(gap.hole): gap for gap in gaps(string.parts)}
    chosen = {id(gap.hole) for gap in wanted}
    why_not = "no hole stands for a value"
    for token, holes in _tokens_with_holes(sql, string):
        if not any(id(hole) in chosen for hole in holes):
            continue
        gap = by_hole[id(holes[0])]
        if not all(hole.is_plain for hole in holes):
            why_not = f"{ast.unparse(holes[0].value)} is put in with a format of its own"
        elif (value := _value(gap, holes)) is None:
            why_not = f"whether {ast.unparse(holes[0].value)} holds one value or several is not seen"
        else:
            parameter = _named(value, named, taken)
            edits.append(_edit(token, gap, sql, parameter))
    if not edits:
        return why_not
    text = edited(code, string, edits)
    if text is None:
        return "the string cannot be written without its holes"
    return BoundSql(text, tuple(named.values()))


def _tokens_with_holes(sql: str, string: SqlString) -> Iterator[tuple[Token, list[Hole]]]:
    holes = iter(string.holes)
    by_place = {match.start(): next(holes) for match in re.finditer(HOLE, sql)}
    for token in tokens(sql):
        inside = [hole for at, hole in by_place.items() if token.start <= at < token.end]
        if inside:
            yield token, inside


def _edit(token: Token, gap: Gap, sql: str, parameter: Parameter) -> Edit:
    start, end = token.start, token.end
    if parameter.is_list:
        before, after = sql[:start].rstrip(), sql[end:].lstrip()
        if before.endswith("(") and after.startswith(")"):
            start, end = len(before) - 1, len(sql) - len(after) + 1
    written = f":{parameter.name}"
    touches = _TOUCHED.search(sql[:start]) or _TOUCHING.match(sql[end:])
    return Edit(start, end, f"({written})" if touches else written)


def _value(gap: Gap, holes: Sequence[Hole]) -> Parameter | None:
    """The value to be bound, without its name; None when it may be one or many."""
    if gap.position == "list":
        values = _listed(holes[0].value, _LIST, quoted=False)
        return Parameter("", values, is_list=True) if values is not None else None
    if gap.position == "value":
        return Parameter("", holes[0].value)
    if gap.around == HOLE:
        values = _listed(holes[0].value, _LIST_OF_TEXTS, quoted=True)
        return Parameter("", values, is_list=True) if values is not None else Parameter("", holes[0].value)
    return Parameter("", _pattern(gap.around, holes), is_original=False)


def _pattern(around: str, holes: Sequence[Hole]) -> ast.expr:
    """The f-string for a text with holes in it."""
    texts = around.split(HOLE)
    values: list[ast.expr] = []
    for index, text in enumerate(texts):
        if text:
            values.append(ast.Constant(text))
        if index < len(holes):
            values.append(ast.FormattedValue(holes[index].value, -1, None))
    return ast.JoinedStr(values)


def _listed(node: ast.expr, separator: re.Pattern[str], *, quoted: bool) -> ast.expr | None:
    """The values that `", ".join(...)` or `tuple(...)` makes a list of in SQL; None when they are not seen."""
    match node:
        case ast.Call(func=ast.Name(id="tuple"), args=[_]) | ast.Tuple() if not quoted:
            return node
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="join"), args=[given], keywords=[]):
            return _elements(given, quoted) if separator.fullmatch(text) else None
    return None


def _elements(given: ast.expr, quoted: bool) -> ast.expr | None:
    """`ids` of `map(str, ids)` and `str(i) for i in ids`; of `f"'{n}'" for n in names`; of `names` in quotes."""
    match given:
        case ast.Call(func=ast.Name(id="map"), args=[ast.Name(id="str" | "repr"), values]):
            return values
        case ast.GeneratorExp(elt=element, generators=[clause]) | ast.ListComp(elt=element, generators=[clause]):
            whole = isinstance(clause.target, ast.Name) and not clause.ifs and not clause.is_async
            if whole and isinstance(clause.target, ast.Name) and _is_written(element, clause.target.id, quoted):
                return clause.iter
            return None
    return given if quoted and isinstance(given, ast.Name | ast.Attribute) else None


def _is_written(element: ast.expr, name: str, quoted: bool) -> bool:
    """Whether an element is the loop's variable as a text of SQL: a number as it is, a string in quotes."""
    match element:
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=found)], keywords=[]):
            return found == name
        case ast.JoinedStr(
            values=[
                ast.Constant(value="'"),
                ast.FormattedValue(value=ast.Name(id=found), format_spec=None),
                ast.Constant(value="'"),
            ]
        ):
            return found == name and not quoted
        case ast.Name(id=found):
            return found == name and quoted
    return False


def _named(value: Parameter, named: dict[str, Parameter], taken: set[str]) -> Parameter:
    """The parameter with a name of its own; one that has the same value already is used again."""
    shown = ast.dump(value.value)
    for known in named.values():
        if ast.dump(known.value) == shown and known.is_list == value.is_list:
            return known
    name = _name_for(value.value)
    while name in named or name in taken:
        name = f"other_{name}"  # SQLAlchemy itself numbers the values of a list: `ids_1`, `ids_2`
    named[name] = Parameter(name, value.value, value.is_list, value.is_original)
    return named[name]


def _name_for(node: ast.expr) -> str:
    """A name for a value: the last word of its code."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            pass
        case ast.Subscript(value=inner) | ast.Call(func=ast.Name(), args=[inner, *_]):
            return _name_for(inner)
        case ast.Call(func=ast.Attribute(value=inner)):
            return _name_for(inner)
        case ast.JoinedStr(values=parts):
            fields = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
            return _name_for(fields[0]) if fields else "value"
        case _:
            return "value"
    name = _WORD.sub("_", name).strip("_").lower()
    return name if name.isidentifier() and not iskeyword(name) else "value"
