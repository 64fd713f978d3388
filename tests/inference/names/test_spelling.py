"""How the entity of a `filter_by` is written where the call stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Check = Callable[[Mapping[str, str]], None]

MODELS = """
from sqlalchemy import Column, ForeignKey, Integer
from sqlalchemy.orm import aliased, declarative_base, relationship
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    books = relationship("Book")
class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    user_id = Column(ForeignKey("users.id"))
OtherUser = aliased(User)
"""


def test_names_in_scope(check: Check) -> None:
    check(
        {
            "shop/__init__.py": "",
            "shop/models.py": MODELS,
            "app.py": """
            import shop.models
            from shop import models
            from shop import models as m
            from shop.models import User
            from shop.models import Book as B
            def direct(session):
                session.query(User).filter_by(id=1)  #> User
                session.query(models.User).filter_by(id=1)  #> models.User
                session.query(shop.models.User).filter_by(id=1)  #> shop.models.User
                session.query(User).join(B).filter_by(id=1)  #> B
                session.query(User).join(User.books).filter_by(id=1)  #> B
                session.query(m.User).join(m.Book).filter_by(id=1)  #> m.Book
                session.query(m.User.id).filter_by(id=1)  #> m.User
                query = session.query(m.User)
                query.filter_by(id=1)  #> m.User
            """,
            "by_module.py": """
            from shop import models
            def find(session):
                session.query(models.User).join(models.User.books).filter_by(id=1)  #> models.Book
            """,
            "by_path.py": """
            import shop.models
            def find(session):
                session.query(shop.models.User).join(shop.models.User.books).filter_by(id=1)  #> shop.models.Book
            """,
        }
    )


def test_names_that_have_to_be_imported(check: Check) -> None:
    check(
        {
            "shop/__init__.py": "from shop.models import Book, User\n",
            "shop/models.py": MODELS,
            "direct.py": """
            from shop.models import User
            def find(session):
                session.query(User).join(User.books).filter_by(id=1)  #> Book from shop.models
            """,
            "package.py": """
            from shop import User
            def find(session):
                session.query(User).join(User.books).filter_by(id=1)  #> Book from shop
            """,
        }
    )


def test_shadowed_names(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from models import Book, User
            def get(session):
                return session.query(User)
            def local(session):
                query = get(session)
                User = 5
                query.filter_by(id=1)  #> no: User stands for something else here
            def parameter(session, User):
                get(session).filter_by(id=1)  #> no: User stands for something else here
            def free(session):
                get(session).filter_by(id=1)  #> User
            def comprehension(session):
                return [get(session).filter_by(id=1) for User in [1]]  #> no: User stands for something else here
            class Holder:
                User = Book
                get(session).filter_by(id=1)  #> no: User stands for something else here
                def method(self, session):
                    get(session).filter_by(id=1)  #> User
            def nested(session):
                def inner():
                    get(session).filter_by(id=1)  #> no: User stands for something else here
                User = None
            def another_name(session, User):
                Person = find()
                get(session).filter_by(id=1)  #> no: User stands for something else here
            """,
        }
    )


def test_type_checking_imports_are_not_there_at_run_time(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from models import User
                import models
            def find(session, user: "User"):
                session.query(type(user)).filter_by(id=1)  #> User from models
            """,
            "work.py": """
            from typing import TYPE_CHECKING
            from queries import users
            if TYPE_CHECKING:
                from models import User
            def find(session):
                users(session).filter_by(id=1)  #> User from queries
            """,
            "queries.py": """
            from models import User
            def users(session):
                return session.query(User)
            """,
        }
    )


def test_imports_that_close_a_circle(check: Check) -> None:
    check(
        {
            "models.py": "from services import helper\n" + MODELS,
            "services.py": """
            from queries import users
            def helper(session):
                users(session).filter_by(id=1)  #> User from models, a circle
            """,
            "queries.py": """
            def users(session):
                from models import User
                return session.query(User)
            """,
        }
    )
    check(
        {
            "shop/__init__.py": "from shop import views\n",
            "shop/models.py": MODELS,
            "shop/queries.py": "from shop.models import User\ndef users(session):\n    return session.query(User)\n",
            "shop/views.py": """
            def find(session):
                from shop.queries import users
                users(session).filter_by(id=1)  #> User from shop.models
            """,
            "outside.py": """
            from lazy import users
            def find(session):
                users(session).filter_by(id=1)  #> User from shop.models
            """,
            "lazy.py": """
            def users(session):
                from shop.models import User
                return session.query(User)
            """,
        }
    )
    check(
        {
            "shop/__init__.py": "import tasks\n",
            "shop/models.py": MODELS,
            "tasks.py": """
            from lazy import users
            def find(session):
                users(session).filter_by(id=1)  #> User from shop.models, a circle
            """,
            "lazy.py": """
            def users(session):
                from shop.models import User
                return session.query(User)
            """,
        }
    )


def test_aliases(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from models import OtherUser, User
            from sqlalchemy.orm import aliased
            import models
            def find(session):
                session.query(OtherUser).filter_by(id=1)  #> OtherUser
                session.query(models.OtherUser).filter_by(id=1)  #> models.OtherUser
                inner = aliased(User)
                session.query(inner).filter_by(id=1)  #> inner
                session.query(aliased(User)).filter_by(id=1)  #> no: no name in scope stands for this alias of User
            def twice(session):
                inner = aliased(User)
                query = session.query(inner)
                inner = aliased(User)
                query.filter_by(id=1)  #> no: no name in scope stands for this alias of User
            """,
        }
    )


def test_order_of_statements(check: Check) -> None:
    check(
        {
            "models.py": """
            from sqlalchemy import Column, ForeignKey, Integer
            from sqlalchemy.orm import declarative_base, relationship, sessionmaker
            Base = declarative_base()
            session = sessionmaker()()
            class User(Base):
                __tablename__ = "users"
                id = Column(Integer, primary_key=True)
                books = relationship("Book")
                def before(self):
                    session.query(User).join(User.books).filter_by(id=1)  #> Book
            session.query(User).join(User.books).filter_by(id=1)  #> no: Book stands for something else here
            class Book(Base):
                __tablename__ = "books"
                id = Column(Integer, primary_key=True)
                user_id = Column(ForeignKey("users.id"))
            session.query(User).join(User.books).filter_by(id=1)  #> Book
            """,
        }
    )


def test_own_classes_and_run_time_classes(check: Check) -> None:
    check(
        {
            "models.py": MODELS
            + """
class Plant(Base):
    __tablename__ = "plants"
    id = Column(Integer, primary_key=True)
    @classmethod
    def find(cls, session):
        return session.query(cls).filter_by(id=1)  #> cls
    def again(self, session):
        return session.query(type(self)).filter_by(id=1)  #> type(self)
    def other(self, session):
        return session.query(self.__class__).filter_by(id=1)  #> self.__class__
""",
            "repo.py": """
            from sqlalchemy.orm import Session
            class Repository:
                model = None
                def __init__(self, model):
                    self.model = model
                def find(self, session: Session):
                    return session.query(self.model).filter_by(id=1)  #> run time self.model
                def all(self, session: Session, model):
                    return session.query(model).filter_by(id=1)  #> run time model
            """,
        }
    )


def test_nested_and_local_classes(check: Check) -> None:
    check(
        {
            "models.py": """
            from sqlalchemy import Column, ForeignKey, Integer
            from sqlalchemy.orm import declarative_base
            Base = declarative_base()
            class Outer:
                class Inner(Base):
                    __tablename__ = "inner"
                    id = Column(Integer, primary_key=True)
            def inners(session):
                return session.query(Outer.Inner)
            def here(session):
                inners(session).filter_by(id=1)  #> Outer.Inner
            """,
            "app.py": """
            from models import inners
            def find(session):
                inners(session).filter_by(id=1)  #> no: no name in scope stands for Inner
            """,
        }
    )
