"""The decision table for loops that read relationships: each body of a function, and what may be done in it."""

import ast
import textwrap
from pathlib import Path

import pytest

from alchemod.inference.loading.given import RowsOfCallers
from alchemod.inference.loading.loads import RowLoops
from sketch import Sketch

MODELS = """
    from sqlalchemy import Column, ForeignKey, Integer, String
    from sqlalchemy.orm import declarative_base, relationship, validates

    Base = declarative_base()

    class Org(Base):
        __tablename__ = "orgs"
        id = Column(Integer, primary_key=True)

    class Team(Base):
        __tablename__ = "teams"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        org_id = Column(ForeignKey("orgs.id"))
        org = relationship("Org")

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        nick = Column(String)
        ok = Column(Integer)
        team_id = Column(ForeignKey("teams.id"))
        team = relationship("Team", backref="users")
        adds = relationship("Address", order_by="Address.position")
        hints = relationship("Hint", lazy=HINTS)
        logins = relationship("Login", lazy="dynamic")
        visits = relationship("Visit", lazy="write_only")
        secrets = relationship("Secret", lazy="raise")
        grants = relationship("Grant", lazy="selectin")
        kind = Column(String)
        boss_id = Column(ForeignKey("users.id"))
        staff = relationship("User")
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "user"}

        @validates("nick")
        def check(self, key, value):
            return value

        @property
        def label(self):
            return f"{self.name} {self.nick}"

        @property
        def dump(self):
            return dict(self.__dict__)

        def shout(self):
            return self.name.upper()

        def archive(self):
            self.team_id = None

        def as_text(self):
            return str(vars(self))

    class Address(Base):
        __tablename__ = "addresses"
        id = Column(Integer, primary_key=True)
        position = Column(Integer)
        user_id = Column(ForeignKey("users.id"))

    class Admin(User):
        __tablename__ = "admins"
        id = Column(ForeignKey("users.id"), primary_key=True)
        rights = relationship("Right")
        __mapper_args__ = {"polymorphic_identity": "admin"}

    class Right(Base):
        __tablename__ = "rights"
        id = Column(Integer, primary_key=True)
        admin_id = Column(ForeignKey("admins.id"))

    class Login(Base):
        __tablename__ = "logins"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))

    class Visit(Base):
        __tablename__ = "visits"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))

    class Secret(Base):
        __tablename__ = "secrets"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))

    class Grant(Base):
        __tablename__ = "grants"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))

    class Hint(Base):
        __tablename__ = "hints"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))
"""
PRELUDE = """
    import logging
    import json
    from contextlib import contextmanager
    from dataclasses import dataclass

    import requests
    from sqlalchemy import func, select, text, union_all, update
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Load, Session, joinedload, lazyload, selectinload, sessionmaker
    from sqlalchemy.orm import joinedload as eager

    from models import Address, Hint, Team, User
    from unseen import tidy

    log = logging.getLogger(__name__)
    maker = sessionmaker()
    lasting = sessionmaker(expire_on_commit=False)

    @dataclass
    class Card:
        user: User

    def show(user):
        return user.name

    def card(user):
        return user.team.name

    def line(user):
        return card(user)

    def tree(user):
        return [tree(one) for one in user.staff]

    def each(users):
        for one in users:
            print(one.team)

    def several(users: list[User]):
        for one in users:
            print(one.team)

    def peek(user):
        return user.__dict__

    def touch(session):
        session.add(Team())

    def save(session):
        touch(session)
        session.commit()

    def log_apart(name):
        with maker() as own:
            own.add(Team(name=name))
            own.commit()

    @contextmanager
    def unit():
        session = maker()
        yield session
        session.commit()

"""
LOOP = "for u in us:\n    u.team\n"
USERS = "us = s.query(User).all()\n"

SAFE = {
    "query in the head": "for u in s.query(User): u.team",
    "trap 22: both branches": USERS + "for u in us:\n    if a:\n        u.team\n    else:\n        u.team.name",
    "plain column": USERS + "for u in us:\n    u.name = 'x'\n    u.team",
    "local containers": "seen, by = set(), {}\n" + USERS + "for u in us:\n    seen.add(u.team)\n    by[u.id] = u",
    "logged": USERS + "for u in us:\n    log.info('%s', u)\n    print(u)\n    u.team",
    "function that reads columns": USERS + "for u in us:\n    show(u)\n    u.team",
    "property and method that read columns": USERS + "for u in us:\n    u.label, u.shout()\n    u.team",
    "kept in a dataclass": USERS + "cards = []\nfor u in us:\n    cards.append(Card(u))\n    u.team",
    "library that gets plain values": USERS + "for u in us:\n    requests.get(u.name)\n    u.team",
    "handed on behind the loop": USERS + LOOP + "return json.dumps(us, default=peek)",
    "returned": USERS + LOOP + "return us",
    "commit behind the loop": USERS + LOOP + "save(s)",
    "commit before the query": "s.commit()\n" + USERS + LOOP,
    "empty is left": USERS + "if not us:\n    return\n" + LOOP,
    "own session in a block": "with maker() as s:\n    for u in s.query(User):\n        u.team",
    "reading SQL": USERS + "s.execute(text('select 1'))\ns.scalars(select(Team))\n" + LOOP,
    "limit and distinct": "for u in s.query(User).distinct().limit(5): u.team",
    "locked": "for u in s.query(User).with_for_update(): u.team",
    "new columns": "for u in s.query(User.id).with_entities(User): u.team",
    "unique rows": "for u in s.scalars(select(User)).unique(): u.team",
    "two loops": USERS + LOOP + "for u in us: u.name",
    "trap 24: sorted by a key": "sorted(s.query(User), key=lambda u: u.team.name)",
    "an earlier query of others": "ts = s.query(Address).all()\n" + USERS + LOOP,
}
UNSAFE = {
    "unseen callee with a session": (USERS + "tidy(s)\n" + LOOP, "may change User.team"),
    "through a function": (USERS + "for u in us: card(u)", "card() reads team"),
    "two functions deep": (USERS + "for u in us: line(u)", "line() in"),
    "trap 24: a function over all": (USERS + "list(map(card, us))", "card() reads team"),
    "all rows, gone over in a function": (USERS + "each(us)", "each() reads team"),
    "two relationships away": (USERS + "for u in us: u.team.org", "2 steps away"),
    "nested loops": (USERS + "for u in us:\n    for one in u.staff:\n        one.team", "2 steps away"),
    "trap 23: swallowed": (
        USERS + "for u in us:\n    try:\n        open(u.name)\n        u.team\n    except OSError:\n        pass",
        "some rows only",
    ),
    "filter in a comprehension": ("[u.team for u in s.query(User) if u.ok]", "some rows only"),
    "early return": (USERS + LOOP + "    if a:\n        return", "some rows only"),
    "AsyncSession": ("us = (await d.scalars(select(User))).all()\n" + LOOP, "under AsyncSession"),
    "trap 19: child flushed": (
        USERS + "for u in us:\n    s.add(Address(user_id=u.id))\n    s.flush()\n    len(u.adds)",
        "may change User.adds",
    ),
    "trap 20: foreign key": (USERS + "for u in us:\n    u.team_id = 1\n    u.team", "may change User.team"),
    "trap 20: collection": (USERS + "for u in us:\n    u.adds.append(Address())", "may change User.adds"),
    "attribute the order depends on": (
        USERS + "for a in s.query(Address):\n    a.position = 1\nfor u in us:\n    u.adds",
        "may change User.adds",
    ),
    "validated attribute": (USERS + "for u in us:\n    u.nick = ''\n    u.team", "may change"),
    "new object that refers to it": (USERS + "for u in us:\n    Team(users=[u])\n    u.team", "may change"),
    "bulk update": (USERS + "s.query(User).update({'team_id': 1})\n" + LOOP, "may change"),
    "UPDATE": (USERS + "s.execute(update(User).values(team_id=1))\n" + LOOP, "may change"),
    "raw SQL": (USERS + "s.execute(text('delete from teams'))\n" + LOOP, "may change"),
    "write in a function": (USERS + "touch(s)\n" + LOOP, "may change"),
    "write in a method": (USERS + "for u in us:\n    u.archive()\n    u.team", "may change"),
    "another session's commit": (USERS + "for u in us:\n    log_apart(u.name)\n    u.team", "may change"),
    "unknown with a session's name": (USERS + "p.session.add(a)\n" + LOOP, "may change"),
    "commit that keeps objects": (
        "with lasting() as s:\n    for u in s.query(User):\n        u.team\n        s.commit()",
        "may change",
    ),
    "flush held back": ("with s.no_autoflush:\n    us = s.query(User).all()\n" + LOOP, "may change"),
    "query grown by if": (
        "q = s.query(User)\nif a:\n    q = q.filter(User.ok)\nfor u in q.all(): u.team",
        "several ways",
    ),
    "query listed, with another use": (
        "q = s.query(User)\nq.count()\nus = list(q)\n" + LOOP,
        "uses q too",
    ),
    "query with another use": ("q = s.query(User)\nq.count()\nfor u in q: u.team", "uses q too"),
    "trap 21: continue": (USERS + "for u in us:\n    if not u.ok:\n        continue\n    u.team", "some rows only"),
    "trap 23: or": (USERS + "for u in us:\n    u.nick or u.team.name", "some rows only"),
    "trap 23: any": ("any(u.team.name for u in s.query(User))", "some rows only"),
    "break": (USERS + LOOP + "    if a:\n        break", "some rows only"),
    "generator": ("for u in s.query(User): yield u.team", "some rows only"),
    "behind a branch": (USERS + "if a:\n    for u in us:\n        u.team", "some rows only"),
    "joined": ("for u in s.query(User).join(User.team).filter(Team.name == 'x'): u.team", "that the statement joins"),
    "several columns": ("for u, n in s.query(User, func.count()): u.team", "several columns"),
    "targets before": ("ts = s.query(Team).all()\nfor u in s.query(User): u.team", "earlier query"),
    "same before": (USERS + LOOP + "for u in s.query(User).limit(3): u.team", "earlier query"),
    "execution options": ("for u in s.query(User).execution_options(x=1): u.team", "execution_options(x)"),
}
REPORT = {
    "trap 26: from row to row": (USERS + "for u in us: tree(u)", "goes on from row to row"),
    "subclasses only": (USERS + "for u in us: u.rights", "only subclasses of User have rights"),
    "reflection": (USERS + "for u in us:\n    u.__dict__\n    u.team", "looks at what is loaded"),
    "variable name": (USERS + "for u in us:\n    getattr(u, a)\n    u.team", "looks at what is loaded"),
    "property that looks": (USERS + "for u in us:\n    u.dump\n    u.team", "uses dump of User"),
    "trap 26: method that looks": (USERS + "for u in us:\n    u.as_text()\n    u.team", "hands rows to u.as_text()"),
    "function that looks": (USERS + "for u in us:\n    peek(u)\n    u.team", "hands rows to peek()"),
    "foreign callee": (USERS + "for u in us:\n    json.dumps(u)\n    u.team", "hands rows to json.dumps()"),
    "callback": (USERS + "for u in us:\n    a(u)\n    u.team", "hands rows to a()"),
    "commit in the loop": (USERS + LOOP + "    s.commit()", "commits"),
    "trap 28: commit two calls down": (USERS + "for u in us:\n    save(s)\n    u.team", "commits"),
    "commit at the end of a block": ("with unit() as s:\n    us = s.query(User).all()\n" + LOOP, "commits"),
    "rollback": (USERS + "s.rollback()\n" + LOOP, "rolls back"),
    "expired": (USERS + "s.expire_all()\n" + LOOP, "expires"),
    "refreshed": (USERS + "for u in us:\n    s.refresh(u)\n    u.team", "expires"),
    "expunged": (USERS + "s.expunge_all()\n" + LOOP, "closes the session or takes objects out"),
    "closed": ("with maker() as s:\n    us = s.query(User).all()\n" + LOOP, "closes the session"),
    "unknown that commits": (USERS + "for u in us:\n    p.commit()\n    u.team", "commits"),
    "two producers": ("us = s.query(User).all() if a else s.query(User).limit(1).all()\n" + LOOP, "may also be those"),
    "options not understood": ("for u in s.query(User).options(*p): u.team", "what p loads is not known"),
    "union": ("for u in s.query(User).union(s.query(User)): u.team", "union()"),
    "loading not known": ("for u in s.query(User): u.hints", "how User.hints loads"),
}
BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
SILENT = {
    "dynamic": "for u in s.query(User): u.logins",
    "write-only": "for u in s.query(User): u.visits",
    "raises": "for u in s.query(User): u.secrets",
    "eager by the model": "for u in s.query(User): u.grants",
    "wildcard": "for u in s.query(User).options(lazyload('*')): u.team",
    "wildcard of the class": "for u in s.query(User).options(Load(User).lazyload('*')): u.team",
    "loader criteria": (
        "from sqlalchemy.orm import with_loader_criteria\n"
        "for u in s.query(User).options(with_loader_criteria(Team, Team.id > 1)): u.team"
    ),
    "option there under another name": "for u in s.query(User).options(eager(User.team)): u.team",
    "option there": "for u in s.query(User).options(joinedload(User.team)): u.team",
    "single object": "u = s.query(User).first()\nu.team",
    "other name": "for u in s.query(User): u.label",
    "column": "for u in s.query(User.name): u.team",
    "rebound": "for u in s.query(User):\n    u = a\n    u.team",
    "unknown rows": "for u in a.users(): u.team",
    "assigned only": "for u in s.query(User): u.team = a",
}


def judged(folder: Path, body: str) -> list[str]:
    """What may be done in a function with this body: `safe User.team`, `unsafe User.adds: why`."""
    head = "async def f(d: AsyncSession):\n" if "await" in body else "def f(s: Session, a, p):\n"
    main = textwrap.dedent(PRELUDE) + head + textwrap.indent(body, "    ") + "\n"
    sketch = Sketch(folder, {"models.py": MODELS, "main.py": main})
    path = folder / "main.py"
    found = []
    loops = sketch.inference.ask(RowLoops)
    for node in ast.walk(sketch.project.tree(path)):
        if isinstance(node, BODIES):
            inside = sketch.inference.inside(path, node)
            assert inside is not None
            for loop in loops.of(inside):
                for loading in loop.loadings:
                    verdict = loops.verdict(loop, loading)
                    found.append(f"{verdict.kind} {loading.label}: {verdict.missing}")
    return found


@pytest.mark.parametrize("body", SAFE.values(), ids=SAFE)
def test_safe(tmp_path: Path, body: str) -> None:
    found = judged(tmp_path, body)
    assert found
    assert all(line.startswith("safe ") for line in found), found


@pytest.mark.parametrize(("body", "why"), UNSAFE.values(), ids=UNSAFE)
def test_unsafe(tmp_path: Path, body: str, why: str) -> None:
    found = judged(tmp_path, body)
    assert [line for line in found if line.startswith("unsafe ") and why in line], found
    assert not [line for line in found if line.startswith("report ")]


@pytest.mark.parametrize(("body", "why"), REPORT.values(), ids=REPORT)
def test_report(tmp_path: Path, body: str, why: str) -> None:
    found = judged(tmp_path, body)
    assert found
    assert all(line.startswith("report ") and why in line for line in found), found


@pytest.mark.parametrize("body", SILENT.values(), ids=SILENT)
def test_silent(tmp_path: Path, body: str) -> None:
    assert judged(tmp_path, body) == []


def test_producer_in_callers_that_are_not_all_seen(tmp_path: Path) -> None:
    sketch = Sketch(tmp_path, {"models.py": MODELS, "main.py": textwrap.dedent(PRELUDE)})
    path = tmp_path / "main.py"
    found = {}
    for node in sketch.project.tree(path).body:
        if isinstance(node, ast.FunctionDef):
            inside = sketch.inference.inside(path, node)
            assert inside is not None
            found[node.name] = [rows.labels for rows in sketch.inference.ask(RowsOfCallers).of(inside)]
    assert {name for name, rows in found.items() if rows} == {"several"}
    assert found["several"] == [("User.team",)]
