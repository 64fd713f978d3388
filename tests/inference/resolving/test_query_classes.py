"""Which query classes may stand behind a Query."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from alchemod.inference.values import Answer, Statement
from sketch import Sketch

PROJECT = """
    from sqlalchemy import Column, Integer, create_engine
    from sqlalchemy.orm import Query, Session, declarative_base, scoped_session, sessionmaker
    import elsewhere

    Base = declarative_base()


    class A(Base):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)


    {definitions}


    def run({parameter}):
        return {session}.query(A)
"""
OVERRIDING = """class Own(Query):
        def filter_by(self, **keywords):
            return self"""
MIXED = "class Mixed(Query, elsewhere.Mixin): pass"


def statement(sketch: Sketch) -> Statement:
    path = sketch.root / "app.py"
    run = sketch.project.tree(path).body[-1]
    assert isinstance(run, ast.FunctionDef)
    (returned,) = run.body
    assert isinstance(returned, ast.Return)
    assert returned.value is not None
    answer = sketch.inference.value(path, returned.value)
    assert isinstance(answer, Answer)
    assert isinstance(answer.value, Statement)
    return answer.value


@pytest.mark.parametrize(
    ("definitions", "session", "overrides", "unseen"),
    [
        ("", "session", False, ""),
        (OVERRIDING, "session", True, ""),
        (f"{OVERRIDING}\n    Maker = sessionmaker(query_cls=Own)", "Maker()", True, ""),
        ("class Paged(Query): pass\n    Maker = sessionmaker(query_cls=Paged)", "Maker()", False, ""),
        (f"{MIXED}\n    Maker = sessionmaker(query_cls=Mixed)", "Maker()", False, "query class Mixed"),
        ("Scoped = scoped_session(sessionmaker(query_cls=elsewhere.Q))", "Scoped", False, "query class elsewhere.Q"),
        ("Scoped = scoped_session(sessionmaker(query_cls=Query))", "Scoped", False, ""),
        ("class Mine(Session):\n        def query(self, *what): return what", "session", False, "Mine has its own"),
    ],
)
def test_what_may_stand_behind_a_query(
    tmp_path: Path, definitions: str, session: str, overrides: bool, unseen: str
) -> None:
    source = PROJECT.replace("{definitions}", definitions).replace("{session}", session)
    sketch = Sketch(tmp_path, {"app.py": source.replace("{parameter}", "session: Session")})
    made = statement(sketch)
    assert sketch.inference.overrides_query_method("filter_by", made) == overrides
    found = sketch.inference.unseen_query_class(made)
    assert unseen in found
    assert bool(unseen) == bool(found)
