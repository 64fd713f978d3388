"""Which session an expression stands for, who owns it, and what happens to it. A comment `#= kind owner` says what
happens at the calls, loops and `with` blocks that start in its line; `nothing` means no session."""

from __future__ import annotations

import ast
from pathlib import Path

from alchemod.inference.transactions.order import Left, Mark
from alchemod.inference.transactions.work import Transactions, Work
from sketch import Sketch

DB = """
    from contextlib import contextmanager
    from flask_sqlalchemy import SQLAlchemy
    from sqlalchemy import Column, Integer, create_engine
    from sqlalchemy.orm import Session, declarative_base, scoped_session, sessionmaker
    db = SQLAlchemy()
    Base = declarative_base()
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
    class Visit(db.Model):
        id = db.Column(db.Integer, primary_key=True)
    engine = create_engine("sqlite://")
    Maker = sessionmaker(engine)
    Registry = scoped_session(Maker)
    kept = Maker()
    @contextmanager
    def scope():
        session = Maker()
        yield session
        session.commit()
        session.close()
    def get_db():
        with Maker() as session:
            yield session
    def save(session: Session): session.commit()
"""

APP = """
    import sqlite3
    import db as module
    from db import Maker, Registry, User, Visit, db, engine, get_db, kept, save, scope
    from fastapi import Depends
    from sqlalchemy import delete, select, text, update
    from sqlalchemy.orm import Session

    def opened():
        session = Maker()
        again = session
        session.add(User())  #= add opened
        again.flush()  #= flush opened
        session.query(User).first()  #= read opened
        query = session.query(User).filter(User.id > 1)  #= nothing
        query.all()  #= read opened
        query.delete()  #= write opened
        for user in again.query(User):  #= read opened
            session.delete(user)  #= write opened
        save(session)  #= lent opened
        session.close()  #= close opened

    def in_block():
        with Maker() as session:  #= close block
            session.execute(select(User))  #= read block
            session.execute(update(User).values(id=2))  #= write block
            session.execute(text("DELETE FROM users"))  #= write block
            session.execute(text("VACUUM"))  #= execute block
            session.execute(statement)  #= execute block
            with session.begin():  #= begin block, commit block, rollback block
                session.merge(user)  #= add block
            with session.begin_nested():  #= savepoint block, release block, undo block
                session.scalars(delete(User))  #= write block
            inner = session.begin_nested()  #= savepoint block
            inner.rollback()  #= undo block
            whole = session.begin()  #= begin block
            whole.commit()  #= commit block
            by_keyword = session.begin(nested=True)  #= savepoint block
            old = session.begin(subtransactions=True)  #= other block
            old.commit()  #= other block

    def transaction():
        with Maker.begin() as session:  #= begin transaction, commit transaction, rollback transaction
            session.add(User())  #= add transaction

    def managed():
        with scope() as session:  #= lent managed
            session.commit()  #= commit managed

    def given(session: Session):
        session.commit()  #= commit parameter

    def provided(session: Session = Depends(get_db)):
        session.commit()  #= commit injected

    @unknown
    def decorated(session: Session):
        session.commit()  #= commit injected

    def several(session: Session = None):
        session = session or Maker()
        session.commit()  #= commit several

    def of_modules():
        kept.commit()  #= commit module
        module.kept.commit()  #= commit module
        Registry.commit()  #= commit registry
        Registry().commit()  #= commit registry
        module.Registry.remove()  #= close registry
        db.session.commit()  #= commit registry
        Visit.query.all()  #= read registry

    class Store:
        def __init__(self, session: Session):
            self.session = session
        def put(self):
            self.session.commit()  #= commit attribute
            other = self.session
            other.commit()  #= commit attribute
        @property
        def fresh(self):
            return Maker()
        def once(self):
            self.fresh.commit()  #= commit managed

    def told_by_use(store):
        store.query(User).all()  #= read parameter
        store.commit()  #= commit parameter

    def other_things(session, client, consumer):
        connection = sqlite3.connect("x")
        connection.commit()  #= nothing
        session.commit()  #= nothing
        client.query("users").all()  #= nothing
        consumer.close()  #= nothing
        with engine.begin() as raw:  #= nothing
            raw.execute(select(User))  #= nothing
        with open("x") as file:  #= nothing
            file.close()  #= nothing
"""


def works(sketch: Sketch, path: Path) -> list[Work]:
    known = sketch.inference.ask(Transactions)
    found = []
    for node in ast.walk(sketch.project.tree(path)):
        if isinstance(node, ast.FunctionDef):
            place = sketch.inference.place(path, node.body[0])
            assert place is not None
            work = known.around(place)
            assert work is not None
            found.append(work)
    return found


def line_of(mark: Mark) -> int:
    if isinstance(mark, Left):
        return mark.item.context_expr.lineno
    if isinstance(mark, ast.withitem):
        return mark.context_expr.lineno
    return getattr(mark, "lineno", 0)


def test_events(tmp_path: Path) -> None:
    sketch = Sketch(tmp_path, {"db.py": DB, "app.py": APP})
    path = tmp_path / "app.py"
    happened: dict[int, list[str]] = {}
    for work in works(sketch, path):
        for event in work.events:
            said = f"{event.kind} {event.session.owner}"
            if said not in happened.setdefault(line_of(event.mark), []):
                happened[line_of(event.mark)].append(said)
    wrong = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        code, marked, words = line.partition("#=")
        said = ", ".join(sorted(happened.get(number, []))) or "nothing"
        if marked and said != ", ".join(sorted(words.strip().split(", "))):
            wrong.append(f"{number}: {code.strip()} is {said}, not {words.strip()}")
    assert not wrong, "\n".join(wrong)


def sessions_of(tmp_path: Path, body: str) -> Work:
    source = f"""
        from sqlalchemy.orm import Session, sessionmaker
        Maker = sessionmaker()
        class Store:
            pass
        def f(one: Session, other: Session, store: Store):
{body}
    """
    sketch = Sketch(tmp_path, {"app.py": source})
    return next(work for work in works(sketch, tmp_path / "app.py") if work.place.scope.node.name == "f")  # type: ignore[union-attr]


def test_aliases_are_one_session(tmp_path: Path) -> None:
    work = sessions_of(tmp_path, " " * 12 + "a = one; b = a; a.commit(); b.commit(); one.commit()")
    assert len(work.sessions) == 1


def test_parameters_and_openings_are_sessions_of_their_own(tmp_path: Path) -> None:
    work = sessions_of(tmp_path, " " * 12 + "one.commit(); other.commit(); Maker().commit(); Maker().commit()")
    assert len(work.sessions) == 4


def test_a_name_that_is_bound_again_is_another_session(tmp_path: Path) -> None:
    work = sessions_of(tmp_path, " " * 12 + "s = Maker(); s.commit(); s = Maker(); s.commit()")
    assert len(work.sessions) == 2


def test_an_attribute_that_the_function_sets_is_another_session_each_time(tmp_path: Path) -> None:
    body = " " * 12 + "store.session = Maker(); store.session.commit(); store.session = one; store.session.commit()"
    work = sessions_of(tmp_path, body)
    assert len(work.sessions) != 1
