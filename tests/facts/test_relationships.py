"""Attributes of mapped classes and where relationships lead, compared with what SQLAlchemy itself says of them.

The analysis may know less than SQLAlchemy, never anything else. What it must know is marked `# known` in the sources.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alchemod.facts.attributes import Attribute
from alchemod.facts.model import Model
from alchemod.facts.models import Models
from bench.execution import Bench, Program
from sketch import Sketch

HEADER = """
from typing import List, Optional, Union
from sqlalchemy import *
from sqlalchemy.orm import *
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.declarative import declared_attr
from sqlalchemy.ext.hybrid import hybrid_property
Base = declarative_base()
"""
PAIR = """
class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    {author}

class Book(Base):
    __tablename__ = "books"
    id = Column("book_id", Integer, primary_key=True)
    author_id = Column(ForeignKey("authors.id"))
    editor_id = Column({editor})
    {book}
"""
NODE = """
class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    parent_id = Column(ForeignKey("nodes.id"))
    {node}
"""


def pair(author: str = "", book: str = "", editor: str = "Integer") -> str:
    return PAIR.format(author=author or "pass", book=book or "pass", editor=editor)


EVERYWHERE = {
    "many_to_one": pair(book="author = relationship('Author')  # known"),
    "one_to_many": pair(author="books = relationship('Book')  # known"),
    "argument_by_keyword": pair(author="books = relationship(argument='Book')  # known"),
    "by_class": pair(book="author = relationship(Author)  # known"),
    "by_lambda": pair(author="books = relationship(lambda: Book)  # known"),
    "by_path": pair(author="books = relationship('by_path.Book')  # known"),
    "both_sides": pair(
        "books = relationship('Book', back_populates='author')  # known",
        "author = relationship('Author', back_populates='books')  # known",
    ),
    "uselist": pair(author="book = relationship('Book', uselist=False)  # known"),
    "backref": pair(book="author = relationship('Author', backref='books')  # known: Author.books"),
    "backref_one": pair(
        book="author = relationship('Author', backref=backref('book', uselist=False))  # known: Author.book"
    ),
    "backref_of_one": pair(author="book = relationship('Book', uselist=False, backref='author')  # known: Book.author"),
    "backref_dynamic": pair(
        book="author = relationship('Author', backref=backref('books', lazy='dynamic'))  # known: Author.books"
    ),
    "two_keys": pair(
        "books = relationship('Book', foreign_keys='Book.author_id')  # known",
        "author = relationship(Author, foreign_keys=[author_id])  # known",
        "ForeignKey('authors.id')",
    ),
    "two_keys_backref": pair(
        book="author = relationship('Author', foreign_keys='[Book.author_id]', backref='books')  # known: Author.books",
        editor="ForeignKey('authors.id')",
    ),
    "two_keys_lambda": pair(
        "books = relationship('Book', foreign_keys=lambda: [Book.author_id])  # known",
        editor="ForeignKey('authors.id')",
    ),
    "two_keys_primaryjoin": pair(
        "books = relationship('Book', primaryjoin='Author.id == Book.author_id')", editor="ForeignKey('authors.id')"
    ),
    "collection_class": pair(
        "books = relationship('Book', collection_class=set)  # known",
        "author = relationship('Author', collection_class=set)",
    ),
    "lazy": pair(
        "books = relationship('Book', lazy='selectin')  # known", "author = relationship('Author', lazy=False)  # known"
    ),
    "key_by_column": pair(editor="ForeignKey(Author.id)", book="author = relationship(Author, foreign_keys=author_id)"),
    "self": NODE.format(node="children = relationship('Node')  # known"),
    "self_parent": NODE.format(node="parent = relationship('Node', remote_side=[id])  # known"),
    "self_parent_string": NODE.format(node="parent = relationship('Node', remote_side='Node.id')  # known"),
    "self_remote_key": NODE.format(node="children = relationship('Node', remote_side=[parent_id])  # known"),
    "self_backref": NODE.format(
        node="children = relationship('Node', backref=backref('parent', remote_side=[id]))  # known: Node.parent"
    ),
    "self_parent_backref": NODE.format(
        node="parent = relationship('Node', remote_side=id, backref='children')  # known: Node.children"
    ),
    "secondary": """
links = Table("links", Base.metadata, Column("a", ForeignKey("authors.id")), Column("b", ForeignKey("books.book_id")))
"""
    + pair(
        "books = relationship('Book', secondary=links)  # known",
        "authors = relationship('Author', secondary='links', backref='written')  # known: Author.written",
    ),
    "composite_keys": """
class Author(Base):
    __tablename__ = "authors"
    a = Column(Integer, primary_key=True)
    b = Column(Integer, primary_key=True)
    books = relationship("Book", back_populates="author")  # known
class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    first, second = Column(Integer), Column(Integer)
    author = relationship("Author", back_populates="books")  # known
    __table_args__ = (ForeignKeyConstraint(["first", "second"], ["authors.a", "authors.b"]), {})
""",
    "joined_inheritance": """
class Person(Base):
    __tablename__ = "people"
    id = Column(Integer, primary_key=True)
    type = Column(String)
    team_id = Column(ForeignKey("teams.id"))
    team = relationship("Team", back_populates="people")  # known
    __mapper_args__ = {"polymorphic_on": type, "polymorphic_identity": "person"}
class Team(Base):
    __tablename__ = "teams"
    id = Column(Integer, primary_key=True)
    people = relationship("Person", back_populates="team")  # known
    leader_id = Column(ForeignKey("leaders.id"))
    leader = relationship("Leader", foreign_keys=[leader_id])  # known
    __mapper_args__ = {}
class Leader(Person):
    __tablename__ = "leaders"
    id = Column(ForeignKey("people.id"), primary_key=True)
    helpers = relationship("Helper", foreign_keys="Helper.leader_id")  # known
    __mapper_args__ = {"polymorphic_identity": "leader"}
class Helper(Person):
    __tablename__ = "helpers"
    id = Column(ForeignKey("people.id"), primary_key=True)
    leader_id = Column(ForeignKey("leaders.id"))
    leader = relationship("Leader", foreign_keys=leader_id)  # known
    __mapper_args__ = {"polymorphic_identity": "helper", "inherit_condition": id == Person.id}
""".replace(
        'team = relationship("Team", back_populates="people")',
        'team = relationship("Team", back_populates="people", foreign_keys=team_id)',
    ).replace(
        'relationship("Person", back_populates="team")',
        'relationship("Person", back_populates="team", foreign_keys="Person.team_id")',
    ),
    "single_inheritance": """
class Person(Base):
    __tablename__ = "people"
    id = Column(Integer, primary_key=True)
    type = Column(String)
    pets = relationship("Pet", back_populates="owner")  # known
    __mapper_args__ = {"polymorphic_on": type, "polymorphic_identity": "person"}
class Child(Person):
    toys = relationship("Toy")  # known
    __mapper_args__ = {"polymorphic_identity": "child"}
class Toy(Base):
    __tablename__ = "toys"
    id = Column(Integer, primary_key=True)
    child_id = Column(ForeignKey("people.id"))
    child = relationship(Child, overlaps="toys")  # known
class Pet(Base):
    __tablename__ = "pets"
    id = Column(Integer, primary_key=True)
    owner_id = Column(ForeignKey("people.id"))
    owner = relationship("Person", back_populates="pets")  # known
""",
    "mixins": """
class Named:
    name = Column(String)
    @declared_attr
    def __tablename__(cls):
        return cls.__name__.lower()
    @property
    def label(self):
        return self.name
class Owned(object):
    @declared_attr
    def author_id(cls):
        return Column(ForeignKey("author.id"))
    @declared_attr
    def author(cls):
        return relationship("Author", backref=cls.__name__.lower() + "s")  # known
class Author(Named, Base):
    id = Column(Integer, primary_key=True)
    papers = relationship("Paper", back_populates="writer")  # known
class Book(Named, Owned, Base):
    id = Column(Integer, primary_key=True)
class Paper(Named, Base):
    id = Column(Integer, primary_key=True)
    writer_id = Column(ForeignKey("author.id"))
    writer = relationship("Author", back_populates="papers")  # known
""",
    "abstract": """
class Model(Base):
    __abstract__ = True
    id = Column(Integer, primary_key=True)
class Dated(Model):
    __abstract__ = True
    created = Column(DateTime)
class Note(Dated):
    __tablename__ = "notes"
""",
    "kinds": """
class Thing(Base):
    __tablename__ = "things"
    id = Column(Integer, primary_key=True)
    name = Column("thing_name", String, key="named")
    raw = deferred(Column(String))
    title = synonym("name")
    size = column_property(id + 1)
    point = composite(tuple, raw, raw)
    plain = 5
    @hybrid_property
    def loud(self):
        return self.name
    @loud.expression
    def loud(cls):
        return cls.name
    @hybrid_property
    def both(self):
        return self.name
    @both.setter
    def both(self, value):
        self.name = value
    @property
    def quiet(self):
        return self.name
    @quiet.setter
    def quiet(self, value):
        pass
    def method(self):
        pass
Thing.later = column_property(Thing.id + 2)
""".replace("    point = composite(tuple, raw, raw)\n", ""),
    "imperative_table": """
class Thing(Base):
    __table__ = Table(
        "things", Base.metadata, Column("id", Integer, primary_key=True), Column("owner", ForeignKey("owners.id"))
    )
    who = relationship("Owner")  # known
class Owner(Base):
    __tablename__ = "owners"
    id = Column(Integer, primary_key=True)
    things = relationship("Thing")  # known
""",
    "decorated": """
mapper_registry = registry()
@mapper_registry.mapped
class Thing:
    __tablename__ = "things"
    id = Column(Integer, primary_key=True)
    parts = relationship("Part")  # known
@mapper_registry.mapped
class Part:
    __tablename__ = "parts"
    id = Column(Integer, primary_key=True)
    thing_id = Column(ForeignKey("things.id"))
""",
    "other_bases": """
from sqlalchemy.orm import as_declarative
from sqlalchemy.orm.decl_api import DeclarativeMeta
@as_declarative()
class One:
    id = Column(Integer, primary_key=True)
class A(One):
    __tablename__ = "a"
mapper_registry = registry()
Two = mapper_registry.generate_base()
class B(Two):
    __tablename__ = "b"
    id = Column(Integer, primary_key=True)
class Three(metaclass=DeclarativeMeta):
    __abstract__ = True
    registry = mapper_registry
    metadata = mapper_registry.metadata
class C(Three):
    __tablename__ = "c"
    id = Column(Integer, primary_key=True)
class Four:
    shared = Column(Integer)
Four = declarative_base(cls=Four, name="Four")
""",
    "same_names": """
class Base2:
    __abstract__ = True
Other = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    pets = relationship("Pet")  # known
class Pet(Base):
    __tablename__ = "pets"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
""",
}
MODERN = {
    "annotated": """
class Mine(DeclarativeBase):
    pass
class Author(Mine):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Optional[str]]
    books: Mapped[List["Book"]] = relationship(back_populates="author")  # known
    first: Mapped["Book"] = relationship(viewonly=True)  # known
    maybe: Mapped[Optional["Book"]] = relationship(viewonly=True)  # known
    bar: Mapped["Book | None"] = relationship(viewonly=True)  # known
    text: "Mapped[List[Book]]" = relationship(viewonly=True)  # known
    union: Mapped[Union["Book", None]] = relationship(viewonly=True)  # known
    all: WriteOnlyMapped["Book"] = relationship(viewonly=True)  # known
    some: DynamicMapped["Book"] = relationship(viewonly=True)  # known
    both: Mapped[List["Author"]] = relationship("Book", viewonly=True)  # known
class Book(Mine):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author] = relationship(back_populates="books")  # known
    many: Mapped[List[Author]] = relationship(viewonly=True)  # known
""",
    "mapped_dataclasses": """
class Mine(MappedAsDataclass, DeclarativeBase):
    pass
class Author(Mine):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    books: Mapped[List["Book"]] = relationship(default_factory=list, backref="author")  # known: Book.author
class Book(Mine):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), init=False)
""",
    "unmapped_annotations": pair(
        "__allow_unmapped__ = True; books: List['Book'] = relationship('Book')  # known",
        "__allow_unmapped__ = True; author: 'Author' = relationship('Author')  # known",
    ),
}
PROGRAM = """
import importlib, json, warnings
warnings.simplefilter("ignore")
from sqlalchemy import inspect
from sqlalchemy.orm import clear_mappers, configure_mappers
seen = {}
for name in NAMES:
    try:
        space = vars(importlib.import_module(name))
        configure_mappers()
    except Exception as error:
        seen[name] = repr(error)
        clear_mappers()
        continue
    said = seen[name] = {}
    for key, cls in list(space.items()):
        mapper = inspect(cls, raiseerr=False) if isinstance(cls, type) else None
        if mapper is None or cls.__name__ != key:
            continue
        said[key] = {}
        for attribute, descriptor in mapper.all_orm_descriptors.items():
            kind = descriptor.extension_type.name
            prop = mapper.attrs.get(attribute)
            if prop is not None:
                kind = type(prop).__name__
            said[key][attribute] = [kind]
            if attribute in mapper.relationships:
                said[key][attribute] = ["relationship", prop.mapper.class_.__name__, bool(prop.uselist), str(prop.lazy)]
    clear_mappers()
print(json.dumps(seen))
"""
KINDS = {
    "ColumnProperty": {"column", "column_property"},
    "MappedSQLExpression": {"column", "column_property"},
    "MappedColumn": {"column"},
    "Synonym": {"synonym"},
    "SynonymProperty": {"synonym"},
    "HYBRID_PROPERTY": {"hybrid"},
    "relationship": {"relationship"},
}
LAZY = {"eager": {"joined", "selectin", "subquery", "immediate", "False"}, "select": {"select", "True"}}

Said = dict[str, dict[str, dict[str, list[str]]]]


@pytest.fixture(scope="module")
def said(bench: Bench) -> dict[str, Said]:
    """What SQLAlchemy says, by version: for each source its classes and their attributes."""
    jobs = []
    for version in ("1.4", "2.0", "2.1"):
        sources = EVERYWHERE | (MODERN if version != "1.4" else {})
        files = {f"{name}.py": (HEADER + source).encode() for name, source in sources.items()}
        main = f"NAMES = {list(sources)}\n{PROGRAM}"
        jobs.append((version, Program({**files, "main.py": main.encode()}, "main.py")))
    answers = {}
    for run in bench.run(jobs):
        assert run.error is None, run.traceback
        answers[run.version] = json.loads(run.stdout)
    return answers


@pytest.mark.parametrize("name", [*EVERYWHERE, *MODERN])
def test_what_sqlalchemy_says(name: str, said: dict[str, Said], tmp_path: Path) -> None:
    source = HEADER + (EVERYWHERE | MODERN)[name]
    models = Sketch(tmp_path, {f"{name}.py": source}).project.models
    found = {model.name: model for model in models.all()}
    must = set(_must_be_known(source))
    for version, answers in said.items():
        if name not in answers:
            continue
        assert not isinstance(answers[name], str), answers[name]
        assert found.keys() == answers[name].keys(), version
        for cls, attributes in answers[name].items():
            for attribute, expected in attributes.items():
                ours = models.attribute(found[cls], attribute)
                where = f"{version}: {cls}.{attribute}"
                assert ours is not None or f"{cls}.{attribute}" not in must, where
                if ours is not None:
                    assert ours.kind in KINDS[expected[0]], where
                    if ours.kind == "relationship":
                        is_needed = f"{cls}.{attribute}" in must
                        _compare_relationship(models, found[cls], ours, expected, is_needed, where)


def _compare_relationship(
    models: Models, model: Model, ours: Attribute, expected: list[str], is_needed: bool, where: str
) -> None:
    _, target, many, lazy = expected
    found, collection = models.target(ours, model), models.is_collection(ours, model)
    if is_needed:
        assert found is not None, where
        assert collection is not None, where
    assert found is None or found.name == target, where
    assert collection is None or collection == many, where
    assert lazy in LAZY.get(models.lazy(ours), {models.lazy(ours)}), where


def _must_be_known(source: str) -> set[str]:
    """`Class.attribute` of the lines marked `# known`, and of those the mark names."""
    marked = set()
    current = ""
    for line in source.splitlines():
        if line.startswith("class "):
            current = line[6:].partition("(")[0].rstrip(":")
        code, mark, named = line.partition("# known")
        if mark:
            name = code.strip().rpartition(";")[2].strip().partition(" ")[0].rstrip(":")
            if name != "return":
                marked.add(f"{current}.{name}")
            if named:
                marked.add(named.lstrip(": "))
    return marked
