"""Program: each statement of `statements.txt` as it is and as alchemod writes it, compiled and run on SQLite.

Prints a line for each one that differs, and how many were looked at.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite

from alchemod.facts.project import Project
from alchemod.inference.sql.emitter.schema import Schema
from alchemod.inference.sql.emitter.statement import emit
from alchemod.text.discover import discover
from bench.normal_sql import normal_form

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    country = Column(String)
books = Table(
    "books", Base.metadata, Column("id", Integer, primary_key=True), Column("title", String),
    Column("author_id", ForeignKey("authors.id")), Column("pages", Integer),
)
"""
ROWS = """
INSERT INTO authors (id, name, country) VALUES (1, 'Ann', 'NZ'), (2, 'Bob', NULL), (3, 'Cy', 'PT');
INSERT INTO books (id, title, author_id, pages) VALUES
    (1, 'Hills', 1, 90), (2, 'Seas', 1, 300), (3, 'it''s {braces}', 3, NULL), (4, 'Fens', 3, 120);
"""
COLUMNS = {"authors": ["id", "name", "country"], "books": ["id", "title", "author_id", "pages"]}
DIALECTS = {"sqlite": sqlite.dialect(paramstyle="named"), "postgres": postgresql.dialect(paramstyle="named")}


def code(template: str) -> str:
    return re.sub(r"\{sqlalchemy\.((?:orm\.)?\w+)\}", r"sa.\1", template).replace("{{", "{").replace("}}", "}")


def outcome(statement: Any, names: dict[str, Any]) -> list[Any]:
    """The rows of a statement, and those of the tables after it."""
    engine = sa.create_engine("sqlite://")
    names["Base"].metadata.create_all(engine)
    with engine.begin() as connection:
        connection.connection.executescript(ROWS)
        result = connection.execute(statement)
        rows = [tuple(row) for row in result] if result.returns_rows else []
        tables = [connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY id")).fetchall() for name in COLUMNS]
    return [rows, [[tuple(row) for row in table] for table in tables]]


def main(folder: Path, statements: list[str]) -> None:
    (folder / "models.py").write_text(MODELS, "utf-8")
    project = Project.load(discover(folder, [folder]).files, folder, "2.0")
    schema = Schema(
        project.tables.named, lambda table: "Author" if table.model is not None else "books", lambda column: "plain"
    )
    names: dict[str, Any] = {"sa": sa, "orm": orm}
    exec(MODELS, names)
    for sql in statements:
        emitted = emit(sql, schema)
        inside = dict(names)
        for variable, made in emitted.aliases.items():
            inside[variable] = eval(code(made), inside)
        statement = eval(code(emitted.template), inside)
        for name, dialect in DIALECTS.items():
            compiled = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
            compiled = compiled.partition(" RETURNING ")[0]
            if normal_form(sql, name, COLUMNS) != normal_form(compiled, name, COLUMNS):
                print(f"{name}: {sql} is not {' '.join(compiled.split())}")
        if outcome(sa.text(sql), names) != outcome(statement, names):
            print(f"another outcome: {sql}: {outcome(statement, names)}")
    print(len(statements))


main(Path(sys.argv[1]), Path(__file__).with_name("statements.txt").read_text("utf-8").splitlines())
