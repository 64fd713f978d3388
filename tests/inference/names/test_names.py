"""What names stand for: imports of every kind, re-exports, shadowing, modules of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Check = Callable[[Mapping[str, str]], None]

MODELS = """
from sqlalchemy import Column, Integer
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
"""


def test_absolute_imports_and_aliases(check: Check) -> None:
    check(
        {
            "shop/__init__.py": "",
            "shop/models.py": MODELS,
            "app.py": """
            import shop.models
            import shop.models as m
            from shop import models
            from shop import models as others
            from shop.models import User
            from shop.models import User as U
            import sqlalchemy.orm as orm
            from sqlalchemy.orm import Session as S
            shop.models.User  #? model User
            m.User  #? model User
            models.User  #? model User
            others.Book  #? model Book
            User  #? model User
            U  #? model User
            Again = U
            Again  #? model User
            orm.Session  #? sqlalchemy.orm.Session
            S()  #? Session
            orm.Session()  #? Session
            shop.nothing  #? unknown
            models.Nothing  #? unknown
            """,
        }
    )


def test_relative_imports(check: Check) -> None:
    check(
        {
            "shop/__init__.py": "from .data.models import Book",
            "shop/data/__init__.py": "",
            "shop/data/models.py": MODELS,
            "shop/data/near.py": """
            from . import models
            from .models import User
            from .. import Book
            from ..data import models as again
            from ....data import models as far
            models.User  #? model User
            User  #? model User
            Book  #? model Book
            again.User  #? model User
            far.User  #? unknown
            """,
        }
    )


def test_reexports(check: Check) -> None:
    check(
        {
            "shop/__init__.py": "from .models import *\nfrom .models import User as Customer\n",
            "shop/models/__init__.py": "from .user import *\nfrom .book import Book\n__all__ = ['User', 'Book']\n",
            "shop/models/base.py": MODELS,
            "shop/models/user.py": "from .base import User, Book as _Hidden\n",
            "shop/models/book.py": "from .base import Book\n",
            "app.py": """
            from shop import User, Book, Customer
            from shop import _Hidden
            from shop import models
            from shop.models import user
            import shop
            User  #? model User
            Book  #? model Book
            Customer  #? model User
            _Hidden  #? unknown
            models.User  #? model User
            user.User  #? model User
            shop.User  #? model User
            """,
        }
    )


def test_all_limits_star_imports(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "some.py": "from models import User, Book\n__all__ = ['User']\n",
            "app.py": """
            from some import *
            User  #? model User
            Book  #? unknown
            """,
        }
    )


def test_the_last_star_import_that_has_a_name_wins(check: Check) -> None:
    check(
        {
            "one.py": MODELS.replace("class Book", "    only_in_one = Column(Integer)\nclass Book"),
            "two.py": MODELS.replace("class Book", "class Paper"),
            "app.py": """
            from two import *
            from one import *
            import one, two
            User  #? model User
            User.only_in_one  #? User.only_in_one
            Paper  #? model Paper
            Book  #? model Book
            """,
            "mixed.py": """
            from one import *
            from sqlalchemy.orm import *
            from elsewhere import *
            Book  #? unknown
            """,
            "libraries.py": """
            from one import *
            from sqlalchemy.orm import *
            Session  #? sqlalchemy.orm.Session
            select  #? unknown
            """,
        }
    )


def test_conditional_imports(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            import sys
            from typing import TYPE_CHECKING
            try:
                from sqlalchemy.orm import declarative_base
            except ImportError:
                from sqlalchemy.ext.declarative import declarative_base
            try:
                from models import User
            except ImportError:
                User = None
            if sys.version_info > (3, 9):
                from models import Book
            else:
                from elsewhere import Book
            if TYPE_CHECKING:
                from sqlalchemy.orm import Session
            declarative_base  #? sqlalchemy.orm.declarative_base
            User  #? model User
            Book  #? unknown

            def find(session: "Session"):
                session  #? Session
            def found(session: Session):
                return session.query(User)  #? query on User
            """,
        }
    )


def test_imports_in_functions(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "shop/__init__.py": "",
            "shop/models.py": MODELS,
            "shop/app.py": """
            from .models import User
            def find(session):
                from models import Book
                from .models import Book as Near
                import shop.models
                Book  #? model Book
                shop.models.Book  #? model Book
                Near  #? model Book
                def inner():
                    Near  #? model Book
            Near  #? unknown
            """,
        }
    )


def test_shadowed_names(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from models import Book, User
            def parameter(User):
                User  #? unknown
            def local():
                User = 5
                User  #? plain
            def loop(rows):
                for User in rows:
                    User  #? unknown
                [User for User in rows]  #? unknown
                User  #? unknown
            def comprehension(rows):
                [User for User in rows]
                User  #? model User
            def later(flag):
                if flag:
                    User = Book
                User  #? model Book
            class Thing:
                User = Book
                User  #? model Book
                def method(self):
                    User  #? model User
            def nested():
                def inner():
                    nonlocal_ = User
                    return nonlocal_  #? unknown
                User = Book
                def other():
                    return User  #? model Book
            """.replace("return nonlocal_  #? unknown", "return nonlocal_  #? model Book"),
        }
    )


def test_names_bound_twice_at_module_level(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from models import Book, User
            Same = User
            Same = User
            Same  #? model User
            Other = User
            Other = Book
            Other  #? model Book
            Gone = User
            del Gone
            Gone  #? unknown
            for Each in [User]:
                Each  #? model User
            Both, Second = User, Book
            Second  #? model Book
            (Walrus := User)
            Walrus  #? model User
            def later():
                Other  #? unknown
            """,
        }
    )


def test_global_assignment(check: Check) -> None:
    check(
        {
            "db.py": """
            from sqlalchemy.orm import scoped_session, sessionmaker
            Session = None
            engine = None
            def configure(url):
                global Session, engine
                engine = create_engine(url)
                Session = scoped_session(sessionmaker(bind=engine))
            class Setup:
                def run(self):
                    global inner
                    inner = sessionmaker()
            inner = None
            def nested():
                def deep():
                    global hidden
                    hidden = sessionmaker()
                deep()
            hidden = None
            """,
            "app.py": """
            import db
            from db import Session
            Session  #? scoped factory
            db.Session()  #? scoped Session
            db.inner()  #? Session
            db.hidden()  #? Session
            """,
        }
    )


def test_circles_of_imports_end(check: Check) -> None:
    check(
        {
            "one.py": "class Other: pass\nfrom two import Thing\n",
            "two.py": "from one import Other, Thing\nThing = Other\nfrom three import Lost\n",
            "three.py": "from two import Lost\n",
            "app.py": """
            from two import Thing, Lost
            from one import Other
            Thing  #? unknown
            Other  #? class Other
            Lost  #? unknown
            """,
            "self_import.py": "from self_import import Me\nMe  #? unknown\nStar = Star\nStar  #? unknown\n",
            "stars.py": "from rats import *\nNothing  #? unknown\n",
            "rats.py": "from stars import *\nclass Rat: pass\nRat  #? class Rat\n",
        }
    )


def test_a_circle_gives_the_same_answers_in_whatever_order_they_are_asked(check: Check) -> None:
    files = {
        "a.py": "from b import *\nfrom models import User\n",
        "b.py": "from a import *\nfrom models import Book\n",
        "models.py": MODELS,
    }
    check({**files, "app.py": "import a, b\na.Book  #? model Book\nb.User  #? model User\na.Nope  #? unknown\n"})
    check({**files, "app.py": "import a, b\nb.User  #? model User\na.Book  #? model Book\nb.Nope  #? unknown\n"})


def test_namespace_packages_and_src_layout(check: Check) -> None:
    check(
        {
            "src/company/shop/models.py": MODELS,
            "src/company/shop/app.py": """
            from company.shop.models import User
            from company.shop import models
            from company import shop
            import company.shop.models
            User  #? model User
            models.Book  #? model Book
            company.shop.models.User  #? model User
            shop.models.User  #? model User
            """,
            "src/single/__init__.py": "",
            "src/single/models.py": MODELS,
            "tests/test_single.py": "from single.models import User\nUser  #? model User\n",
        }
    )


def test_several_roots_with_the_same_module_name(check: Check) -> None:
    check(
        {
            "one/shop/__init__.py": "",
            "one/shop/models.py": MODELS,
            "one/shop/app.py": "from shop.models import User\nUser  #? model User\n",
            "two/shop/__init__.py": "",
            "two/shop/models.py": MODELS.replace("class User", "class Person"),
            "two/shop/app.py": "from shop.models import Person, User\nPerson  #? model Person\nUser  #? unknown\n",
            "tests/test_app.py": "from shop.models import Book\nBook  #? unknown\n",
        }
    )


def test_scripts_beside_each_other_and_beside_packages(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "scripts/models.py": MODELS.replace("class User", "class Person"),
            "scripts/run.py": "import models\nmodels.Person  #? model Person\nmodels.User  #? unknown\n",
            "main.py": "from models import User\nUser  #? model User\n",
            "pack/__init__.py": "",
            "pack/models.py": MODELS.replace("class User", "class Packed"),
            "pack/inside.py": "from models import User\nUser  #? model User\n",
        }
    )


def test_a_project_package_named_like_a_library(check: Check) -> None:
    check(
        {
            "sqlalchemy/__init__.py": "class Column: pass\n",
            "sqlalchemy/orm.py": "class Session: pass\n",
            "app.py": """
            from sqlalchemy.orm import Session, missing
            from sqlalchemy import Column
            Session()  #? a Session
            Column  #? class Column
            missing  #? unknown
            """,
        }
    )


def test_folders_elsewhere_do_not_stand_for_a_library(check: Check) -> None:
    app = "from sqlalchemy.orm import Session\nSession()  #? Session\n"
    check(
        {
            "app.py": app,
            "sqlalchemy/example.py": app,
            "typings/sqlalchemy/__init__.py": "",
            "typings/sqlalchemy/orm.py": "class Session: pass",
            "tests/unit/sqlalchemy/test_app.py": app,
        }
    )


def test_names_of_other_libraries_are_theirs(check: Check) -> None:
    check(
        {
            "app.py": """
            from requests import Session
            from notsqlalchemy.orm import Session as Other
            import sqlalchemy_utils
            import sqlalchemy
            Session()  #? unknown
            Other()  #? unknown
            sqlalchemy_utils.Session  #? sqlalchemy_utils.Session
            sqlalchemy_utils.Session()  #? unknown
            sqlalchemy.orm.session.Session()  #? Session
            """,
        }
    )


def test_builtins_may_be_shadowed(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "own.py": "def list(x): return 5\n",
            "app.py": """
            from models import User
            list([User()])  #? many (a User)
            next(iter([User()]))  #? a User
            len("x")  #? plain
            """,
            "shadowed.py": """
            from models import User
            from own import list
            list([User()])  #? plain
            """,
            "starred.py": """
            from models import User
            from own import *
            list([User()])  #? plain
            def inside(next):
                next([User()])  #? unknown
            """,
        }
    )
