"""What makes sessions, of what kind, and the ways a session comes to the code that uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

Check = Callable[[Mapping[str, str]], None]

MODELS = """
from sqlalchemy import Column, Integer
from sqlalchemy.orm import declarative_base
Base = declarative_base()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
"""


def test_makers(check: Check) -> None:
    check(
        {
            "app.py": """
            from sqlalchemy import create_engine
            from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session, async_sessionmaker
            from sqlalchemy.ext.asyncio import create_async_engine
            from sqlalchemy.orm import Session, create_session, scoped_session, sessionmaker
            import sqlalchemy.orm
            engine = create_engine("sqlite://")
            async_engine = create_async_engine("sqlite+aiosqlite://")
            engine  #? engine
            async_engine  #? async engine
            sessionmaker()  #? plain factory
            sessionmaker(bind=engine, expire_on_commit=False)  #? plain factory
            sqlalchemy.orm.sessionmaker(engine)()  #? Session
            sessionmaker(engine, class_=Session)()  #? Session
            sessionmaker(engine, **options)  #? unknown factory
            sessionmaker(class_=find())  #? unknown factory
            sessionmaker(async_engine, class_=AsyncSession)  #? plain async factory
            sessionmaker(async_engine, class_=AsyncSession)()  #? AsyncSession
            async_sessionmaker(async_engine)()  #? AsyncSession
            async_sessionmaker(async_engine, class_=AsyncSession)()  #? AsyncSession
            scoped_session(sessionmaker())  #? scoped factory
            scoped_session(sessionmaker())()  #? scoped Session
            async_scoped_session(async_sessionmaker(), scopefunc=task)()  #? scoped AsyncSession
            Session(engine)  #? Session
            Session(bind=engine)  #? Session
            AsyncSession(async_engine)  #? AsyncSession
            create_session(bind=engine)  #? unknown Session
            Local = sessionmaker(bind=engine)
            Local.begin()  #? manager of Session
            Local()  #? Session
            """
        }
    )


def test_annotated_with_a_factory(check: Check) -> None:
    check(
        {
            "app.py": """
            from typing import Optional
            from sqlalchemy.orm import scoped_session, sessionmaker
            Local = sessionmaker()
            Registry = scoped_session(Local)
            def f(db: Local, maybe: Optional[Local] = None, shared: Registry = None):
                db  #? perhaps Session
                maybe  #? perhaps Session
                shared  #? perhaps scoped Session
            """
        }
    )


def test_configured_later(check: Check) -> None:
    check(
        {
            "db.py": """
            from sqlalchemy.orm import sessionmaker, scoped_session
            Local = sessionmaker()
            Registry = scoped_session(Local)
            def init(engine):
                Local.configure(bind=engine)
            """,
            "app.py": """
            from db import Local, Registry
            Local()  #? Session
            Registry()  #? scoped Session
            Registry.query  #? scoped Session.query
            """.replace("Registry.query  #? scoped Session.query", ""),
        }
    )


def test_own_session_classes(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "db.py": """
            from sqlalchemy.ext.asyncio import AsyncSession
            from sqlalchemy.orm import Session, sessionmaker
            from elsewhere import Mixin
            class Plain(Session):
                def helper(self): pass
            class Committing(Session):
                def __exit__(self, *error):
                    self.commit()
            class Child(Committing): pass
            class Closing(Session):
                def close(self): pass
            class Mixed(Mixin, Session): pass
            class Own(AsyncSession):
                async def __aexit__(self, *error): pass
            Plain()  #? Session
            Committing()  #? committing Session
            Child()  #? committing Session
            Closing()  #? committing Session
            Mixed()  #? unknown Session
            Own()  #? committing AsyncSession
            sessionmaker(class_=Plain)  #? plain factory
            sessionmaker(class_=Child)()  #? committing Session
            sessionmaker(class_=Mixed)()  #? unknown Session
            class Asks(Session):
                def users(self):
                    return self.query(User)  #? query on User
            from models import User
            def use(session: Committing):
                session  #? committing Session
                session.query(User)  #? query on User
            """,
        }
    )


def test_registries(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from models import User
            from sqlalchemy.orm import scoped_session, sessionmaker
            Session = scoped_session(sessionmaker())
            Session()  #? scoped Session
            Session.query(User)  #? query on User
            Session().query(User)  #? query on User
            Session.execute  #? scoped factory.execute
            session = Session()
            session()  #? scoped Session
            """,
        }
    )


def test_factories_in_branches(check: Check) -> None:
    check(
        {
            "db.py": """
            from sqlalchemy.orm import sessionmaker, scoped_session
            if testing:
                Local = sessionmaker(autoflush=False)
            else:
                Local = sessionmaker()
            try:
                Mixed = sessionmaker()
            except Exception:
                Mixed = scoped_session(sessionmaker())
            """,
            "app.py": """
            from db import Local, Mixed
            Local()  #? Session
            Mixed()  #? unknown
            """,
        }
    )


def test_flask(check: Check) -> None:
    check(
        {
            "app/__init__.py": """
            from flask_sqlalchemy import SQLAlchemy
            db = SQLAlchemy()
            """,
            "app/models.py": """
            from app import db
            class User(db.Model):
                id = db.Column(db.Integer, primary_key=True)
                friends = db.relationship("User", secondary=links, lazy="dynamic")
            """,
            "app/views.py": """
            from . import db
            from .models import User
            db  #? flask database
            db.session  #? scoped Session
            db.session.query(User)  #? query on User
            User.query  #? query on User
            db.select(User)  #? select on User
            db.session()  #? scoped Session
            db.engine  #? engine
            User().friends  #? query on User
            def view(user: User):
                user.friends.filter_by(id=1)  #? query on User
            """,
        }
    )


def test_fastapi_providers(check: Check) -> None:
    check(
        {
            "db.py": """
            from typing import Annotated, AsyncGenerator, Generator
            from fastapi import Depends
            from sqlalchemy.orm import Session, sessionmaker
            from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
            Local = sessionmaker()
            AsyncLocal = async_sessionmaker()
            def get_db():
                db = Local()
                try:
                    yield db
                finally:
                    db.close()
            def get_with() -> Generator[Session, None, None]:
                with Local() as session:
                    yield session
            async def get_async() -> AsyncGenerator[AsyncSession, None]:
                async with AsyncLocal() as session:
                    yield session
            def get_returned():
                return Local()
            SessionDep = Annotated[Session, Depends(get_db)]
            OnlyDepends = Annotated["Session", Depends(get_db)]
            """,
            "app.py": """
            import fastapi
            from typing import Annotated
            from fastapi import Depends
            from db import Local, SessionDep, OnlyDepends, get_async, get_db, get_returned, get_with
            from sqlalchemy.orm import Session
            def plain(db=Depends(get_db)):
                db  #? Session
            def annotated(db: Session = Depends(get_db)):
                db  #? Session
            def by_module(db=fastapi.Depends(get_with)):
                db  #? Session
            def returned(db=Depends(get_returned)):
                db  #? Session
            def factory(db=Depends(Local)):
                db  #? Session
            async def asynchronous(db=Depends(get_async)):
                db  #? AsyncSession
            def in_annotation(db: Annotated[Session, Depends(get_db)]):
                db  #? Session
            def named(db: SessionDep):
                db  #? Session
            def quoted(db: OnlyDepends):
                db  #? Session
            def unknown(db=Depends(elsewhere)):
                db  #? unknown
            def taken():
                db = next(get_db())
                db  #? Session
            """,
        }
    )


def test_context_managers(check: Check) -> None:
    check(
        {
            "db.py": """
            import contextlib
            from contextlib import asynccontextmanager, closing, contextmanager
            from sqlalchemy.orm import sessionmaker
            from sqlalchemy.ext.asyncio import async_sessionmaker
            Local = sessionmaker()
            AsyncLocal = async_sessionmaker()
            def get_session():
                session = Local()
                yield session
                session.commit()
            session_scope = contextmanager(get_session)
            @contextlib.contextmanager
            def scope():
                session = Local()
                try:
                    yield session
                    session.commit()
                except:
                    session.rollback()
                    raise
                finally:
                    session.close()
            @asynccontextmanager
            async def async_scope():
                async with AsyncLocal() as session:
                    yield session
            """,
            "app.py": """
            from contextlib import closing
            from db import AsyncLocal, Local, async_scope, scope, session_scope
            scope()  #? manager of Session
            session_scope()  #? manager of Session
            with scope() as session:
                session  #? Session
            def later():
                session  #? unknown
            def use():
                with scope() as one, session_scope() as two:
                    one  #? Session
                    two  #? Session
                with Local() as three:
                    three  #? Session
                with closing(Local()) as four:
                    four  #? Session
                with Local.begin() as five:
                    five  #? Session
            async def wait():
                async with async_scope() as one:
                    one  #? AsyncSession
                async with AsyncLocal() as two, AsyncLocal.begin() as three:
                    two  #? AsyncSession
                    three  #? AsyncSession
            """,
        }
    )


def test_sessions_on_objects(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "repo.py": """
            from functools import cached_property
            from models import User
            from sqlalchemy.orm import Session, sessionmaker
            Local = sessionmaker()
            class Repository:
                shared = Local()
                model = User
                declared: Session
                def __init__(self, session: Session, other=None):
                    self.session = session
                    self.own = Local()
                    self.other = other
                    self.factory = Local
                    self.late = None
                def begin(self):
                    self.late = Local()
                @property
                def fresh(self):
                    return Local()
                @cached_property
                def kept(self) -> Session:
                    return make()
                def get_session(self):
                    return self.own
                def use(self):
                    self.session  #? Session
                    self.own  #? Session
                    self.other  #? unknown
                    self.late  #? Session
                    self.declared  #? Session
                    self.shared  #? perhaps Session
                    self.fresh  #? Session
                    self.kept  #? Session
                    self.factory()  #? Session
                    self.get_session()  #? Session
                    self.session.query(self.model)  #? perhaps query on User
                    self.missing  #? unknown
            class Users(Repository):
                def find(self):
                    self.session.query(User)  #? query on User
            def use(repository: Repository):
                repository.session  #? Session
                repository.fresh  #? Session
                Repository(None).own  #? Session
                Repository.shared  #? Session
            """,
            "overriding.py": """
            from models import User
            from sqlalchemy.orm import Session, sessionmaker
            class Base:
                model = User
                def __init__(self):
                    self.session = sessionmaker()()
                def use(self):
                    self.session  #? unknown
                    self.model  #? unknown
            class Child(Base):
                model = Base
                def __init__(self):
                    self.session = open_one()
            """,
        }
    )


def test_functions_that_return_sessions(check: Check) -> None:
    check(
        {
            "db.py": """
            from __future__ import annotations
            from sqlalchemy.orm import Session, scoped_session, sessionmaker
            Local = sessionmaker()
            def get_session():
                return Local()
            def get_factory():
                return Local
            def get_registry() -> scoped_session:
                return build()
            def get_annotated() -> Session:
                return build()
            def maybe(flag):
                if flag:
                    return None
                return Local()
            def mixed(flag):
                return Local() if flag else build()
            def chained():
                return get_session()
            def recursive(n):
                if n:
                    return recursive(n - 1)
                return Local()
            async def coroutine():
                return Local()
            """,
            "app.py": """
            import db
            db.get_session()  #? Session
            db.get_factory()()  #? Session
            db.get_registry()  #? scoped Session
            db.get_annotated()  #? Session
            db.maybe(1)  #? Session
            db.mixed(1)  #? unknown
            db.chained()  #? Session
            db.recursive(3)  #? Session
            db.coroutine()  #? coroutine of Session
            async def use():
                session = await db.coroutine()
                session  #? Session
            """,
        }
    )


def test_sessions_given_as_arguments(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "db.py": "from sqlalchemy.orm import sessionmaker\nLocal = sessionmaker()\n",
            "work.py": """
            from models import User
            def _all_agree(session, n):
                session  #? Session
                return session.query(User)  #? query on User
            def public(session):
                session  #? perhaps Session
            def _one_disagrees(session):
                session  #? unknown
            def _never_called(session):
                session  #? unknown
                session.query(User)  #? query on User
                session.execute(User)  #? unknown
            def _passed_on(session):
                session  #? perhaps Session
            def _recursive(session, n):
                session  #? Session
                _recursive(session, n - 1)
            def _default(session=None):
                session  #? unknown
            """,
            "app.py": """
            import work
            from db import Local
            from work import _passed_on
            def main(stranger):
                session = Local()
                work._all_agree(session, 1)
                work._all_agree(n=2, session=Local())
                work.public(session)
                work._one_disagrees(session)
                work._one_disagrees(stranger)
                run(_passed_on)
                _passed_on(session)
                work._recursive(session, 3)
                work._default()
                work._default(session)
            """,
        }
    )


def test_decorators_that_give_sessions(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from airflow.utils.db import provide_session
            from models import User
            @provide_session
            def use(x, session=None):
                session  #? unknown
                session.query(User)  #? query on User
            @unknown_decorator
            def make():
                return sessionmaker()()
            from sqlalchemy.orm import Session, sessionmaker
            make()  #? perhaps Session
            from airflow.utils.session import NEW_SESSION
            @provide_session
            def typed(x, session: Session = NEW_SESSION):
                session  #? Session
            """,
        }
    )


@pytest.mark.parametrize(
    "lines",
    [
        "from requests import Session",
        "import requests\nSession = requests.Session",
        "from aiohttp import ClientSession as Session",
        "from boto3 import Session",
        "from boto3.session import Session",
        "from keystoneauth1.session import Session",
        "from keystoneauth1 import session\nSession = session.Session",
        "from models import Session",
        "from flask_session import Session",
        "from cassandra.cluster import Session",
        "from snowflake.snowpark import Session",
        "from telegram import Session as S\nclass Session(S): pass",
        "class Session:\n    def query(self, x): pass\n    def close(self): pass",
    ],
)
def test_look_alikes_are_no_sessions(check: Check, lines: str) -> None:
    models = MODELS.replace("class User", "class Session")
    uses = "Session().execute  #? unknown\ndef use(session: Session):\n    session.commit  #? unknown\n"
    check({"models.py": models, "app.py": f"{lines}\n{uses}"})


def test_instances_of_look_alikes(check: Check) -> None:
    check(
        {
            "models.py": MODELS.replace("class User", "class Session"),
            "app.py": """
            from models import Session
            Session()  #? a Session
            def use(session: Session):
                session  #? a Session
            """,
            "own.py": """
            class Session:
                pass
            Session()  #? a Session
            def get_db():
                import sqlite3
                yield sqlite3.connect("x")
            def use():
                with get_db() as db:
                    db  #? unknown
            """,
        }
    )


def test_sqlmodel(check: Check) -> None:
    check(
        {
            "app.py": """
            from sqlmodel import Field, Session, SQLModel, create_engine, select
            from sqlmodel.ext.asyncio.session import AsyncSession
            class Hero(SQLModel, table=True):
                id: int = Field(primary_key=True)
            engine = create_engine("sqlite://")
            def get_session():
                with Session(engine) as session:
                    yield session
            Session(engine)  #? Session
            AsyncSession(engine)  #? AsyncSession
            select(Hero)  #? select on Hero
            next(get_session())  #? Session
            def use(session: Session):
                session.exec(select(Hero)).all()  #? scalars of Hero
                session.exec(select(Hero)).first()  #? a Hero
                session.get(Hero, 1)  #? a Hero
            """
        }
    )


def test_what_methods_give(check: Check) -> None:
    check(
        {
            "models.py": MODELS,
            "app.py": """
            from models import User
            from sqlalchemy import select
            from sqlalchemy.ext.asyncio import AsyncSession
            from sqlalchemy.orm import Session
            def sync(session: Session):
                session.query(User).all()  #? scalars of User
                session.query(User).first()  #? a User
                session.query(User.id).all()  #? rows of User
                session.query(User).get(1)  #? a User
                session.get(User, 1)  #? a User
                session.execute(select(User))  #? rows of User
                session.execute(select(User)).scalars().all()  #? scalars of User
                session.scalars(select(User)).first()  #? a User
                session.scalar(select(User))  #? a User
                session.merge(User())  #? a User
                session.begin()  #? manager of plain
                session.begin_nested()  #? manager of plain
                session.connection()  #? connection
                session.query(User).count()  #? plain
                session.add(User())  #? unknown
                session.execute(text("x"))  #? rows of text
            async def asynchronous(session: AsyncSession):
                session.query(User)  #? unknown
                session.execute(select(User))  #? coroutine of rows of User
                (await session.execute(select(User))).scalars().all()  #? scalars of User
                await session.get(User, 1)  #? a User
                result = await session.execute(select(User))
                result.scalar_one()  #? a User
                user = await session.scalar(select(User))
                user  #? a User
            """,
        }
    )
