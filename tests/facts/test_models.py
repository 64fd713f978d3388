"""Which classes are mapped, in every declarative style and across files, and what their names stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sketch import Sketch

COLUMNS = """
    __tablename__ = "things"
    id = Column(Integer, primary_key=True)
"""
CORE = "from sqlalchemy import *\nfrom sqlalchemy.orm import *\n"


def mapped(root: Path, files: dict[str, str]) -> set[str]:
    """The names of the mapped classes of a project."""
    return {model.name for model in Sketch(root, files).project.models.all()}


def kinds(root: Path, source: str, name: str) -> dict[str, str]:
    """The attributes of one class of a source, and their kinds."""
    models = Sketch(root, {"models.py": source}).project.models
    return {key: attribute.kind for key, attribute in models.named(name)[0].attributes.items()}


def relationship(root: Path, files: dict[str, str], path: str) -> str:
    """Where a relationship `Class.attribute` leads, and whether to many: `Book many`, `Book one`, `Book ?`, `?`."""
    models = Sketch(root, files).project.models
    cls, name = path.split(".")
    model = models.named(cls)[0]
    found = models.attribute(model, name)
    target = models.target(found, model) if found is not None else None
    if found is None or target is None:
        return "?"
    number = {True: "many", False: "one", None: "?"}[models.is_collection(found, model)]
    return f"{target.module.name}.{target.name} {number}"


@pytest.mark.parametrize(
    "base",
    [
        "from sqlalchemy.orm import declarative_base\nBase = declarative_base()",
        "from sqlalchemy.ext.declarative import declarative_base\nBase = declarative_base(metadata=metadata)",
        "from sqlalchemy.ext.declarative.api import declarative_base as make\nBase = make()",
        "import sqlalchemy.ext.declarative\nBase = sqlalchemy.ext.declarative.declarative_base()",
        "import sqlalchemy.orm as orm\nBase: object = orm.declarative_base()",
        "import sqlalchemy as sa\nBase = sa.orm.declarative_base()",
        "from sqlalchemy.orm import declarative_base\nclass Root: pass\nBase = declarative_base(cls=Root)",
        "from sqlalchemy.orm import registry\nBase = registry().generate_base()",
        "from sqlalchemy.orm import registry\nreg = registry()\nBase = reg.generate_base()",
        "from sqlalchemy.orm import DeclarativeBase\nclass Base(DeclarativeBase): pass",
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\nBase: DefaultMeta = db.Model",
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\nif TYPE_CHECKING:\n"
        "    Base = db.make_declarative_base(Model)\nelse:\n    Base = db.Model",
        "from sqlalchemy.orm import declarative_base\nif typing.TYPE_CHECKING:\n    class Base: pass\nelse:\n"
        "    Base = declarative_base()",
        "from sqlalchemy.orm import DeclarativeBase\nfrom typing import Generic\n"
        "class Base(DeclarativeBase, Generic[T]): pass",
        "from sqlalchemy.orm import DeclarativeBaseNoMeta as Root\nclass Base(Root): pass",
        "from sqlalchemy import orm\nclass Base(orm.MappedAsDataclass, orm.DeclarativeBase): pass",
        "from sqlalchemy.ext.asyncio import AsyncAttrs\nfrom sqlalchemy.orm import DeclarativeBase\n"
        "class Base(AsyncAttrs, DeclarativeBase): pass",
        "from sqlalchemy.ext.declarative import as_declarative\n@as_declarative()\nclass Base: pass",
        "from sqlalchemy.orm import as_declarative\n@as_declarative(metadata=metadata)\nclass Base(object): pass",
        "from sqlalchemy.orm import as_declarative\ndef versioned(n):\n"
        "    @as_declarative()\n    class Own:\n        number = n\n    return Own\nBase = versioned(1)",
        "from sqlalchemy.orm import declarative_base\ndef make():\n"
        "    base = declarative_base()\n    return base\nBase = make()",
        "from sqlalchemy.orm import declarative_base\ndef make():\n    return declarative_base()\nBase = make()",
        "from sqlalchemy.orm import DeclarativeMeta\nclass Base(metaclass=DeclarativeMeta):\n    __abstract__ = True",
        "from sqlalchemy.orm import declarative_base\nclass Base(declarative_base()):\n    __abstract__ = True",
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy(app)\nBase = db.Model",
        "from flask_sqlalchemy import SQLAlchemy as S\nclass Own(S): pass\ndb = Own()\nBase = db.Model",
        "from flask_sqlalchemy import SQLAlchemy\ndb: SQLAlchemy = SQLAlchemy()\n"
        "class Base(db.Model):\n    __abstract__ = True",
        "from flask_appbuilder import Model\nBase = Model",
        "from flask_appbuilder.models.sqla import Model as Base",
        "try:\n    from sqlalchemy.orm import declarative_base\nexcept ImportError:\n"
        "    from sqlalchemy.ext.declarative import declarative_base\nBase = declarative_base()",
        "from typing import TYPE_CHECKING\nfrom flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"
        "if TYPE_CHECKING:\n    from flask_sqlalchemy.model import Model as Base\nelse:\n    Base = db.Model",
    ],
)
def test_every_declarative_base(base: str, tmp_path: Path) -> None:
    models = "from sqlalchemy import Column, Integer\nfrom base import Base\nclass Thing(Base):" + COLUMNS
    assert mapped(tmp_path, {"base.py": base, "models.py": models}) == {"Thing"}


@pytest.mark.parametrize(
    "base",
    [
        "class Base: pass",
        "from django.db.models import Model as Base",
        "from elsewhere import declarative_base\nBase = declarative_base()",
        "from pydantic import BaseModel as Base",
        "from mongoengine import Document as Base",
        "from elsewhere import db\nBase = db.Model",
        "from sqlalchemy.orm import Session as Base",
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        '\n    __tablename__ = "things"\n    id = fields.Integer()\n',
        '\n    __tablename__ = "things"\n    id = fields.Column(fields.Integer, primary_key=True)\n',
        "\n    id = Column(Integer, primary_key=True)\n",
    ],
)
def test_look_alikes_are_not_mapped(body: str, base: str, tmp_path: Path) -> None:
    imports = "from sqlalchemy import Column, Integer\nimport fields\nfrom base import Base\n"
    assert mapped(tmp_path, {"base.py": base, "models.py": f"{imports}class Thing(Base):{body}"}) == set()


@pytest.mark.parametrize(
    "base",
    [
        "from company.db import Base",
        "from company.extensions import db\nBase = db.Model",
        "Base = bases['app']",
        "import importlib\nBase = importlib.import_module('db').Base",
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        COLUMNS,
        '\n    __tablename__ = "things"\n    id: Mapped[int] = mapped_column(primary_key=True)\n',
        '\n    __table__ = sa.Table("things", metadata, sa.Column("id", sa.Integer, primary_key=True))\n',
    ],
)
def test_a_table_and_columns_tell_a_mapped_class_whose_base_is_not_seen(body: str, base: str, tmp_path: Path) -> None:
    source = (
        f"import sqlalchemy as sa\nfrom sqlalchemy import Column, Integer\nfrom sqlalchemy.orm import mapped_column\n"
        f"{base}\nclass Thing(Base):{body}\nclass Special(Thing): pass\n"
    )
    models = list(Sketch(tmp_path, {"models.py": source}).project.models.all())
    assert {(model.name, model.has_unseen_base) for model in models} == {("Thing", True), ("Special", True)}


def test_mixins_are_not_mapped(tmp_path: Path) -> None:
    open_one = "\n    __tablename__: str | None = None\n    id = Column(Integer, primary_key=True)\n"
    source = (
        f"{CORE}from elsewhere import Audited\nclass Mixin:{COLUMNS}\nclass Plain(object):{COLUMNS}\n"
        f"class Open(Audited):{open_one}\nclass Declared(Audited):{open_one.replace(' = None', '')}\n"
    )
    assert mapped(tmp_path, {"models.py": source}) == set()


def test_registry_decorators(tmp_path: Path) -> None:
    source = f"{CORE}reg = registry()\n@reg.mapped\nclass A:{COLUMNS}\n@reg.mapped_as_dataclass\nclass B:{COLUMNS}"
    assert mapped(tmp_path, {"models.py": source}) == {"A", "B"}


def test_sqlmodel(tmp_path: Path) -> None:
    source = """
from typing import ClassVar, List, Optional
from sqlmodel import Field, Relationship, SQLModel
class HeroBase(SQLModel):
    name: str = Field(index=True)
    age: Optional[int] = None
class Hero(HeroBase, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    secret: str
    kind: ClassVar[str] = "hero"
    team_id: Optional[int] = Field(default=None, foreign_key="team.id")
    team: Optional["Team"] = Relationship(back_populates="heroes")
class Team(SQLModel, table=True):
    id: int = Field(primary_key=True)
    heroes: List[Hero] = Relationship(back_populates="team")
class HeroRead(HeroBase, table=False):
    id: int
"""
    assert mapped(tmp_path, {"models.py": source}) == {"Hero", "Team"}
    assert kinds(tmp_path, source, "Hero") == {
        "id": "column",
        "secret": "column",
        "kind": "other",
        "team_id": "column",
        "team": "relationship",
        "name": "column",
        "age": "column",
    }
    assert relationship(tmp_path, {"models.py": source}, "Hero.team") == "models.Team one"
    assert relationship(tmp_path, {"models.py": source}, "Team.heroes") == "models.Hero many"


def test_bases_mixins_and_abstract_classes_are_no_models(tmp_path: Path) -> None:
    source = f"""{CORE}
Base = declarative_base()
class Mixin: name = Column(String)
class Abstract(Base):
    __abstract__ = True
    @declared_attr
    def created(cls): return Column(DateTime)
    @declared_attr.cascading
    def owner_id(cls):
        return Column(ForeignKey("owners.id"))
class Thing(Mixin, Abstract):{COLUMNS}
class Special(Thing):
    __mapper_args__ = {{}}
    extra = Column(Integer)
"""
    assert mapped(tmp_path, {"models.py": source}) == {"Thing", "Special"}
    inherited = {"name": "column", "id": "column", "created": "column", "owner_id": "column"}
    assert kinds(tmp_path, source, "Thing") == inherited
    assert kinds(tmp_path, source, "Special") == inherited | {"extra": "column"}


def test_the_nearest_class_wins_in_a_diamond(tmp_path: Path) -> None:
    source = f"""{CORE}
Base = declarative_base()
class A: x = Column(Integer)
class B(A): pass
class C(A):
    def x(self): pass
class Thing(B, C, Base):{COLUMNS}
"""
    assert kinds(tmp_path, source, "Thing")["x"] == "method"


def test_unseen_bases_and_reflected_tables_leave_attributes_open(tmp_path: Path) -> None:
    source = f"""{CORE}
from elsewhere import Mixin
from flask_appbuilder import Model
from flask_appbuilder.models.mixins import AuditMixin
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.ext.declarative import DeferredReflection
Base = declarative_base()
Auto = automap_base()
class Closed(Base, object):{COLUMNS}
class Mixed(Mixin, Base):{COLUMNS}
class Audited(AuditMixin, Model):{COLUMNS}
class Reflected(Base):
    __table__ = Base.metadata.tables["things"]
class Loaded(Base):
    __tablename__ = "loaded"
    __table_args__ = {{"autoload": True}}
class Automapped(Auto):{COLUMNS}
class Deferred(DeferredReflection, Base):{COLUMNS}
"""
    models = Sketch(tmp_path, {"models.py": source}).project.models
    assert {model.name for model in models.all() if not model.has_unseen_base} == {"Closed"}


def test_inheritance_over_files(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "from .users import *\n",
        "shop/db.py": f"{CORE}Base = declarative_base()\n",
        "shop/mixins.py": "import sqlalchemy as sa\nclass Dated:\n    created = sa.Column(sa.DateTime)\n",
        "shop/users.py": f"from . import db\nfrom .mixins import Dated\n{CORE}class User(Dated, db.Base):{COLUMNS}",
        "shop/staff.py": "import shop\nclass Admin(shop.User):\n    pass\n",
    }
    assert mapped(tmp_path, files) == {"User", "Admin"}
    models = Sketch(tmp_path, files).project.models
    assert models.subclasses(models.named("User")[0]) == models.named("Admin")
    assert models.named("Admin")[0].attributes.keys() == {"created", "id"}


AUTHOR = f"{CORE}from db import Base\nclass Author(Base):\n    __tablename__ = 'authors'\n    id = Column(Integer)\n"
BOOK = f"{CORE}from db import Base\nclass Book(Base):\n    __tablename__ = 'books'\n    id = Column(Integer)\n"
KEY = "    author_id = Column(ForeignKey('authors.id'))\n"
DB = {"db.py": f"{CORE}Base = declarative_base()\nOther = declarative_base()\n"}


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("relationship('Book')", "books.Book many"),
        ("relationship('books.Book')", "books.Book many"),
        ("relationship('app.books.Book')", "?"),
        ("relationship(lambda: Book)", "books.Book many"),
        ("relationship(books.Book)", "books.Book many"),
        ("relationship('Nothing')", "?"),
        ("relationship('Book if x else Author')", "?"),
        ("relationship(find_class())", "?"),
        ("relationship()", "?"),
        ("relationship('Book', **options)", "books.Book ?"),
        ("relationship('Book', uselist=flag)", "books.Book ?"),
        ("relationship('Book', primaryjoin='x')", "books.Book ?"),
        ("dynamic_loader('Book')", "books.Book many"),
    ],
)
def test_targets_in_other_files(argument: str, expected: str, tmp_path: Path) -> None:
    author = f"{AUTHOR}    books = {argument}\nfrom books import Book\nimport books\n"
    files = {**DB, "authors.py": author, "books.py": BOOK + KEY}
    assert relationship(tmp_path, files, "Author.books") == expected


def test_targets_known_to_the_type_checker_only(tmp_path: Path) -> None:
    imports = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from books import Book\n"
    author = imports + AUTHOR + "    books: Mapped[list[Book]] = relationship()\n"
    files = {**DB, "authors.py": author, "books.py": BOOK + KEY}
    assert relationship(tmp_path, files, "Author.books") == "books.Book many"
    assert (
        relationship(tmp_path, {**files, "authors.py": author.replace(imports, "")}, "Author.books")
        == "books.Book many"
    )


def test_two_classes_of_one_name(tmp_path: Path) -> None:
    author = AUTHOR + "    books = relationship('Book')\n    near = relationship('more.Book')\n"
    files = {**DB, "authors.py": author, "books.py": BOOK + KEY, "more.py": BOOK.replace("'books'", "'more'")}
    assert relationship(tmp_path, files, "Author.books") == "?"
    assert relationship(tmp_path, files, "Author.near") == "more.Book ?"
    elsewhere = {**files, "more.py": BOOK.replace("(Base)", "(Other)").replace("import Base", "import Other")}
    assert relationship(tmp_path, elsewhere, "Author.books") == "books.Book many"


def test_backrefs_are_attributes_of_the_other_class_and_its_subclasses(tmp_path: Path) -> None:
    book = BOOK + KEY + "    author = relationship('Author', backref=backref('books', lazy='dynamic'))\n"
    files = {**DB, "authors.py": AUTHOR + "class Poet(Author): pass\n", "books.py": book}
    assert relationship(tmp_path, files, "Author.books") == "books.Book many"
    assert relationship(tmp_path, files, "Poet.books") == "books.Book many"
    models = Sketch(tmp_path, files).project.models
    reverse = models.attribute(models.named("Author")[0], "books")
    assert reverse is not None
    assert models.lazy(reverse) == "dynamic"


def test_backref_of_a_mixin(tmp_path: Path) -> None:
    author = "    @declared_attr\n    def author(cls):\n        return relationship('Author', backref='owned')\n"
    book = f"{CORE}class Owned:\n{KEY}{author}"
    files = {**DB, "authors.py": AUTHOR, "books.py": book + BOOK.replace("(Base)", "(Owned, Base)")}
    assert relationship(tmp_path, files, "Author.owned") == "books.Book many"
    assert relationship(tmp_path, files, "Book.author") == "authors.Author one"


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("", "select"),
        (", lazy='select'", "select"),
        (", lazy=True", "select"),
        (", lazy='joined'", "eager"),
        (", lazy=False", "eager"),
        (", lazy='selectin'", "eager"),
        (", lazy='subquery'", "eager"),
        (", lazy='immediate'", "eager"),
        (", lazy='dynamic'", "dynamic"),
        (", lazy='write_only'", "write_only"),
        (", lazy='raise'", "raise"),
        (", lazy='raise_on_sql'", "raise"),
        (", lazy='noload'", "noload"),
        (", lazy=None", "noload"),
        (", lazy=LAZY", "unknown"),
        (", lazy='odd'", "unknown"),
        (", **options", "unknown"),
    ],
)
def test_how_a_relationship_loads(argument: str, expected: str, tmp_path: Path) -> None:
    author = f"{AUTHOR}    books = relationship('Book'{argument})\n"
    models = Sketch(tmp_path, {**DB, "authors.py": author, "books.py": BOOK + KEY}).project.models
    assert models.lazy(models.named("Author")[0].attributes["books"]) == expected


def test_attributes_set_from_outside(tmp_path: Path) -> None:
    outside = "Thing.size = column_property(1)\nBase.extra = 5\n"
    source = f"{CORE}Base = declarative_base()\nclass Thing(Base):{COLUMNS}\n{outside}"
    assert kinds(tmp_path, source, "Thing") == {"id": "column", "size": "column_property", "extra": "other"}


def test_classes_in_functions_and_classes(tmp_path: Path) -> None:
    source = f"""{CORE}
Base = declarative_base()
def make():
    class Local(Base):
        __tablename__ = "local"
class Outer:
    class Inner(Base):
        __tablename__ = "inner"
"""
    assert mapped(tmp_path, {"models.py": source}) == {"Inner"}
