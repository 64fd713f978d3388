"""What the emitter writes is the statement: the same SQL on two dialects, the same rows on SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alchemod.inference.sql.emitter.refusal import RefusedError
from alchemod.inference.sql.emitter.schema import Schema
from alchemod.inference.sql.emitter.statement import emit
from bench.installs import installed, series
from sketch import Sketch

HERE = Path(__file__).parent
STATEMENTS = (HERE / "statements.txt").read_text("utf-8").splitlines()
MODELS = """
from sqlalchemy import JSON, Column, DateTime, Integer, String
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    data = Column(JSON)
    born = Column(DateTime)
    country = Column(String, default="NZ")
class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    title = Column(String)
"""


@pytest.mark.parametrize("version", series())
def test_statements_are_the_same(version: str, tmp_path: Path) -> None:
    paths = [str(installed(version)), str(HERE.parents[1]), str(HERE.parents[2] / "codemods")]
    done = subprocess.run(
        [sys.executable, str(HERE / "emitted.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(len(STATEMENTS))]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT id FROM authors UNION SELECT id FROM books", "Union is not written"),
        ("WITH x AS (SELECT id FROM books) SELECT id FROM x", "WITH of a SELECT is not written"),
        ("SELECT vendor(id) FROM books", "vendor() is not written"),
        ("SELECT id, rank() OVER (ORDER BY id) FROM books", "Window is not written"),
        ("SELECT id FROM books FOR UPDATE", "LOCKS of a SELECT is not written"),
        ("SELECT DISTINCT ON (title) id FROM books", "DISTINCT ON is not written"),
        ("SELECT 1", "a SELECT without a table is not written"),
        ("SELECT x.id FROM (SELECT id FROM books) x", "Subquery as a table is not written"),
        ("SELECT id FROM nothing", "no table nothing of the project is seen"),
        ("SELECT nothing FROM books", "no column nothing of its tables is seen"),
        ("SELECT id FROM books, authors", "id is a column of several of its tables"),
        ("SELECT books.id, authors.id FROM books, authors", "two columns of the result have one name"),
        ("SELECT books.id FROM books RIGHT JOIN authors ON 1 = authors.id", "a JOIN other than JOIN or LEFT JOIN"),
        ("SELECT id FROM books JOIN authors USING (id)", "a JOIN other than JOIN or LEFT JOIN"),
        ("SELECT id FROM books ORDER BY 1", "ORDER BY a position is not written"),
        ("SELECT title FROM books GROUP BY 1", "GROUP BY a position is not written"),
        ("SELECT id FROM books ORDER BY id NULLS LAST", "NULLS FIRST and LAST are not written"),
        ("SELECT id FROM books WHERE title = NULL", "a comparison with NULL by an operator is never true"),
        ("SELECT id FROM books WHERE 1 = 1", "a condition on values alone is not written"),
        ("SELECT id FROM books WHERE id = ?", "a parameter without a name is not written"),
        ("SELECT id FROM authors WHERE born > '2020-01-01'", "the type of born converts the value"),
        ("SELECT id FROM authors WHERE data = :data", "the type of data converts the value"),
        ("SELECT id / 2 FROM books", "Div is not written"),
        ("SELECT id FROM books WHERE id IN (:a, :b) AND title ~ 'x'", "the SQL is not understood"),
        ("SELECT id FROM books; DELETE FROM books", "several statements in one text are not written"),
        ("SELECT id /* all */ FROM books", "a comment in the SQL would be lost"),
        ("SELECT FROM WHERE", "the SQL is not understood"),
        ("INSERT INTO authors (name) VALUES ('x')", "the column country has default="),
        ("INSERT INTO books VALUES (1, 'x')", "an INSERT without the names of its columns is not written"),
        ("INSERT INTO books (id) VALUES (1), (2)", "an INSERT of several rows is not written"),
        ("INSERT INTO books (title) VALUES (:name)", "the values of its parameters are not seen"),
        ("UPDATE books SET title = :title", "the values of its parameters are not seen"),
        ("DELETE FROM books USING authors", "USING of DELETE is not written"),
        ("DROP TABLE books", "Drop is not written"),
    ],
)
def test_what_is_not_in_the_table_is_refused_by_its_name(sql: str, why: str, tmp_path: Path) -> None:
    from alchemod.inference.sql.types import conversion

    project = Sketch(tmp_path, {"models.py": MODELS}).project
    schema = Schema(project.tables.named, lambda table: table.name, lambda column: conversion(column, project))
    with pytest.raises(RefusedError, match=r".") as refused:
        emit(sql, schema)
    assert str(refused.value).startswith(why)
