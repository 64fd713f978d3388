"""Random chains of Query and select over a small set of models, as source text.

A chain is a function that builds a statement and returns it: `session.query(...)` or `select(...)`, some joins and
other steps, and `filter_by` in one or more places. Most chains are valid; some raise, and then must go on raising.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from hypothesis import strategies as st

MODELS = """\
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, create_engine, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session, aliased, declarative_base, joinedload, relationship, selectinload, synonym

Base = declarative_base()

book_tags = Table(
    "book_tags",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    state = Column(String)
    active = Column(Boolean)
    books = relationship("Book", back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    kind = Column("book_kind", String)
    title = Column(String)
    state = Column(String)
    active = Column(Boolean)
    author_id = Column(ForeignKey("authors.id"))
    author = relationship("Author", back_populates="books")
    tags = relationship("Tag", secondary=book_tags)
    heading = synonym("title")
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "book"}


class Atlas(Book):
    __tablename__ = "atlases"
    id = Column(ForeignKey("books.id"), primary_key=True)
    scale = Column(Integer)
    __mapper_args__ = {"polymorphic_identity": "atlas"}


class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    state = Column(String)


OtherBook = aliased(Book)
OtherAuthor = aliased(Author, name="other_author")


def number(value):
    return value
"""

RUN = """\

if __name__ == "__main__":
    session = Session(create_engine("sqlite://"))
    for chain in CHAINS:
        try:
            made = chain(session, 5)
            compiled = getattr(made, "statement", made).compile(dialect=sqlite.dialect())
            print(chain.__name__, " ".join(str(compiled).split()), sorted(compiled.params.items()))
        except Exception as error:
            print(chain.__name__, "raises", type(error).__name__)
"""

CLASSES = ("Author", "Book", "Atlas", "Tag")
ALIASES = {"OtherBook": "Book", "OtherAuthor": "Author"}
ENTITIES = (*CLASSES, *ALIASES)
KEYS = {
    "Author": ("id", "name", "state", "active"),
    "Book": ("id", "kind", "title", "state", "active", "author_id", "author", "heading"),
    "Atlas": ("id", "kind", "title", "state", "author_id", "scale"),
    "Tag": ("id", "name", "state"),
}
JOINS = {
    "Author": {
        "Book": ("Book", "Author.books", "Book, Book.author_id == Author.id", "Book, Author.books"),
        "OtherBook": ("OtherBook, OtherBook.author_id == Author.id", "Author.books.of_type(OtherBook)"),
    },
    "Book": {
        "Author": ("Author", "Book.author", "Author, Author.id == Book.author_id"),
        "OtherAuthor": ("OtherAuthor, Book.author", "OtherAuthor, OtherAuthor.id == Book.author_id"),
        "Tag": ("Book.tags", "Tag, Book.tags"),
    },
    "Atlas": {"Author": ("Author", "Atlas.author"), "Tag": ("Atlas.tags",)},
    "Tag": {},
    "OtherBook": {"Tag": ("OtherBook.tags",), "Author": ("OtherBook.author",)},
    "OtherAuthor": {"Book": ("OtherAuthor.books",)},
}
"""Joins that work from an entity: the entity joined to, and the ways to write it."""
NEUTRAL = (
    "order_by({entity}.id)",
    "filter({entity}.id > 1)",
    "where({entity}.state == 'on')",
    "distinct()",
    "group_by({entity}.id)",
    "options(selectinload(Author.books))",
    "options(joinedload(Book.author))",
    "limit(3)",
)
QUERY_ONLY = (
    "with_entities({entity}.id)",
    "add_entity({entity})",
    "enable_eagerloads(False)",
    "reset_joinpoint()",
    "union(session.query({cls}))",
    "from_self()",
    "execution_options(x=1)",
)
SELECT_ONLY = ("add_columns({entity}.id)", "with_only_columns({entity}.id)", "execution_options(x=1)")
VALUES = ("1", "'on'", "v", "v or 2", "1 if v else 2", "number(v)", "None", "True", "False", "v == 5", "Author.id")


@dataclass(frozen=True)
class Chain:
    """One chain: constructor and steps, and after which steps the text starts a new statement."""

    constructor: str
    steps: tuple[str, ...]
    breaks: frozenset[int]

    def text(self, name: str) -> str:
        """The function that builds the chain."""
        lines = [f"made = {self.constructor}"]
        for position, step in enumerate(self.steps):
            if position in self.breaks:
                lines.append(f"made = made.{step}")
            else:
                lines[-1] += f".{step}"
        body = textwrap.indent("\n".join([*lines, "return made"]), "    ")
        return f"\n\ndef {name}(session: Session, v):\n{body}\n"


def program(chains: list[Chain]) -> str:
    """A module that builds every chain and prints its SQL, or what it raises."""
    names = [f"chain_{position}" for position in range(len(chains))]
    texts = "".join(chain.text(name) for name, chain in zip(names, chains, strict=True))
    return f"{MODELS}{texts}\n\nCHAINS = [{', '.join(names)}]\n{RUN}"


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    """One random chain with at least one `filter_by`."""
    entity = draw(st.sampled_from(ENTITIES))
    is_query = draw(st.booleans())
    constructor = f"session.query({draw(_columns(entity))})" if is_query else f"select({draw(_columns(entity))})"
    steps: list[str] = []
    present = last = entity
    for _ in range(draw(st.integers(1, 4))):
        move = draw(st.sampled_from(("join", "join", "filter_by", "filter_by", "neutral", "special")))
        if move == "join" and JOINS[present]:
            last = draw(st.sampled_from(sorted(JOINS[present])))
            method = draw(st.sampled_from(("join", "join", "join", "outerjoin")))
            steps.append(f"{method}({draw(st.sampled_from(JOINS[present][last]))})")
            present = draw(st.sampled_from((present, last)))
        elif move == "filter_by":
            steps.append(draw(_filter_by(last)))
        elif move == "special":
            steps.append(draw(_special(entity, is_query)))
        else:
            steps.append(draw(st.sampled_from(NEUTRAL)).format(entity=present))
    steps.append(draw(_filter_by(last)))
    breaks = draw(st.frozensets(st.integers(0, len(steps) - 1), max_size=2))
    return Chain(constructor, tuple(steps), breaks)


@st.composite
def _columns(draw: st.DrawFn, entity: str) -> str:
    first = draw(
        st.sampled_from(
            (entity, entity, entity, f"{entity}.id", f"func.count({entity}.id)", f"{entity}.state.label('s')")
        )
    )
    others = draw(st.lists(st.sampled_from((*ENTITIES, "Tag.name", "func.count()")), max_size=1))
    return ", ".join((first, *others) if draw(st.booleans()) else (first,))


@st.composite
def _filter_by(draw: st.DrawFn, entity: str) -> str:
    own = KEYS[ALIASES.get(entity, entity)]
    keys = draw(st.lists(st.sampled_from(own), min_size=1, max_size=2, unique=True))
    if draw(st.integers(0, 15)) == 0:
        keys = [draw(st.sampled_from(("nothing", "title", "name")))]
    return f"filter_by({', '.join(f'{key}={draw(st.sampled_from(_values(key)))}' for key in keys)})"


def _values(key: str) -> tuple[str, ...]:
    return ("None",) if key == "author" else VALUES


@st.composite
def _special(draw: st.DrawFn, entity: str, is_query: bool) -> str:
    other = draw(st.sampled_from(ENTITIES))
    steps = (*(QUERY_ONLY if is_query else SELECT_ONLY), "select_from({entity})", "select_from({entity}, Tag)")
    chosen = draw(st.sampled_from(steps))
    entity = draw(st.sampled_from((entity, other)))
    return chosen.format(entity=entity, cls=ALIASES.get(entity, entity))
