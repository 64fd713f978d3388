"""Odd and huge code: the analysis answers or does not, it never raises and never takes long."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

from alchemod.facts.module import last_name
from alchemod.inference.translation.nesting import Nesting
from sketch import Sketch, check, describe

MODELS = """
from sqlalchemy import Column, Integer
from sqlalchemy.orm import declarative_base, sessionmaker
Base = declarative_base()
Local = sessionmaker()
class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
"""
SECONDS = 5


def ask_all(root: Path, source: str) -> list[str]:
    """What every expression of a source is; fails when that takes long."""
    sketch = Sketch(root, {"models.py": MODELS, "app.py": "from models import *\n" + source})
    path = root / "app.py"
    started = time.process_time()
    nodes = [node for node in ast.walk(sketch.project.tree(path)) if isinstance(node, ast.expr)]
    answers = [describe(sketch.inference.value(path, node)) for node in nodes]
    for node in nodes:
        if isinstance(node, ast.Call):
            sketch.inference.filtered_entity(path, node)
    assert time.process_time() - started < SECONDS
    return answers


def test_long_chains(tmp_path: Path) -> None:
    chain = "session.query(User)" + ".filter(User.id > 1)" * 1_000
    answers = ask_all(tmp_path, f"session = Local()\n{chain}\n")
    assert "query on User" in answers


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 60 + "User" + ")" * 60,
        "x = " + "-" * 300 + "User.id",
        "x = " + "not " * 300 + "User.id",
        "x = " + " + ".join(["User.id"] * 500),
        "x = " + " or ".join(["User.id"] * 500),
        "x = " + "[" * 80 + "User" + "]" * 80,
        "x = " + "f(" * 80 + "User" + ")" * 80,
        "x = " + "(lambda: " * 60 + "User" + ")" * 60,
        "x = " + " if a else ".join(["User"] * 100),
        "x = User" + "[0]" * 300,
        "x = User" + ".a" * 900,
        "x = " + "list(" * 70 + "[User()]" + ")" * 70,
        "\n".join(["x0 = Local()", *(f"x{n} = x{n - 1}" for n in range(1, 300))]),
        "def f():\n" + "\n".join(["    x0 = Local()", *(f"    x{n} = x{n - 1}" for n in range(1, 300))]),
        "\n".join([*(f"def f{n}(): return f{n + 1}()" for n in range(200)), "def f200(): return Local()", "f0()"]),
        "\n".join([f"class C{n}(C{n - 1}): pass" if n else "class C0: x = 1" for n in range(300)]) + "\nC299().x",
        "\n".join(f"{'    ' * n}def f{n}(s):" for n in range(15)) + "\n" + "    " * 15 + "s.query(User)",
        "\n".join(f"{'    ' * n}if s:" for n in range(18)) + "\n" + "    " * 18 + "s = Local()",
    ],
    ids=lambda source: source.strip()[:24],
)
def test_deep_code(source: str, tmp_path: Path) -> None:
    ask_all(tmp_path, source + "\n")


@pytest.mark.parametrize(
    "source",
    [
        "x = x",
        "x = y\ny = x",
        "x = x.filter(1)",
        "class A(A): pass\nA().b",
        "class A(B): pass\nclass B(A): pass\nA().b\nclass M(B): __tablename__ = 'm'",
        "def f(): return f\nf()()()",
        "def f(): return f()\nf()",
        "def f(x): return g(x)\ndef g(x): return f(x)\nf(g(1))",
        "def f(x):\n    return f(f)(x)\nf(1)",
        "f = lambda: f()\nf()",
        "f = lambda x: x(x)\nf(f)",
        "class A:\n    def __init__(self): self.a = self.a.b\n    def m(self): return self.a",
        "class A:\n    def __init__(self): self.a = A().a\n    def m(self): return self.m().m()\nA().m()",
        "class A:\n    @property\n    def p(self): return self.p\nA().p",
        "def f(s=f): s\nf()",
        "def f(s):\n    for s in s: s = s.s(s)\n    return s\nf(f)",
        "with x as x: x",
        "for x in x: x",
        "[x for x in x for x in x]",
        "import app\nimport app as x\nfrom app import x\nx.x.x",
        "from app import *\nfrom app import app",
        "def f(a: 'f', b: 'a', c: \"'c'\", d: '''(\n''', e: 'x' = e): a; b; c; d; e",
        "T = list[T]\ndef f(x: T): x",
        "T = 'T'\ndef f(x: T, y: 'list[T]'): x; y",
        "x: 'x' = x",
        "global x\nx = 1",
        "def f():\n    global f\n    f = f()\nf()",
        "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = x()\n    g()",
        "class A:\n    a = a\n    b = A.b\nA.a; A.b",
        "type(type)(type)\nsuper().x\nsuper(A, self).x",
        "*x, y = x, y = x",
        "(yield)\nawait x\nlambda: (yield)",
        "x = (y := x)\ny",
        "from . import x\nfrom .... import y\nfrom .x.y import *\nx; y",
        "session.query()\nsession.query(*x)\nsession.query(**x)\nLocal().query().filter_by().join().join(*x)",
        "Local().query(User).join().select_from().with_entities().filter_by(x=1)",
        "User.query.filter_by(x=1)\nUser().query.filter_by(x=1)\nUser.metadata.query",
        "match x:\n    case User(id=x) as y if x: y\n    case [*z] | {**z}: z",
    ],
    ids=lambda source: source.replace("\n", "; ")[:40],
)
def test_code_that_speaks_of_itself(source: str, tmp_path: Path) -> None:
    ask_all(tmp_path, source + "\n")


def test_a_query_grown_under_many_conditions(tmp_path: Path) -> None:
    grown = "".join(f"    if flags[{n}]: query = query.filter(User.id != {n}).limit(9)\n" for n in range(25))
    body = f"def search(session: Session, flags):\n    query = session.query(User)\n{grown}    query.from_self()\n"
    sketch = Sketch(tmp_path, {"app.py": MODELS + "from sqlalchemy.orm import Session\n" + body})
    path = tmp_path / "app.py"
    step = next(node for node in ast.walk(sketch.project.tree(path)) if last_name(node) == "from_self")
    assert isinstance(step, ast.Call)
    started = time.process_time()
    assert sketch.inference.ask(Nesting).at(path, step) is not None
    assert time.process_time() - started < SECONDS


def test_models_of_odd_shape(tmp_path: Path) -> None:
    source = """
class Odd(Base):
    __tablename__ = name()
    __table_args__ = [1, None, *x]
    __abstract__ = flag
    a = relationship()
    b = relationship(5)
    c = relationship("")
    d = relationship("Odd.x.y", backref=5)
    e = relationship(*x, **y)
    f: "Mapped[" = relationship()
    g: Mapped = relationship()
    h: Mapped[1] = relationship()
    i: Mapped[()] = relationship()
    j: Mapped[Union[()]] = relationship()
    k = relationship("Odd", remote_side=5, backref=backref())
    l = relationship("Odd", remote_side="((", foreign_keys="")
    m = Column()
    n = Column(ForeignKey())
    o = Column(ForeignKey(5))
    p = deferred()
    @declared_attr
    def q(cls): pass
    @a.b.c.d
    def r(self): pass
    @(lambda f: f)
    def s(self): pass
    t, u = 1
    (v) = w = Column(ForeignKey(""))
class Table_(Base):
    __table__ = Table()
class Other(Base):
    __table__ = Table("x", metadata, *columns, Column(), Column(5), Column("a"))
"""
    sketch = Sketch(tmp_path, {"models.py": MODELS + source})
    models = sketch.project.models
    for model in models.all():
        for attribute in model.attributes.values():
            models.target(attribute, model)
            models.lazy(attribute)
            models.is_collection(attribute, model)


def test_a_recursion_error_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sketch = Sketch(tmp_path, {"app.py": "import x\nx.y()\n"})

    def exhausted(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("alchemod.inference.resolving.members.attribute", exhausted)
    node = sketch.project.tree(tmp_path / "app.py").body[1].value  # type: ignore[attr-defined]
    assert sketch.inference.value(tmp_path / "app.py", node) is None
    assert sketch.inference.resolver.recall.depth == 0


def test_files_that_cannot_be_read_are_named_once(tmp_path: Path) -> None:
    files = {
        "models.py": MODELS,
        "broken.py": "from sqlalchemy import (\n",
        "app.py": "import broken\nbroken.x  #? unknown\n",
    }
    check(tmp_path, files)
    project = Sketch(tmp_path, files).project
    assert [problem.path.name for problem in project.problems] == ["broken.py"]
