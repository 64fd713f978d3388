"""Which entity `filter_by` speaks of after each step of a chain, compared with what SQLAlchemy does.

The analysis may know less than SQLAlchemy, never anything else. Chains in `MAY_BE_UNKNOWN` may go without an answer.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alchemod.inference.resolving.statements import filter_by_target
from alchemod.inference.values import Statement
from bench.execution import Bench, Program
from sketch import Sketch, words

MODELS = """
from sqlalchemy import *
from sqlalchemy import select, update, delete
from sqlalchemy.orm import *
Base = declarative_base()
a_c = Table("a_c", Base.metadata, Column("a_id", ForeignKey("a.id")), Column("c_id", ForeignKey("c.id")))
class A(Base):
    __tablename__ = "a"
    id = Column(Integer, primary_key=True)
    k = Column(Integer)
    b_s = relationship("B", back_populates="a")
    c_s = relationship("C", secondary=a_c)
class B(Base):
    __tablename__ = "b"
    id = Column(Integer, primary_key=True)
    k = Column(Integer)
    a_id = Column(ForeignKey("a.id"))
    up_id = Column(ForeignKey("b.id"))
    a = relationship("A", back_populates="b_s")
    c_s = relationship("C", backref="b")
    up = relationship("B", remote_side=[id])
class C(Base):
    __tablename__ = "c"
    id = Column(Integer, primary_key=True)
    k = Column(Integer)
    b_id = Column(ForeignKey("b.id"))
A2 = aliased(A)
B2 = aliased(B, name="b_two")
C2 = aliased(C)
table_b = B.__table__
"""
EVERYWHERE = """
query(A)
query(A2)
query(A, B)
query(B, A)
query(A.k)
query(B.id, A.id)
query(A2.k, B)
query(func.count(A.id))
query(func.count(B.id), A)
query(A.k.label('x'))
query(func.max(A.k).label('x'))
query(A.k + 1)
query(distinct(A.k))
query(A.k.distinct())
query(A).filter(A.k > 1).order_by(A.k).distinct()
query(A).options(joinedload(A.b_s), selectinload(A.c_s))
query(A).join(B)
query(A).join(A.b_s)
query(A).join(B, A.id == B.a_id)
query(A).join(B, A.b_s)
query(A).join(A.b_s.of_type(B2))
query(A).join(B2, B2.a_id == A.id)
query(A).join(B2, A.b_s)
query(A).join(target=B, onclause=A.b_s)
query(A).join(A.b_s.and_(B.k > 1))
query(A).join(A.b_s.of_type(B2).and_(B2.k > 1))
query(A).join(A.c_s)
query(A).outerjoin(B)
query(A).outerjoin(A.b_s)
query(A).join(B, isouter=True)
query(A).join(B, full=True)
query(A).join(A.b_s).join(B.c_s)
query(A).join(B).join(C)
query(A).join(B).filter_by(k=5).join(C)
query(B).join(B2, B.up)
query(B).join(A, B.a_id == A.id).outerjoin(C, C.b_id == B.id)
query(A).select_from(B)
query(A).select_from(B, A)
query(A.k).select_from(B)
query(func.count()).select_from(B)
query(func.count('*')).select_from(B)
query(func.count(A.id)).select_from(B)
query(A).select_from(B).join(B.c_s)
query(A, B).join(B.c_s)
query(func.count(A.id)).join(A.b_s)
query(A).with_entities(B.id)
query(A).with_entities(B)
query(A).with_entities(B.id, A.id)
query(A).with_entities(func.count(B.id))
query(A).join(B).with_entities(A.id)
query(A).join(B).with_entities(B.id)
query(A).join(B).with_entities(C.id)
query(A).select_from(B).with_entities(C.id)
query(A).add_columns(B.id)
query(A).add_entity(B)
query(A).join(B).reset_joinpoint()
query(A).join(B).join(C).reset_joinpoint()
query(A).select_from(B).join(C).reset_joinpoint()
query(A).join(B).options(contains_eager(A.b_s))
query(A).execution_options(x=1).populate_existing().autoflush(False).enable_eagerloads(False)
query(A).where(A.k == 1)
query(A).prefix_with('ALL').with_for_update().params(x=1).group_by(A.k).having(A.k > 1)
select(A)
select(A2)
select(A, B)
select(A.k)
select(B.id, A.id)
select(func.count(A.id))
select(func.count()).select_from(A)
select(A).join(B)
select(A).join(A.b_s)
select(A).join(A.b_s.of_type(B2))
select(A).join(B2, A.b_s)
select(A).outerjoin(B)
select(A).join(B, isouter=True)
select(A).join_from(A, B)
select(A).outerjoin_from(A, B)
select(A.k, B.k).join_from(A, B, A.id == B.a_id)
select(A).join(B).join(C)
select(A).join(B).with_only_columns(A.id)
select(A).with_only_columns(B.id)
select(A).where(A.k > 1).limit(5).options(selectinload(A.b_s))
select(A).add_columns(B.id)
select(A).select_from(B)
update(A)
delete(A)
update(A).where(A.k == 1).values(k=2)
delete(A).where(A.k == 1).execution_options(x=1)
"""
LEGACY = """
query(A).join('b_s')
query(A).join('b_s', 'c_s')
query(A).join('b_s').join('c_s')
query(A).join((B, A.id == B.a_id))
query(A).join(B, C)
query(A).join(A.b_s, B.c_s)
query(A).outerjoin('b_s')
"""
MAY_BE_UNKNOWN = """
query(cast(A.k, String))
query(A.k == B.k)
query(func.count())
query(literal(1))
query(text('k'))
query(table_b)
query(table_b.c.k)
query(func.coalesce(A.k, B.k))
query(func.coalesce(1, B.k))
query(case((A.k > 1, B.k), else_=C.k))
query(A).join(table_b, table_b.c.a_id == A.id)
query(A).join(select(B.a_id).subquery(), text('1'))
query(A).join(session.query(B).subquery(), text('1'))
query(A).select_from(table_b)
query(A).select_from(join(A, B))
query(A).union(query(A))
query(A).union_all(query(A).filter(A.k > 1))
query(A).with_entities(func.count())
query(A).join(B).union(query(A))
query(A).with_entities(table_b.c.k)
query(Bundle('x', A.k, B.k))
query(with_polymorphic(A, '*'))
query(aliased(A, session.query(A).subquery()))
query(A).join(aliased(B, name='inline'), A.b_s)
query(A).from_self()
query(A).select_entity_from(session.query(A).subquery())
query(A).join(A.b_s, aliased=True)
query(A).join(A.b_s, aliased=True).reset_joinpoint()
query(A).join(A.b_s, aliased=True).join('c_s', from_joinpoint=True)
select(func.count())
select(table_b)
select(A).join(table_b, table_b.c.a_id == A.id)
select(A).select_from(join(A, B))
select(A).from_statement(select(A))
select(A.k).union(select(B.k))
select(exists().where(A.k == 1))
select(A).join(select(B).subquery(), text('1'))
"""
PROGRAM = """
import json, warnings
warnings.simplefilter("ignore")
from models import *
session = Session(create_engine("sqlite://"))
query = session.query
said = {}
for chain in json.load(open("chains.json")):
    try:
        made = eval(chain).filter_by(k=7777)
        str(made)
    except Exception as error:
        said[chain] = "raises " + type(error).__name__
        continue
    last = made.whereclause if hasattr(made, "whereclause") else made._where_criteria[-1]
    while hasattr(last, "clauses"):
        last = list(last.clauses)[-1]
    entity = last.left._annotations.get("parententity")
    if entity is None:
        said[chain] = "a column without entity"
    elif entity.is_aliased_class:
        said[chain] = "alias of " + entity.mapper.class_.__name__
    else:
        said[chain] = entity.class_.__name__
print(json.dumps(said))
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


ALL = [*lines(EVERYWHERE), *lines(LEGACY), *lines(MAY_BE_UNKNOWN)]


@pytest.fixture(scope="module")
def said(bench: Bench) -> dict[str, dict[str, str]]:
    """The entity of `filter_by` after each chain, by version."""
    files = {"models.py": MODELS.encode(), "chains.json": json.dumps(ALL).encode(), "main.py": PROGRAM.encode()}
    runs = bench.run((version, Program(files, "main.py")) for version in ("1.4", "2.0", "2.1"))
    assert not any(run.error for run in runs), [run.traceback for run in runs]
    return {run.version: json.loads(run.stdout) for run in runs}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the analysis says of each chain."""
    root: Path = tmp_path_factory.mktemp("statements")
    chains = [chain.replace("query(", "session.query(", 1) if chain.startswith("query(") else chain for chain in ALL]
    head = "from models import *\nfrom sqlalchemy import *\nfrom sqlalchemy.orm import *\nsession = Session(engine)\n"
    source = head + "query = session.query\n" + "\n".join(chains) + "\n"
    sketch = Sketch(root, {"models.py": MODELS, "app.py": source})
    tree = sketch.project.tree(root / "app.py")
    found = {}
    for chain, statement in zip(ALL, tree.body[-len(ALL) :], strict=True):
        answer = sketch.inference.value(root / "app.py", statement.value)  # type: ignore[attr-defined]
        entity = filter_by_target(answer.value) if answer is not None and isinstance(answer.value, Statement) else None
        found[chain] = "unknown" if entity is None else words(entity.cls).removeprefix("model ")
    return found


@pytest.mark.parametrize("chain", [*lines(EVERYWHERE), *lines(LEGACY)])
def test_the_entity_is_that_of_sqlalchemy(chain: str, said: dict[str, dict[str, str]], answers: dict[str, str]) -> None:
    """A `select` is not compared with 2.1, which looks in all entities."""
    versions = ("1.4", "2.0", "2.1") if chain.startswith("query") else ("1.4", "2.0")
    entities = {said[version][chain] for version in versions if not said[version][chain].startswith("raises")}
    assert entities == {answers[chain]}


@pytest.mark.parametrize("chain", lines(MAY_BE_UNKNOWN))
def test_the_entity_is_never_another(chain: str, said: dict[str, dict[str, str]], answers: dict[str, str]) -> None:
    versions = ("1.4", "2.0", "2.1") if chain.startswith("query") else ("1.4", "2.0")
    entities = {said[version][chain] for version in versions if not said[version][chain].startswith("raises")}
    assert answers[chain] == "unknown" or entities == {answers[chain]}
