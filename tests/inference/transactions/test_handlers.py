"""What handlers catch, and what they do about a failed flush or commit."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from alchemod.inference.transactions.handlers import Failure, failures
from alchemod.inference.transactions.mishandled import mishandled
from alchemod.inference.transactions.work import Transactions
from sketch import Sketch

HEAD = """
    import sqlite3
    import sqlalchemy.exc
    from sqlalchemy import Column, Integer, String, exc
    from sqlalchemy.exc import IntegrityError, NoResultFound, SQLAlchemyError
    from sqlalchemy.orm import Session, declarative_base, sessionmaker
    Base = declarative_base()
    Maker = sessionmaker()
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String)
    class Ours(SQLAlchemyError): pass
    class Other(Exception): pass
    def undo(s): s.rollback()
"""


def failures_of(tmp_path: Path, function: str) -> list[Failure]:
    source = textwrap.dedent(HEAD) + textwrap.dedent(function)
    sketch = Sketch(tmp_path, {"app.py": source})
    path = tmp_path / "app.py"
    known = sketch.inference.ask(Transactions)
    found = []
    for node in ast.walk(sketch.project.tree(path)):
        if isinstance(node, ast.Try):
            place = sketch.inference.place(path, node)
            assert place is not None
            work = known.around(place)
            assert work is not None
            found += failures(node, work)
    return found


@pytest.mark.parametrize(
    ("handler", "caught"),
    [
        ("except:", True),
        ("except Exception:", True),
        ("except BaseException as error:", True),
        ("except SQLAlchemyError:", True),
        ("except exc.IntegrityError:", True),
        ("except sqlalchemy.exc.DBAPIError:", True),
        ("except (ValueError, IntegrityError):", True),
        ("except Ours:", True),
        ("except NoResultFound:", False),
        ("except ValueError:", False),
        ("except Other:", False),
        ("except sqlite3.IntegrityError:", False),
        ("except (KeyError, NoResultFound):", False),
    ],
)
def test_what_catches_a_failed_commit(tmp_path: Path, handler: str, caught: bool) -> None:
    found = failures_of(tmp_path, f"def f(s: Session):\n    try:\n        s.commit()\n    {handler}\n        pass\n")
    assert bool(found) == caught


def test_an_inner_handler_keeps_the_failure(tmp_path: Path) -> None:
    function = """
        def f(s: Session):
            try:
                try:
                    s.commit()
                except Exception:
                    s.rollback()
                    raise
            except Exception:
                pass
    """
    (found,) = failures_of(tmp_path, function)
    assert found.is_cleared
    assert found.raises


def test_a_narrow_inner_handler_lets_others_pass(tmp_path: Path) -> None:
    function = """
        def f(s: Session):
            try:
                try:
                    s.commit()
                except IntegrityError:
                    s.rollback()
            except Exception:
                pass
    """
    assert len(failures_of(tmp_path, function)) == 2


def test_a_block_that_rolls_back_keeps_the_failure(tmp_path: Path) -> None:
    function = """
        def f(s: Session):
            try:
                with s.begin_nested():
                    s.flush()
                with Maker() as other:
                    other.commit()
            except Exception:
                pass
    """
    assert not failures_of(tmp_path, function)


FAULTS = {
    "unusable": """
        def f():
            s = Maker()
            try:
                s.commit()
            except Exception:
                print(1)
            return s
        """,
    "used": """
        def f(s: Session):
            try:
                s.flush()
            except Exception:
                pass
            s.commit()
        """,
    "committed": """
        def f(s: Session):
            try:
                s.flush()
            except Exception:
                s.rollback()
            s.commit()
        """,
    "asked": """
        def f(s: Session):
            try:
                s.commit()
            except Exception:
                if s.is_active:
                    s.rollback()
        """,
    "discarded": """
        def f(s: Session):
            try:
                s.commit()
            except:
                s.rollback()
        """,
    "raised": """
        def f():
            s = Maker()
            try:
                s.commit()
            except Exception:
                raise ValueError
            return s
        """,
    "read": """
        def f(s: Session):
            u = s.get(User, 1)
            try:
                s.commit()
            except Exception:
                print(u.name)
                s.rollback()
                raise
        """,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(tmp_path: Path, fault: str) -> None:
    (failure,) = failures_of(tmp_path, FAULTS[fault])
    found = mishandled(failure)
    assert found is not None
    assert found.fault == fault


RIGHT = {
    "rolls back and raises": """
        def f(s: Session):
            try:
                s.commit()
            except Exception:
                s.rollback()
                raise
        """,
    "raises to the caller": """
        def f(s: Session):
            try:
                s.commit()
            except Exception:
                raise ValueError
        """,
    "a callee rolls back": """
        def f(s: Session):
            try:
                s.commit()
            except Exception:
                undo(s)
            s.commit()
        """,
    "closed right after": """
        def f():
            s = Maker()
            try:
                s.commit()
            except Exception:
                print(1)
            finally:
                s.close()
        """,
    "the block closes": """
        def f():
            with Maker() as s:
                try:
                    s.commit()
                except Exception:
                    return
        """,
    "found again": """
        def f(s: Session):
            try:
                s.flush()
            except IntegrityError:
                s.rollback()
                u = s.query(User).one()
            s.commit()
        """,
    "skipped in a loop": """
        def f(s: Session, y):
            for x in y:
                try:
                    s.commit()
                except Exception:
                    s.rollback()
            s.commit()
        """,
}


@pytest.mark.parametrize("case", RIGHT)
def test_handlers_that_do_what_is_needed(tmp_path: Path, case: str) -> None:
    (failure,) = failures_of(tmp_path, RIGHT[case])
    assert mishandled(failure) is None
