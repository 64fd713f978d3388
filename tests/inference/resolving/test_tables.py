"""Tables of SQLAlchemy Core: declared, imported, aliased, of mapped classes; their columns and statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sketch import Sketch

Check = Callable[[Mapping[str, str]], None]

TABLES = """
from sqlalchemy import Column, Integer, MetaData, String, Table, UniqueConstraint
metadata = MetaData()
users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("full name", String, key="name"),
    UniqueConstraint("id"),
)
"""
MODELS = """
from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base
from tables import users
Base = declarative_base()
class Named:
    name = Column("label", String)
class Book(Named, Base):
    __tablename__ = "books"
    __table_args__ = {"schema": "shop"}
    id = Column(Integer, primary_key=True)
class Novel(Book):
    __tablename__ = "novels"
    id = Column(ForeignKey(Book.id), primary_key=True)
    plot = Column(String)
class Pamphlet(Book):
    pages = Column(Integer)
class User(Base):
    __table__ = users
"""


def test_tables_by_name_import_and_alias(check: Check) -> None:
    check(
        {
            "tables.py": TABLES,
            "models.py": MODELS,
            "app.py": """
            import sqlalchemy as sa
            import tables
            from sqlalchemy import alias, select
            from models import Book, User
            from tables import users as people
            people  #? table users
            tables.users.c  #? columns of users
            people.c.name  #? users.full name
            people.columns["id"]  #? users.id
            people.c.nothing  #? users.nothing?
            people.alias("u")  #? alias of table users
            alias(people)  #? alias of table users
            Book.__table__  #? table books
            Book.__table__.c.name  #? books.label
            User.__table__  #? table users
            people.c.id == 3  #? expression
            people.c.id.desc()  #? expression
            class Holder:
                own = sa.Table("own", sa.MetaData(), sa.Column("a", sa.Integer))
            Holder.own  #? table own
            other = sa.Table(NAME, sa.MetaData())
            other  #? table ?
            """,
        }
    )


def test_statements_on_tables(check: Check) -> None:
    check(
        {
            "tables.py": TABLES,
            "app.py": """
            from sqlalchemy import insert, select
            from tables import users
            users.select()  #? select on unknown
            users.insert().values(id=1)  #? insert on unknown
            users.update().where(users.c.id == 1)  #? update on unknown
            users.delete()  #? delete on unknown
            select(users.c.id)  #? select on unknown
            insert(users)  #? insert on unknown
            users.nothing()  #? unknown
            """,
        }
    )


def test_own_table_classes_and_flask(check: Check) -> None:
    check(
        {
            "own.py": "import sqlalchemy as sa\nclass Table(sa.Table):\n    pass\n",
            "app.py": """
            from flask_sqlalchemy import SQLAlchemy
            import own
            import sqlalchemy as sa
            db = SQLAlchemy()
            tags = db.Table("tags", db.metadata, db.Column("id", db.Integer))
            tags.c.id  #? tags.id
            class Model:
                jobs = own.Table("jobs", sa.MetaData(), sa.Column("id", sa.Integer))
            Model.jobs.c.id  #? jobs.id
            class Table:
                def __init__(self, *parts): ...
            Table("pandas", None)  #? a Table
            """,
        }
    )


def test_connections(check: Check) -> None:
    check(
        {
            "app.py": """
            from alembic import op
            from flask_sqlalchemy import SQLAlchemy
            from sqlalchemy import create_engine
            from sqlalchemy.engine import Connection
            from sqlalchemy.ext.asyncio import create_async_engine
            from sqlalchemy.orm import Session
            db = SQLAlchemy()
            engine = create_engine("sqlite://")
            engine.connect()  #? connection
            engine.execution_options(isolation_level="AUTOCOMMIT")  #? engine
            op.get_bind()  #? connection
            db.get_engine(None)  #? engine
            db.engines["x"]  #? engine
            with engine.begin() as inside:
                inside  #? connection
                with inside.begin_nested():
                    inside  #? connection
            aengine = create_async_engine("sqlite+aiosqlite://")
            async def main():
                one = await aengine.connect()
                one  #? async connection
                async with aengine.begin() as two:
                    two  #? async connection
            def work(given: Connection, session: Session):
                given  #? connection
                session.connection()  #? connection
                session.get_bind().connect()  #? perhaps connection
                given.engine  #? engine
            """,
        }
    )


def tables(root: Path) -> Sketch:
    return Sketch(root, {"tables.py": TABLES, "models.py": MODELS})


def test_columns_of_mapped_tables(tmp_path: Path) -> None:
    project = tables(tmp_path).project
    [book] = project.tables.named("books")
    assert book.schema == "shop"
    assert {column.name: key for key, column in book.columns.items()} == {"id": "id", "label": "name"}
    [novel] = project.tables.named("novels")
    assert set(novel.columns) == {"id", "plot"}
    assert [table.call is not None for table in project.tables.named("users")] == [True]


def test_a_class_without_a_table_of_its_own_has_its_parents(tmp_path: Path) -> None:
    project = tables(tmp_path).project
    [pamphlet] = project.models.named("Pamphlet")
    assert project.tables.of(pamphlet) is project.tables.named("books")[0]


def test_tables_that_are_not_seen_whole(tmp_path: Path) -> None:
    source = """
    from sqlalchemy import Column, Integer, MetaData, Table
    metadata = MetaData()
    extra = [Column("b", Integer)]
    reflected = Table("reflected", metadata, autoload_with=engine)
    starred = Table("starred", metadata, Column("a", Integer), *extra)
    placed = Table("placed", metadata, Column("a", Integer), schema=SCHEMA)
    """
    project = Sketch(tmp_path, {"tables.py": source}).project
    assert not project.tables.named("reflected")[0].is_whole
    assert not project.tables.named("starred")[0].is_whole
    assert project.tables.named("placed")[0].has_unseen_schema
