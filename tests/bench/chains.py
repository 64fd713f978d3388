"""Random chains of Query, select, update and delete over a small set of models, as source text.

A chain is a function that builds a statement and returns it: a constructor, some joins and other steps, `filter_by` in
one or more places, spread over variables, branches, loops and inner functions. Most chains are valid; some raise, and
then must go on raising.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

MODELS = """\
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, create_engine, delete, func, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Session, aliased, column_property, declarative_base, joinedload, relationship
from sqlalchemy.orm import selectinload, synonym
from sqlalchemy.types import TypeDecorator

Base = declarative_base()


class YesNo(TypeDecorator):
    impl = Boolean
    cache_ok = True


class NeverIs(TypeDecorator):
    impl = String
    cache_ok = True
    coerce_to_is_types = ()


class Stated:
    state = Column(String)


book_tags = Table(
    "book_tags",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Author(Stated, Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    active = Column(Boolean)
    agreed = Column(YesNo)
    mark = Column(NeverIs)
    books = relationship("Book", back_populates="author")
    lower = column_property(func.lower(name))
    titles = association_proxy("books", "title")

    @hybrid_property
    def known(self):
        return self.id > 3


class Book(Stated, Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    kind = Column("book_kind", String)
    title = Column(String)
    active = Column(Boolean)
    author_id = Column(ForeignKey("authors.id"))
    author = relationship("Author", back_populates="books")
    prequel_id = Column(ForeignKey("books.id"))
    prequel = relationship("Book", remote_side=[id], backref="sequels")
    tags = relationship("Tag", secondary=book_tags, backref="books")
    heading = synonym("title")
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "book"}

    @property
    def shouted(self):
        return self.title.upper()


class Atlas(Book):
    __tablename__ = "atlases"
    id = Column(ForeignKey("books.id"), primary_key=True)
    scale = Column(Integer)
    __mapper_args__ = {"polymorphic_identity": "atlas"}


class Comic(Book):
    drawn_by = Column(String)
    __mapper_args__ = {"polymorphic_identity": "comic"}


class Tag(Stated, Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
    name = Column(String)


OtherBook = aliased(Book)
OtherAuthor = aliased(Author, name="other_author")


def number(value):
    return value
"""

RUN = """\

if __name__ == "__main__":
    session = Session(create_engine("sqlite://"))
    for chain in CHAINS:
        for v in (5, 0):
            try:
                made = chain(session, v)
                compiled = getattr(made, "statement", made).compile(dialect=sqlite.dialect())
                print(chain.__name__, " ".join(str(compiled).split()), sorted(compiled.params.items()))
            except Exception as error:
                print(chain.__name__, "raises", type(error).__name__)
"""

ALIASES = {"OtherBook": "Book", "OtherAuthor": "Author", "inner": "Book"}
ENTITIES = ("Author", "Book", "Atlas", "Comic", "Tag", "OtherBook", "OtherAuthor", "inner")
_BOOK_KEYS = ("id", "kind", "title", "state", "active", "author_id", "author", "prequel", "tags", "heading")
KEYS = {
    "Author": ("id", "name", "state", "active", "agreed", "mark", "books", "lower", "titles", "known"),
    "Book": _BOOK_KEYS,
    "Atlas": (*_BOOK_KEYS, "scale"),
    "Comic": (*_BOOK_KEYS, "drawn_by"),
    "Tag": ("id", "name", "state", "books"),
}
_RELATIONS = ("author", "prequel", "tags", "books")
_FROM_BOOK = {
    "Author": (
        "Author",
        "{0}.author",
        "Author, Author.id == {0}.author_id",
        "Author, {0}.author",
        "(Author, {0}.author)",
    ),
    "OtherAuthor": (
        "OtherAuthor, {0}.author",
        "{0}.author.of_type(OtherAuthor)",
        "OtherAuthor, OtherAuthor.id == {0}.id",
    ),
    "Tag": ("{0}.tags", "Tag, {0}.tags", "{0}.tags.and_(Tag.id > 1)", "'tags'", "{0}.prequel, Book.tags"),
    "Book": ("{0}.sequels", "{0}.sequels.of_type(Book)"),
    "OtherBook": ("OtherBook, {0}.prequel", "{0}.sequels.of_type(OtherBook)"),
    "inner": ("inner, {0}.sequels", "inner, inner.prequel_id == {0}.id", "target=inner, onclause={0}.prequel"),
    "Atlas": ("{0}.sequels.of_type(Atlas)", "Atlas, Atlas.id == {0}.prequel_id"),
}
_FROM_AUTHOR = {
    "Book": (
        "Book",
        "{0}.books",
        "Book, Book.author_id == {0}.id",
        "Book, {0}.books",
        "'books'",
        "target=Book",
        "Book, Tag",
    ),
    "OtherBook": ("OtherBook, OtherBook.author_id == {0}.id", "{0}.books.of_type(OtherBook)"),
    "inner": ("inner, {0}.books", "{0}.books.of_type(inner)"),
    "Comic": ("Comic, Comic.author_id == {0}.id", "{0}.books.of_type(Comic)"),
    "Tag": ("{0}.books, Book.tags", "'books', 'tags'"),
}
JOINS = {
    **dict.fromkeys(("Book", "Atlas", "Comic", "OtherBook", "inner"), _FROM_BOOK),
    **dict.fromkeys(("Author", "OtherAuthor"), _FROM_AUTHOR),
    "Tag": {"Book": ("{0}.books", "Book, {0}.books"), "inner": ("{0}.books.of_type(inner)",)},
}
"""Joins from an entity: the entity joined to, and the ways to write it. Some raise, on some versions."""
_OPTIONS = ("", "", "", ", isouter=True", ", full=True", ", aliased=True")
NEUTRAL = (
    "order_by({entity}.id)", "order_by(None)", "filter({entity}.id > 1)", "where({entity}.state == 'on')", "distinct()",
    "group_by({entity}.id)", "having({entity}.id > 1)", "options(selectinload(Author.books))",
    "options(joinedload(Book.author))", "limit(3)", "execution_options(x=1)", "with_for_update()",
    "correlate({entity})", "prefix_with('ALL')", "params(a=1)", "filter()", "filter_by()",
)  # fmt: skip
QUERY_ONLY = (
    "with_entities({entity}.id)", "with_entities({entity}, func.count({other}.id))", "add_entity({entity})",
    "add_columns({entity}.id)", "enable_eagerloads(False)", "reset_joinpoint()", "union(session.query({cls}))",
    "from_self()", "populate_existing()", "autoflush(False)", "filter({entity}.id.in_(session.query(Tag.id)))",
)  # fmt: skip
SELECT_ONLY = (
    "add_columns({entity}.id)", "with_only_columns({entity}.id)", "with_only_columns({entity}.id, {other}.id)",
    "join_from({entity}, Tag, Tag.id > 2)", "correlate(None)",
    "where({entity}.id.in_(select(Tag.id).filter_by(state=v)))",
)  # fmt: skip
EITHER = ("select_from({entity})", "select_from({entity}, Tag)", "select_from({other})")
VALUES = (
    "1", "'on'", "v", "v or 2", "1 if v else 2", "number(v)", "None", "True", "False", "v == 5", "not v", "Author.id",
    "select(func.max(Tag.id)).scalar_subquery()", "lambda_(v)",
)  # fmt: skip
COLUMNS = (
    "{0}", "{0}", "{0}", "{0}", "{0}.id", "func.count({0}.id)", "func.coalesce({0}.id, 0)",
    "func.coalesce(1, {0}.id, {1}.id)", "{0}.state.label('s')", "{0}.id + 1",
    "func.max(func.abs({0}.id)).label('m')", "{0}.id == {1}.id", "func.count()",
)  # fmt: skip

FORMS = ("assign", "assign", "if", "if not", "either", "loop", "inner", "try", "with other name")
"""How the text goes on after a step: in a new statement, in a branch, and so on."""
HEADERS = ("", "from shelf import *", "from shelf import {names}", "import shelf", "import shelf as s")


@dataclass(frozen=True)
class Chain:
    """One chain: constructor and steps, and in which form the text goes on before which step."""

    constructor: str
    steps: tuple[str, ...]
    forms: Mapping[int, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The function that builds the chain."""
        used = "".join((self.constructor, *self.steps))
        lines = [line for line in ("inner = aliased(Book)", "lambda_ = lambda x: x") if line.partition(" ")[0] in used]
        lines.append(f"made = {self.constructor}")
        variable = "made"
        for position, step in enumerate(self.steps):
            match self.forms.get(position):
                case None:
                    lines[-1] += f".{step}"
                    continue
                case "assign":
                    lines.append(f"{variable} = {variable}.{step}")
                case "if" | "if not" as form:
                    lines += [f"{form} v:", f"    {variable} = {variable}.{step}"]
                case "either":
                    lines.append(f"{variable} = {variable}.{step} if v else {variable}")
                case "loop":
                    lines += ["for _ in range(2):", f"    {variable} = {variable}.{step}"]
                case "inner":
                    lines += ["def start():", f"    return {variable}.{step}", "", "made_inside = start()"]
                    variable = "made_inside"
                case "try":
                    lines += ["try:", f"    {variable} = {variable}.{step}", "finally:", "    number(v)"]
                case _:
                    lines.append(f"next_{position} = {variable}.{step}")
                    variable = f"next_{position}"
            if lines[-1].startswith(("    ", f"{variable} = {variable}.{step} if")):
                lines.append(f"{variable} = {variable}")
        body = textwrap.indent("\n".join([*lines, f"return {variable}"]), "    ")
        return f"\n\ndef {name}(session: Session, v):\n{body}\n"


def program(chains: list[Chain], header: str = "") -> dict[str, bytes]:
    """Files that build every chain and print its SQL, or what it raises.

    `header` says how the program gets the models: in its own file, or by an import from `shelf.py`.
    """
    names = [f"chain_{position}" for position in range(len(chains))]
    texts = "".join(chain.text(name) for name, chain in zip(names, chains, strict=True))
    run = f"\n\nCHAINS = [{', '.join(names)}]\n{RUN}"
    if not header:
        return {"main.py": f"{MODELS}{texts}{run}".encode()}
    imports, _, rest = MODELS.partition("\n\nBase = ")
    classes = re.findall(r"^class (\w+)\(.*Base\)|^(Other\w+) =|^def (\w+)|^class (Atlas|Comic)", rest, re.MULTILINE)
    models = sorted("".join(found) for found in classes)
    if header.startswith("import"):
        prefix = header.rpartition(" ")[2]
        texts = re.sub(rf"(?<![.\w'])({'|'.join(models)})\b", rf"{prefix}.\1", texts)
    written = header.format(names=", ".join(models))
    return {
        "shelf.py": f"{imports}\n\nBase = {rest}".encode(),
        "main.py": f"{imports}\n{written}\n{texts}{run}".encode(),
    }


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """One random chain with at least one `filter_by`."""
    entity = draw(st.sampled_from(ENTITIES))
    style = draw(st.sampled_from(("query", "query", "select", "select", "update", "delete")))
    if style in ("update", "delete"):
        return draw(_bulk(entity, style))
    columns = draw(_columns(entity))
    constructor = f"session.query({columns})" if style == "query" else f"select({columns})"
    steps: list[str] = []
    present = last = entity
    for _ in range(draw(st.integers(1, 4))):
        move = draw(st.sampled_from(("join", "join", "filter_by", "filter_by", "neutral", "special")))
        if move == "join":
            last = draw(st.sampled_from(sorted(JOINS[present])))
            steps.append(draw(_join(present, last)))
            present = draw(st.sampled_from((present, last)))
        elif move == "filter_by":
            steps.append(draw(_filter_by(last)))
        else:
            specials = QUERY_ONLY if style == "query" else SELECT_ONLY
            step = draw(st.sampled_from((*specials, *EITHER) if move == "special" else NEUTRAL))
            other = draw(st.sampled_from(ENTITIES))
            steps.append(step.format(entity=present, other=other, cls=ALIASES.get(entity, entity)))
    steps.append(draw(_filter_by(last)))
    return Chain(constructor, tuple(steps), draw(_forms(len(steps))))


@st.composite
def _bulk(draw: st.DrawFn, entity: str, style: str) -> Chain:
    entity = ALIASES.get(entity, entity)
    steps = [draw(_filter_by(entity)) for _ in range(draw(st.integers(1, 2)))]
    steps.append(draw(st.sampled_from(("execution_options(x=1)", f"where({entity}.id > 1)"))))
    if style == "update":
        steps.append("values(state='new')")
    return Chain(f"{style}({entity})", tuple(draw(st.permutations(steps))), draw(_forms(len(steps))))


def _forms(steps: int) -> st.SearchStrategy[dict[int, str]]:
    return st.dictionaries(st.integers(0, steps - 1), st.sampled_from(FORMS), max_size=2)


@st.composite
def _join(draw: st.DrawFn, present: str, last: str) -> str:
    method = draw(st.sampled_from(("join", "join", "join", "outerjoin")))
    arguments = draw(st.sampled_from(JOINS[present][last])).format(present)
    return f"{method}({arguments}{draw(st.sampled_from(_OPTIONS)) if method == 'join' else ''})"


@st.composite
def _columns(draw: st.DrawFn, entity: str) -> str:
    others = st.sampled_from(ENTITIES)
    first = draw(st.sampled_from(COLUMNS)).format(entity, draw(others))
    if draw(st.booleans()):
        return first
    return f"{first}, {draw(st.sampled_from(COLUMNS)).format(draw(others), draw(others))}"


@st.composite
def _filter_by(draw: st.DrawFn, entity: str) -> str:
    own = KEYS[ALIASES.get(entity, entity)]
    keys = draw(st.lists(st.sampled_from(own), min_size=1, max_size=2, unique=True))
    if draw(st.integers(0, 15)) == 0:
        keys = [draw(st.sampled_from(("nothing", "title", "name", "shouted")))]
    return f"filter_by({', '.join(f'{key}={draw(st.sampled_from(_values(key)))}' for key in keys)})"


def _values(key: str) -> tuple[str, ...]:
    return ("None",) if key in _RELATIONS else VALUES
