"""Where values that are put into SQL come from."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from alchemod.inference.sql.origins import Origins
from sketch import Sketch

SOURCE = """
import sys
from flask import request
from sqlalchemy import Column, Integer
from sqlalchemy.orm import declarative_base
Base = declarative_base()
COLUMNS = {"a": "x", "b": "y"}
NAMES = ("x", "y")
SCHEMA = "public"
class Part(Base):
    __tablename__ = "parts"
    PREFIX = "p"
    id = Column(Integer, primary_key=True)
def use(name, number: int, order, flag, other):
    direction = "DESC" if flag else "ASC"
    if order not in NAMES:
        raise ValueError(order)
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
    ],
)
def test_origins(tmp_path: Path, expression: str, origin: str) -> None:
    sketch = Sketch(tmp_path, {"app.py": SOURCE.replace("EXPRESSION", expression)})
    path = tmp_path / "app.py"
    [node] = [
        found.value.elts[0]
        for found in ast.walk(sketch.project.tree(path))
        if isinstance(found, ast.Return) and isinstance(found.value, ast.List)
    ]
    place = sketch.inference.place(path, node)
    assert place is not None
    assert sketch.inference.ask(Origins).of(node, place) == origin
