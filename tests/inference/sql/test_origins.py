"""Where values that are put into SQL come from."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from alchemod.inference.sql.origins import Origin, Origins
from sketch import Sketch

SOURCE = """
import enum
import sys
from typing import Literal, Optional
from flask import request
from sqlalchemy import Column, Integer
from sqlalchemy.orm import declarative_base
Base = declarative_base()
COLUMNS = {"a": "x", "b": "y"}
NAMES = ("x", "y")
SCHEMA = "public"
class Grain(str, enum.Enum):
    DAY = "day"
    def sql(self):
        return [IN_ENUM]
class Part(Base):
    __tablename__ = "parts"
    PREFIX = "p"
    id = Column(Integer, primary_key=True)
def use(
    name, number: int, order, flag, other, grain: Grain, either: "Optional[Grain]", way: Literal["a", "b"],
    open: str | Grain,
):
    direction = "DESC" if flag else "ASC"
    if order not in NAMES:
        raise ValueError(order)
    tables = reversed(Base.metadata.sorted_tables)
    for table in tables:
        pass
    for listed in NAMES:
        return [EXPRESSION]
    if other in NAMES:
        pass
"""


@pytest.mark.parametrize(
    ("expression", "origin"),
    [
        ("'x'", "constant"),
        ("SCHEMA", "constant"),
        ("Part.__tablename__", "constant"),
        ("Part.PREFIX", "constant"),
        ("Part.__table__.name", "constant"),
        ("COLUMNS[name]", "constant"),
        ("COLUMNS.get(name, 'z')", "constant"),
        ("direction", "constant"),
        ("listed", "constant"),
        ("', '.join(NAMES)", "constant"),
        ("f'{SCHEMA}.x'", "constant"),
        ("number", "number"),
        ("int(name)", "number"),
        ("len(name)", "number"),
        ("order", "guarded"),
        ("other", "unknown"),
        ("name", "unknown"),
        ("name.strip()", "unknown"),
        ("COLUMNS.get(name, name)", "unknown"),
        ("', '.join(name)", "unknown"),
        ("request.args['q']", "outside"),
        ("request.json.get('q')", "outside"),
        ("sys.argv[1]", "outside"),
        ("input()", "outside"),
        ("preparer.quote(name)", "quoted"),
        ('name.replace("\'", "\'\'")', "quoted"),
        ("name.replace('x', 'y')", "unknown"),
        ("table.name", "constant"),
        ("grain", "constant"),
        ("grain.value", "constant"),
        ("either", "constant"),
        ("way", "constant"),
        ("open", "unknown"),
        ("name.value", "unknown"),
    ],
)
def test_origins(tmp_path: Path, expression: str, origin: str) -> None:
    assert of(tmp_path, SOURCE.replace("EXPRESSION", expression).replace("[IN_ENUM]", "self")) == origin


@pytest.mark.parametrize(("expression", "origin"), [("self.value", "constant"), ("self", "constant"), ("x", "unknown")])
def test_origins_in_an_enum(tmp_path: Path, expression: str, origin: str) -> None:
    assert of(tmp_path, SOURCE.replace("IN_ENUM", expression).replace("[EXPRESSION]", "name")) == origin


def of(tmp_path: Path, source: str) -> Origin:
    sketch = Sketch(tmp_path, {"app.py": source})
    path = tmp_path / "app.py"
    [node] = [
        found.value.elts[0]
        for found in ast.walk(sketch.project.tree(path))
        if isinstance(found, ast.Return) and isinstance(found.value, ast.List)
    ]
    place = sketch.inference.place(path, node)
    assert place is not None
    return sketch.inference.ask(Origins).of(node, place)
