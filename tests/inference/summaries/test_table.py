"""The table of summaries: what callees do to a session or object they get, and what calls may do to any session."""

import ast
from pathlib import Path

import pytest

from alchemod.inference.summaries.table import Summaries
from alchemod.inference.summaries.vocabulary import Deed, Given, Treatment
from sketch import Sketch

PROJECT = """
    from contextlib import contextmanager

    from sqlalchemy import Column, ForeignKey, Integer, String
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session, declarative_base, relationship, scoped_session, sessionmaker

    from elsewhere import far_away

    Base = declarative_base()
    Maker = sessionmaker()
    registry = scoped_session(Maker)
    KEPT = []

    class Team(Base):
        __tablename__ = "teams"
        id = Column(Integer, primary_key=True)

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String)
        team_id = Column(ForeignKey("teams.id"))
        team = relationship(Team)

    def reads(s: Session): return s.query(User).count()
    def commits(s: Session): s.add(User()); s.commit()
    def may_commit(s: Session, flag):
        if flag:
            s.commit()
    def commits_on_both(s: Session, flag):
        if flag:
            s.commit()
        else:
            save_all(s)
    def save_all(s: Session): s.commit()
    def rolls_back(s: Session):
        try:
            s.flush()
        except Exception:
            s.rollback()
            raise
    def closes(s: Session): s.close()
    def closes_if(s: Session, flag):
        if flag:
            s.close()
    def closes_early(s: Session, flag):
        if flag:
            return
        s.close()
    def closes_finally(s: Session):
        try:
            reads(s)
        finally:
            s.close()
    def closes_below(s: Session): closes_finally(s)
    def keeps(s: Session): KEPT.append(s)
    def keeps_below(s: Session): keeps(s)
    def captures(s: Session): return lambda: s.commit()
    def gives_back(s: Session): return s
    def gives_back_below(s: Session):
        t = gives_back(s)
        t.commit()
        return t
    def alias(s: Session):
        t = s
        t.close()
    def passes_on(s: Session): far_away(s)
    def unknown_callee(s: Session): from_nowhere(s)
    def ping(s: Session, n):
        if n:
            pong(s, n - 1)
    def pong(s: Session, n):
        ping(s, n)
        s.commit()
    def opens_if_missing(s: Session = None):
        if s is None:
            s = Maker()
        return s.query(User).count()
    def called_back(f): f()
    def generates(s: Session): yield from s.query(User)
    @contextmanager
    def scope(s: Session):
        yield s
        s.commit()
    @from_elsewhere
    def decorated(s: Session): pass
    async def waits(s: AsyncSession): await s.commit()
    async def forgets(s: AsyncSession): s.close()

    def shows(u: User): return u.name
    def shows_team(u: User): return u.team.id
    def stores(u: User): KEPT.append(u)
    def renames(u: User): u.name = "x"
    def same(u: User): return u
    def raises(u: User): raise ValueError(u)

    class Repo:
        def __init__(self, session: Session): self.session = session
        def add(self, u): self.session.add(u)
        def save(self): self.flush(); self.session.commit()
        def flush(self): pass
        def close(self, s: Session): pass
    class Strict(Repo):
        def flush(self): self.session.flush()
        def close(self, s: Session): s.close()

    def through_a_class(s: Session):
        repo = Repo(s)
        repo.save()
    def own_session():
        with Maker() as own:
            own.add(User())
            own.commit()
    def shared(): registry.commit()
    def shared_below(): shared()
    def round_one(): round_two()
    def round_two(): round_one(); registry.rollback()
    def local():
        def inner(): registry.remove()
        inner()
    def managed():
        with scope(registry) as s:
            s.add(User())
"""
ELSEWHERE = """
    def far_away(session):
        session.commit()
        session.close()
"""


class Asked:
    """The table for the project, and calls written at the end of a function in it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _call(self, code: str, head: str) -> tuple[Summaries, ast.Call, Sketch]:
        app = f"{PROJECT}\n    {head}:\n        {code}\n"
        sketch = Sketch(self._root, {"app.py": app, "elsewhere.py": ELSEWHERE})
        last = sketch.project.tree(self._root / "app.py").body[-1]
        call = next(node for node in ast.walk(last) if isinstance(node, ast.Call))
        return sketch.inference.ask(Summaries), call, sketch

    def argument(self, code: str, given: Given = "session", head: str = "def f(s: Session, u: User)") -> Treatment:
        table, call, sketch = self._call(code, head)
        place = sketch.inference.place(self._root / "app.py", call)
        assert place is not None
        return table.of_argument(call, call.args[0], place, given)

    def deeds(self, code: str) -> list[Deed]:
        table, call, sketch = self._call(code, "def f(s: Session, u: User, repo: Repo)")
        place = sketch.inference.place(self._root / "app.py", call)
        assert place is not None
        return sorted(table.deeds_of_call(call, place), key=str)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


KEPT = {
    "reads(s)": "no",
    "commits(s)": "no",
    "closes(s)": "no",
    "keeps(s)": "yes",
    "keeps_below(s)": "yes",
    "captures(s)": "yes",
    "gives_back(s)": "no",
    "passes_on(s)": "no",
    "unknown_callee(s)": "unknown",
    "from_nowhere(s)": "unknown",
    "generates(s)": "unknown",
    "scope(s)": "unknown",
    "decorated(s)": "unknown",
    "ping(s, 2)": "no",
    "opens_if_missing(s)": "no",
    "print(s)": "no",
    "KEPT.append(s)": "unknown",
    "reads(*s)": "unknown",
}


@pytest.mark.parametrize(("code", "kept"), KEPT.items(), ids=KEPT)
def test_whether_a_session_is_kept(asked: Asked, code: str, kept: str) -> None:
    assert asked.argument(code).kept == kept


CLOSES = {
    "closes(s)": "must",
    "closes_if(s, 1)": "may",  # trap 1
    "closes_early(s, 1)": "may",
    "closes_finally(s)": "must",
    "closes_below(s)": "must",
    "alias(s)": "must",
    "far_away(s)": "must",
    "passes_on(s)": "must",
    "reads(s)": "no",
}


@pytest.mark.parametrize(("code", "closes"), CLOSES.items(), ids=CLOSES)
def test_whether_a_session_is_closed(asked: Asked, code: str, closes: str) -> None:
    assert asked.argument(code).closes == closes


EFFECTS: dict[str, tuple[set[str], set[str]]] = {
    "reads(s)": (set(), set()),
    "commits(s)": ({"write", "commit"}, {"write", "commit"}),
    "may_commit(s, 1)": ({"commit"}, set()),
    "commits_on_both(s, 1)": ({"commit"}, {"commit"}),
    "rolls_back(s)": ({"write", "rollback"}, {"write"}),
    "pong(s, 1)": ({"commit"}, {"commit"}),
    "ping(s, 1)": ({"commit"}, set()),
    "gives_back_below(s)": ({"commit"}, {"commit"}),
}


@pytest.mark.parametrize("code", EFFECTS)
def test_effects_on_a_session(asked: Asked, code: str) -> None:
    found = asked.argument(code)
    assert (set(found.effects), set(found.surely)) == EFFECTS[code]


def test_a_callee_gives_the_session_back(asked: Asked) -> None:
    assert asked.argument("gives_back(s)").returned
    assert asked.argument("gives_back_below(s)").returned
    assert not asked.argument("reads(s)").returned


def test_where_it_is_done(asked: Asked) -> None:
    (deed,) = (deed for deed in asked.argument("commits_on_both(s, 1)").at if deed.kind == "commit")
    assert deed.calls == ("commits_on_both",)
    (deed,) = (deed for deed in asked.argument("passes_on(s)").at if deed.kind == "commit")
    assert deed.calls == ("passes_on", "far_away")
    assert deed.module is not None
    assert (deed.module.name, deed.line) == ("elsewhere", 3)


def test_a_circle_gives_the_same_wherever_it_is_entered(asked: Asked) -> None:
    assert asked.argument("pong(s, 1) or ping(s, 1)").effects == {"commit"}
    assert asked.argument("ping(s, 1) or pong(s, 1)").effects == {"commit"}


def test_overriding_methods_count(asked: Asked) -> None:
    head = "def f(s: Session, repo: Repo)"
    assert asked.argument("repo.close(s)", head=head).closes == "may"
    assert asked.argument("repo.close(s)", head="def f(s: Session, repo: Strict)").closes == "must"


def test_coroutines_run_where_they_are_awaited(asked: Asked) -> None:
    head = "async def f(s: AsyncSession)"
    assert asked.argument("await waits(s)", head=head).surely == {"commit"}
    assert asked.argument("waits(s)", head=head).kept == "unknown"
    assert asked.argument("await forgets(s)", head=head).closes == "no"  # its close() is not awaited


def test_generators_run_later(asked: Asked) -> None:
    assert asked.argument("with scope(s) as t: pass").surely == {"commit"}
    assert asked.argument("with scope(s) as t: pass").kept == "no"
    assert asked.argument("for u in generates(s): pass").kept == "unknown"


OBJECTS = {
    "shows(u)": ("no", "columns", False),
    "shows_team(u)": ("no", "unknown", False),
    "stores(u)": ("yes", "nothing", False),
    "renames(u)": ("no", "nothing", False),
    "same(u)": ("no", "nothing", True),
    "raises(u)": ("yes", "unknown", False),
    "print(u)": ("no", "unknown", False),
    "from_nowhere(u)": ("unknown", "unknown", False),
    "Team(u)": ("no", "nothing", False),
}


@pytest.mark.parametrize(("code", "words"), OBJECTS.items(), ids=OBJECTS)
def test_objects(asked: Asked, code: str, words: tuple[str, str, bool]) -> None:
    found = asked.argument(code, "object")
    assert (found.kept, found.reads, found.returned) == words


def _words(deed: Deed) -> str:
    return " ".join([*deed.calls, "own" if deed.own else "", deed.kind]).replace("  ", " ").strip()


DEEDS = {
    "commits(s)": {"commits write", "commits commit"},
    "shared()": {"shared commit"},
    "shared_below()": {"shared_below shared commit"},
    "own_session()": {"own_session own write", "own_session own commit", "own_session own close"},
    "round_one()": {"round_one round_two rollback"},
    "round_two()": {"round_two rollback"},
    "local()": {"local inner close"},
    "repo.save()": {"save commit", "save flush flush"},
    "repo.add(u)": {"add write"},
    "through_a_class(s)": {"through_a_class save commit", "through_a_class save flush flush"},
    "managed()": {"managed own write", "managed scope commit"},
    "s.flush()": {"flush"},
    "s.execute('select 1')": set(),
    "s.execute('delete from users')": {"write"},
    "s.something()": {"unseen"},
    "reads(s)": set(),
    "shows(u)": set(),
    "from_nowhere(s)": set(),
}


@pytest.mark.parametrize(("code", "words"), DEEDS.items(), ids=DEEDS)
def test_deeds_to_any_session(asked: Asked, code: str, words: set[str]) -> None:
    assert {_words(deed) for deed in asked.deeds(code)} == words


def test_a_variable_that_is_called_is_a_callback(asked: Asked) -> None:
    assert {_words(deed) for deed in asked.deeds("called_back(s)")} == {"called_back callback"}
