"""What functions do with rows: each trap is a few functions, and what is read of the rows that `work` asks for."""

import textwrap
from pathlib import Path

import pytest

from alchemod.inference.reading.table import Readings
from alchemod.inference.scoping.scopes import FUNCTIONS, scope_of
from alchemod.inference.values import Place
from sketch import Sketch

MODELS = """
    from sqlalchemy import Column, ForeignKey, Integer, String
    from sqlalchemy.orm import declarative_base, relationship

    Base = declarative_base()

    class Org(Base):
        __tablename__ = "orgs"
        id = Column(Integer, primary_key=True)
        name = Column(String)

    class Team(Base):
        __tablename__ = "teams"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        org_id = Column(ForeignKey("orgs.id"))
        org = relationship(Org)

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        nick = Column(String)
        kind = Column(String)
        team_id = Column(ForeignKey("teams.id"))
        team = relationship(Team)
        boss_id = Column(ForeignKey("users.id"))
        staff = relationship("User")
        roles = relationship("Role")

        def title(self):
            return self.team.name

        def to_dict(self):
            return {"name": self.name, "staff": [one.to_dict() for one in self.staff]}

    class Admin(User):
        def title(self):
            return "admin" if self.roles else ""

    class Role(Base):
        __tablename__ = "roles"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))
"""
USERS = "for u in s.query(User).all():\n    "

MUST = {
    "a function reads it": ("def show(u): return u.team.name", "show(u)", {"team"}),
    "by a name": ("def show(*, who): return who.team.name", "show(who=u)", {"team"}),
    "two functions deep": (
        "def show(u): return inner(u)\ndef inner(x):\n    y = x\n    return y.team.org.name",
        "show(u)",
        {"team", "team.org"},
    ),
    "trap 22: both branches": (
        "def show(u, f):\n    if f:\n        return u.team.name\n    else:\n        return u.team.id",
        "show(u, a)",
        {"team"},
    ),
    "what a function gives back is read on": ("def team(u): return u.team", "team(u).org", {"team", "team.org"}),
    "a collection is gone over there": (
        "def names(users):\n    for x in users:\n        print(x.team.name)",
        "names(u.staff)",
        {"staff", "staff.team"},
    ),
    "a function of itself that comes to an end": (
        "def show(u, n):\n    u.team.name\n    if n:\n        show(u, n - 1)",
        "show(u, 3)",
        {"team"},
    ),
    "two functions that call each other": (
        "def one(u, n):\n    u.team.name\n    two(u, n)\ndef two(u, n):\n    if n:\n        one(u, n - 1)",
        "one(u, 3)",
        {"team"},
    ),
    "a decorator that leaves it as it is": (
        "class C:\n    @staticmethod\n    def show(u): return u.team.name",
        "C.show(u)",
        {"team"},
    ),
    "a constructor": ("class Card:\n    def __init__(self, u): self.text = u.team.name", "Card(u)", {"team"}),
}
MAY = {
    "trap 21: left early": ("def show(u):\n    if not u.nick:\n        return\n    u.team.name", "show(u)", {"team"}),
    "trap 23: right of or": ("def show(u): return u.nick or u.team.name", "show(u)", {"team"}),
    "trap 23: swallowed": (
        "def show(u):\n    try:\n        open(u.name)\n        u.team.name\n    except OSError:\n        pass",
        "show(u)",
        {"team"},
    ),
    "trap 25: None is given back": (
        "def org(t):\n    if t is None:\n        return\n    t.org.name",
        "org(u.team)",
        {"team.org"},
    ),
    "trap 27: an override that reads something else": ("", "u.title()", {"team", "roles"}),
    "a generator": ("def names(u):\n    yield u.team.name", "names(u)", {"team"}),
    "a coroutine that is not awaited": ("async def show(u): return u.team.name", "show(u)", {"team"}),
    "a decorator that calls through": (
        "from functools import wraps\n"
        "def logged(f):\n    @wraps(f)\n    def inner(*a): return f(*a)\n    return inner\n"
        "@logged\ndef show(u): return u.team.name",
        "show(u)",
        {"team"},
    ),
    "one of a list": ("def first(users): return users[0].team.name", "first(u.staff)", {"staff.team"}),
}
DEEP = {
    "trap 26: to_dict of the children": ("", "u.to_dict()", "depth"),
    "a tree by a function": ("def walk(u):\n    for x in u.staff:\n        walk(x)", "walk(u)", "depth"),
    "a function that looks": ("def peek(u): return u.__dict__", "peek(u)", "reflection"),
    "two functions deep it looks": (
        "def peek(u): return inner(u)\ndef inner(x): return vars(x)",
        "peek(u)",
        "reflection",
    ),
    "a decorator that is not known": (
        "import lib\n@lib.cached\ndef show(u): return u.team.name",
        "show(u)",
        "callee",
    ),
    "through *args": ("def show(*users): return users", "show(u)", "callee"),
}


def readings(folder: Path, functions: str, call: str) -> tuple[set[str], set[str], set[str]]:
    """The paths that `work` reads of each row, those that it may read, and the kinds of exposure."""
    main = (
        "from sqlalchemy.orm import Session\nfrom models import User\n"
        f"{functions}\ndef work(s: Session, a):\n"
        f"{textwrap.indent(USERS + call, '    ')}\n"
    )
    sketch = Sketch(folder, {"models.py": MODELS, "main.py": main})
    module = sketch.project.facts(folder / "main.py")
    tree = sketch.project.tree(folder / "main.py")
    work = tree.body[-1]
    assert module is not None
    assert isinstance(work, FUNCTIONS)
    scope = scope_of(tree).find(work)
    assert scope is not None
    (reads,) = sketch.inference.ask(Readings).walk(Place(module, scope)).walked.reads
    said = {read: ".".join(step for step in read.path if step != "[]") for read in reads.reads}
    must = {said[read] for read in reads.reads if read.must}
    return must, {said[read] for read in reads.reads} - must, {exposure.kind for exposure in reads.exposures}


@pytest.mark.parametrize(("functions", "call", "paths"), MUST.values(), ids=MUST)
def test_read_of_each_row(tmp_path: Path, functions: str, call: str, paths: set[str]) -> None:
    must, may, _ = readings(tmp_path, functions, call)
    assert must == paths
    assert not may


@pytest.mark.parametrize(("functions", "call", "paths"), MAY.values(), ids=MAY)
def test_read_of_some_rows(tmp_path: Path, functions: str, call: str, paths: set[str]) -> None:
    _, may, _ = readings(tmp_path, functions, call)
    assert paths <= may


@pytest.mark.parametrize(("functions", "call", "kind"), DEEP.values(), ids=DEEP)
def test_out_of_sight(tmp_path: Path, functions: str, call: str, kind: str) -> None:
    assert kind in readings(tmp_path, functions, call)[2]


def test_trap_28_the_window_ends_where_the_function_reads(tmp_path: Path) -> None:
    functions = "def show(s, u):\n    u.team.name\n    s.commit()"
    main = f"from sqlalchemy.orm import Session\nfrom models import User\n{functions}\ndef work(s: Session):\n"
    sketch = Sketch(tmp_path, {"models.py": MODELS, "main.py": main + "    u = s.query(User).one()\n    show(s, u)\n"})
    module, tree = sketch.project.facts(tmp_path / "main.py"), sketch.project.tree(tmp_path / "main.py")
    work = tree.body[-1]
    assert module is not None
    assert isinstance(work, FUNCTIONS)
    scope = scope_of(tree).find(work)
    assert scope is not None
    (reads,) = sketch.inference.ask(Readings).walk(Place(module, scope)).walked.reads
    (read,) = reads.reads
    assert read.between == ()  # the commit comes behind the read
