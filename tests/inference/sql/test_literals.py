"""The code of string literals after parts of their SQL were replaced: quotes, lines, comments and prefixes stay."""

from __future__ import annotations

import ast

import pytest

from alchemod.inference.scoping.scopes import Scope
from alchemod.inference.sql.binding import BoundSql, bound_sql
from alchemod.inference.sql.literals import Edit, edited
from alchemod.inference.sql.positions import gaps, is_several, marked
from alchemod.inference.sql.strings import read
from alchemod.inference.sql.tokens import HOLE, tokens
from alchemod.inference.values import Place

PLACE = Place(None, Scope(ast.Module([], [])))  # type: ignore[arg-type]


def bound(code: str) -> str | None:
    """The code with `:p` for each hole, and for each quoted text with a hole in it."""
    string = read(ast.parse(f"({code})", mode="eval").body, PLACE)
    assert string is not None
    pieces = [token for token in tokens(marked(string.parts)) if HOLE in token.text]
    return edited(code, string, [Edit(token.start, token.end, ":p") for token in pieces])


@pytest.mark.parametrize(
    ("code", "new"),
    [
        ("""f"a = {x} AND b = '{y}'\"""", '''"a = :p AND b = :p"'''),
        ("""'a = %s AND b = 100%%' % x""", """'a = :p AND b = 100%'"""),
        ("""'a = {0} AND b = {{}} AND c = {0}'.format(x)""", """'a = :p AND b = {} AND c = :p'"""),
        ("""'a = ' + x + ' AND b = {}'""", '''"a = :p AND b = {}"'''),
        ("""f'a = \\'{x}\\' AND b'""", """'a = :p AND b'"""),
        ("""f'a = {d["k"]!s} AND {{b}}'""", """'a = :p AND {b}'"""),
        ("""rf'a ~ \\d AND b = {x}'""", """r'a ~ \\d AND b = :p'"""),
        ('''f"""\n  a = {x}  -- é\n  AND b = '%{y}%'\n"""''', '''"""\n  a = :p  -- é\n  AND b = :p\n"""'''),
        ('''"a "  # first\n    f"= {x}"''', '''"a "  # first\n    "= :p"'''),
        ("""f'a = {f(x, "}")}'""", """'a = :p'"""),
    ],
)
def test_parts_are_replaced_in_place(code: str, new: str) -> None:
    assert bound(code) == new
    ast.parse(f"({new})")


@pytest.mark.parametrize(
    ("code", "positions"),
    [
        ('f"SELECT * FROM t WHERE a = {x}"', ["value"]),
        ("f\"SELECT * FROM t WHERE a LIKE '%{x}'\"", ["quoted"]),
        ('f"SELECT * FROM t WHERE a IN ({x}) AND b IN {y} AND c IN (1, {z})"', ["list", "list", "value"]),
        ('f"SELECT * FROM {t} JOIN {s}.u ON {c} = 1 ORDER BY {o}"', ["name", "schema", "name", "name"]),
        ("f\"SELECT * FROM t WHERE d = DATE '{d}' AND e BETWEEN {x} AND {y}\"", ["fragment", "value", "value"]),
        ('f"SELECT {c} FROM t WHERE {w}"', ["name", "fragment"]),
        ('f"SELECT * FROM t WHERE a IN (SELECT b FROM u WHERE {w} AND c = {x})"', ["fragment", "value"]),
        ('f"INSERT INTO t (a) VALUES ({x}, {y}), (1, {z})"', ["value", "value", "value"]),
        ('f"INSERT INTO t (a) VALUES ({x})"', ["fragment"]),
        ('f"SELECT * FROM t WHERE {a} = {b}"', ["name", "fragment"]),
        ('f"SELECT * FROM t LIMIT {n} OFFSET {o}"', ["value", "value"]),
        ('f"SELECT * FROM t_{n} WHERE a = \\"{q}\\""', ["name", "name"]),
        ('f"{whole}"', ["fragment"]),
        ('f"SELECT 1 -- {comment}"', ["fragment"]),
        ("f\"SELECT 'it''s' || '{x}'\"", ["quoted"]),
        ("f\"SELECT * FROM t WHERE JSON_EXISTS(d, '$.{k}') AND a = '{x}'\"", ["fragment", "quoted"]),
    ],
)
def test_where_holes_stand(code: str, positions: list[str]) -> None:
    string = read(ast.parse(f"({code})", mode="eval").body, PLACE)
    assert string is not None
    assert [gap.position for gap in gaps(string.parts)] == positions


@pytest.mark.parametrize(
    ("code", "new"),
    [
        ("""f"a > '{x}'::date\"""", '"a > (:x)::date"'),
        ("""f"a > '{x}'AND b = 1\"""", '"a > (:x)AND b = 1"'),
        ("""f"a > '{x}' AND b = {y}\"""", '"a > :x AND b = :y"'),
        ("""f"a IN ('{x}', '{y}')\"""", '"a IN (:x, :y)"'),
    ],
)
def test_parameters_stand_apart(code: str, new: str) -> None:
    string = read(ast.parse(f"({code})", mode="eval").body, PLACE)
    assert string is not None
    written = bound_sql(string, gaps(string.parts), code)
    assert isinstance(written, BoundSql)
    assert written.code == new


@pytest.mark.parametrize(
    ("sql", "several"),
    [("SELECT 1;", False), ("SELECT 1; -- end", False), ("SELECT ';'", False), ("SELECT 1; DELETE FROM t", True)],
)
def test_several_statements(sql: str, several: bool) -> None:
    assert is_several(sql) is several
