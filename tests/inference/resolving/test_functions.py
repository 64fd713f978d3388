"""Queries that grow over variables, branches, loops, functions, methods, parameters and containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Check = Callable[[Mapping[str, str]], None]

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import declarative_base, relationship, sessionmaker
Base = declarative_base()
Local = sessionmaker()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    books = relationship("Book", back_populates="user")
    best = relationship("Book", uselist=False)
    @classmethod
    def by_id(cls, session, id):
        return session.query(cls).filter_by(id=id)
    @property
    def first_book(self):
        return self.books[0]
    def find_books(self, session):
        return session.query(Book).filter_by(user=self)
class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
    user = relationship(User, back_populates="books")
"""


def app(source: str) -> dict[str, str]:
    """The models and one module that imports all of them."""
    return {"models.py": MODELS, "app.py": f"from models import *\n{source}"}


def test_variables(check: Check) -> None:
    check(
        app("""
def straight(session):
    query = session.query(User)
    query = query.filter(User.id > 1)
    query  #? query on User
    query = query.join(User.books)
    query  #? query on Book
    other = query
    query = session.query(User)
    other  #? query on Book
    query  #? query on User
    del query
    query  #? unknown
    first = second = session.query(Book)
    second  #? query on Book
    one, two = session.query(User), session.query(Book)
    two  #? query on Book
    (three, four), five = (session.query(User), session.query(Book)), 5
    four  #? query on Book
    if (found := session.query(User)):
        found  #? query on User
    typed: object = session.query(User)
    typed  #? query on User
    six, *rest = session.query(User), 1, 2
    rest  #? unknown
""")
    )


def test_branches(check: Check) -> None:
    check(
        app("""
def same(session, flag):
    query = session.query(User)
    if flag:
        query = query.filter(User.id > 1)
    query  #? query on User
def joins_in_one(session, flag):
    query = session.query(User)
    if flag:
        query = query.join(User.books)
        query  #? query on Book
    query  #? query on unknown
def joins_in_both(session, flag):
    query = session.query(User)
    if flag:
        query = query.join(User.books)
    else:
        query = query.outerjoin(User.books)
    query  #? query on Book
def two_entities(session, flag):
    if flag:
        query = session.query(User)
    else:
        query = session.query(Book)
    query  #? unknown
def one_way_returns(session, flag):
    query = session.query(User)
    if flag:
        query = query.join(User.books)
        return query.all()
    query  #? query on User
def conditional(session, flag):
    query = session.query(User) if flag else session.query(User).filter(User.id > 1)
    query  #? query on User
    other = session.query(User) if flag else None
    other  #? unknown
    either = query or session.query(User)
    either  #? query on User
def matched(session, kind):
    query = session.query(User)
    match kind:
        case "a":
            query = query.join(User.books)
        case _:
            query = query.filter_by(id=1)
    query  #? query on unknown
def none_first(session, flag):
    query = None
    if flag:
        query = session.query(User)
    query  #? query on User
""")
    )


def test_loops_and_try(check: Check) -> None:
    check(
        app("""
def filters(session, terms):
    query = session.query(User)
    for term in terms:
        query = query.filter(User.id == term)
    query  #? query on User
def joins(session, terms):
    query = session.query(User)
    for term in terms:
        query  #? query on unknown
        query = query.join(User.books)
    query  #? query on unknown
def while_loop(session):
    query = session.query(User)
    while more():
        query = query.limit(5)
    else:
        query  #? query on User
    return query  #? query on User
def guarded(session):
    query = session.query(User)
    try:
        query = query.join(User.books)
    except ValueError:
        query  #? query on User
    query  #? query on unknown
def final(session):
    try:
        query = session.query(User)
    finally:
        close()
    query  #? query on User
""")
    )


def test_rows_of_loops_and_comprehensions(check: Check) -> None:
    check(
        app("""
def loops(session):
    for user in session.query(User):
        user  #? a User
        for book in user.books:
            book  #? a Book
            book.user  #? a User
            book.user.best  #? a Book
    for user in session.query(User).all():
        user  #? a User
    for user, book in session.query(User, Book):
        book  #? a Book
    for row in session.query(User, Book.id):
        row.User  #? a User
        row[1]  #? plain
        row.id  #? plain
    for user in list(session.query(User)):
        user  #? a User
    for index, user in enumerate(session.query(User)):
        user  #? unknown
    users = session.query(User).all()
    users[0]  #? a User
    users[1:]  #? scalars of User
    users[0].first_book  #? a Book
    [user for user in users]  #? many (a User)
    [user.books for user in users]  #? many (many (a Book))
    [book for user in users for book in user.books]  #? many (a Book)
    {user.id: user for user in users}  #? unknown
    next(iter(users))  #? a User
    sorted(users, key=len)  #? scalars of User
    first = session.query(User).first()
    first.books[0].user  #? a User
    first.id  #? plain
    first.missing  #? unknown
""")
    )


def test_functions_and_methods(check: Check) -> None:
    check(
        app("""
def all_users(session):
    return session.query(User)
def with_books(session):
    return all_users(session).join(User.books)
def or_none(session, flag):
    if flag:
        return None
    return session.query(User)
def mixed(session, flag):
    return session.query(User) if flag else session.query(Book)
def noted(session) -> "list[User]":
    return run()
def decorated(function):
    return function
@decorated
def through_decorator(session):
    return session.query(User)
class Repository:
    def __init__(self, session):
        self.session = session
    def query(self):
        return self.session.query(User)
    @property
    def books(self):
        return self.session.query(Book)
    @staticmethod
    def plain(session):
        return session.query(Book)
    def use(self):
        self.query()  #? query on User
        self.books  #? query on Book
        self.plain(None)  #? query on Book
        self.query().join(User.books)  #? query on Book
def use(session: Session):
    all_users(session)  #? query on User
    with_books(session)  #? query on Book
    or_none(session, 1)  #? query on User
    mixed(session, 1)  #? unknown
    noted(session)  #? many (a User)
    noted(session)[0]  #? a User
    through_decorator(session)  #? perhaps query on User
    Repository(session).query()  #? query on User
    Repository.plain(session)  #? query on Book
    User.by_id(session, 1)  #? query on User
    User().find_books(session)  #? query on Book
    def inner():
        return session.query(Book)
    inner()  #? query on Book
    shorter = lambda: session.query(User)
    shorter()  #? query on User
    (lambda s: s.query(Book))(session)  #? query on Book
""")
    )


def test_overridden_methods(check: Check) -> None:
    check(
        app("""
class Base:
    def find(self, session):
        return session.query(User)
    def same(self, session):
        return session.query(User)
    def use(self, session):
        self.find(session)  #? unknown
        self.same(session)  #? query on User
class Child(Base):
    def find(self, session):
        return session.query(Book)
    def same(self, session):
        return session.query(User).filter_by(id=2)
class Grandchild(Child):
    def same(self, session):
        return session.query(User).filter(User.id > 1)
    def use(self, session):
        self.find(session)  #? query on Book
""").copy()
        | {
            "base.py": """
            from models import User
            class Far:
                def find(self, session):
                    return session.query(User)
                def use(self, session):
                    self.find(session)  #? unknown
            """,
            "far.py": """
            import base
            class Further(base.Far):
                def find(self, session):
                    return grown(super().find(session))
            """,
            "one.py": """
            from models import User
            class Base:
                def same(self, session):
                    return session.query(User)
                def use(self, session):
                    self.same(session)  #? query on User
            class Child(Base):
                def same(self, session):
                    return session.query(User).filter(User.id > 1)
            """,
        }
    )


def test_parameters(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "work.py": """
            from models import Local
            def _agreed(query):
                query  #? query on User
            def public(query):
                query  #? perhaps query on User
            def _disagreed(query):
                query  #? unknown
            def _one_joins(query):
                query  #? query on unknown
            def _keyword(*, query):
                query  #? query on Book
            def _default(session=Local()):
                session  #? Session
            def _starred(*queries, **named):
                queries  #? unknown
                named  #? unknown
            def _rebound(query):
                query = query.join(Book)
                query  #? query on Book
            @inject
            def _injected(query, session):
                query  #? unknown
            def _never(query):
                query  #? unknown
            def _recursive(query, n):
                query  #? query on User
                if n:
                    _recursive(query, n - 1)
            from models import Book
            class Worker:
                def _method(self, query):
                    query  #? query on User
                @staticmethod
                def _static(query):
                    query  #? query on User
                @classmethod
                def _class(cls, query):
                    query  #? query on User
                def run(self, session):
                    self._method(session.query(User))
                    Worker._method(self, session.query(User))
                    self._static(session.query(User))
                    Worker._static(session.query(User))
                    self._class(session.query(User))
                    Worker._class(session.query(User))
            from models import User
            """,
            "app.py": """
            import work
            from models import Book, User
            from work import _agreed, _disagreed
            def main(session):
                _agreed(session.query(User))
                work._agreed(query=session.query(User).filter(User.id > 1))
                work.public(session.query(User))
                _disagreed(session.query(User))
                _disagreed(session.query(Book))
                work._one_joins(session.query(User))
                work._one_joins(session.query(User).join(Book))
                work._keyword(query=session.query(Book))
                work._default()
                work._starred(session.query(User), a=session.query(User))
                work._rebound(session.query(User))
                work._injected(session.query(User))
                work._recursive(session.query(User), 3)
            """,
        }
    )


def test_calls_that_are_not_seen(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "work.py": """
            def _by_name(query):
                query  #? perhaps query on User
            def _as_value(query):
                query  #? perhaps query on User
            def _renamed(query):
                query  #? perhaps query on User
            """,
            "app.py": """
            import work
            from models import User
            from work import _renamed as other
            def main(session):
                work._by_name(session.query(User))
                getattr(work, "_by_name")(5)
                work._as_value(session.query(User))
                run(work._as_value)
                other(5)
                work._renamed(session.query(User))
            """,
        }
    )


def test_generators_and_coroutines(check: Check) -> None:
    check(
        app("""
from sqlalchemy import select
def users(session):
    for user in session.query(User):
        yield user
def nested(session):
    yield from users(session)
async def fetch(session):
    return session.query(User)
async def stream(session):
    for user in session.query(User):
        yield user
async def use(session):
    users(session)  #? generator of a User
    nested(session)  #? unknown
    for user in users(session):
        user  #? a User
    await fetch(session)  #? query on User
    fetch(session)  #? coroutine of query on User
    async for user in stream(session):
        user  #? a User
    [user async for user in stream(session)]  #? many (a User)
""")
    )


def test_annotations(check: Check) -> None:
    check(
        app("""
from __future__ import annotations
import typing
from typing import Annotated, List, Optional, Sequence, Type, Union
import models
Users = List[User]
def use(a: User, b: "User", c: Optional[User], d: User | None, e: "Optional[User]", f: Union[User, None],
        g: List[User], h: "list[User]", i: Sequence["User"], j: models.User, k: Type[User], l: "type[User]",
        m: Annotated[User, 5], n: Users, o: User | Book, p: "not valid(", q: "", r: "User" = None,
        s: typing.Iterable[User] = (), t: dict[str, User] = {}, u: str = "", v: tuple[User, Book] = (), *args: User):
    a  #? a User
    b  #? a User
    c  #? a User
    d  #? a User
    e  #? a User
    f  #? a User
    g  #? many (a User)
    h  #? many (a User)
    i  #? many (a User)
    j  #? a User
    k  #? model User
    l  #? model User
    m  #? a User
    n  #? many (a User)
    o  #? unknown
    p  #? unknown
    q  #? unknown
    r  #? a User
    s  #? many (a User)
    t  #? unknown
    u  #? plain
    v  #? unknown
    args  #? many (a User)
    args[0]  #? a User
    local: User = get()
    local  #? a User
    for row in g:
        row.books  #? many (a Book)
""")
    )


def test_string_annotations_mean_what_the_name_means_outside_the_function(check: Check) -> None:
    check(
        app("""
def use(user: "User"):
    User = Book
    user  #? a User
class Holder:
    User = Book
    def method(self, user: "User"):
        user  #? a Book
    def other(self, user: User):
        user  #? a Book
""")
    )


def test_query_methods_of_the_project(check: Check) -> None:
    check(
        app("""
class Repository:
    def query(self, model):
        return Local().query(User).join(User.books)
class Odd:
    def query(self, model):
        return find(model)
def use(repository: Repository, odd: Odd, stranger, session):
    repository.query(User)  #? query on Book
    odd.query(User)  #? unknown
    stranger.query(User)  #? perhaps query on User
    Local().query(User)  #? query on User
""")
    )
