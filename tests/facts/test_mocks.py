"""Pins of tests, in the spellings that projects use."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from alchemod.facts.mocks import may_pin, pinned
from alchemod.facts.pins import Pin, Pins


def pins_of(source: str) -> tuple[Pin, ...]:
    return pinned(ast.parse(dedent(source)), "tests/test_x.py")


def chains(source: str) -> set[tuple[str, ...]]:
    return {pin.chain for pin in pins_of(f"import sqlalchemy\n{dedent(source)}") if pin.chain}


def targets(source: str) -> set[str]:
    return {pin.target for pin in pins_of(source) if pin.target}


@pytest.mark.parametrize(
    ("source", "chain"),
    [
        (
            "session.query.return_value.filter_by.return_value.first.return_value = user",
            ("query", "filter_by", "first"),
        ),
        ("mock.query().filter_by().first.return_value = 1", ("query", "filter_by", "first")),
        ("mock_query.filter_by.return_value = mock_query", ("filter_by",)),
        ("self.session.query.return_value.get.side_effect = [1, 2]", ("session", "query", "get")),
        ("maker.return_value.__enter__.return_value = session", ("__enter__",)),
        ("db.execute.return_value.scalars.return_value.all.return_value = []", ("execute", "scalars", "all")),
        ("session.close.assert_called_once()", ("close",)),
        (
            "session.query.return_value.filter_by.assert_called_with(id=1)",
            ("query", "filter_by"),
        ),
        ("assert session.query.return_value.filter_by.call_count == 2", ("query", "filter_by")),
        ("assert session.commit.called", ("commit",)),
        ("kwargs = session.query().filter_by.call_args[1]", ("query", "filter_by")),
        ("assert session.query.mock_calls[0] == 1", ("query",)),
        ("session.query = MagicMock(return_value=query)", ("query",)),
        ("session.query = mock.Mock()", ("query",)),
        ("session.execute = AsyncMock(scalars=Mock(return_value=[]))", ("execute", "scalars")),
        (
            "MagicMock(**{'query.return_value.filter_by.return_value.first.return_value': 1})",
            ("query", "filter_by", "first"),
        ),
        ("m.configure_mock(**{'query.return_value.all.return_value': 1})", ("query", "all")),
        ("Mock(query=Mock(return_value=Mock(filter_by=Mock())))", ("query", "filter_by")),
        ("SimpleNamespace(query=lambda model: None)", ("query",)),
        (
            "from unittest.mock import call\nassert session.mock_calls == [call.query(A).filter_by(id=1)]",
            ("query", "filter_by"),
        ),
        ("from unittest import mock\nM(data=[([mock.call.query(A), mock.call.filter(A.x == 1)], [1])])", ("filter",)),
        ("with patch.object(Query, 'filter_by') as f: pass", ("filter_by",)),
        ("@patch('app.models.User.query')\ndef test(query): pass", ("query",)),
    ],
)
def test_chains(source: str, chain: tuple[str, ...]) -> None:
    assert chain in chains(source)


def test_a_chain_is_one_pin_with_its_line() -> None:
    source = """\
        def test_get(session):
            session.query.return_value \\
                .filter_by.return_value.first.return_value = 1
            q = session.query.return_value
        """
    assert pins_of(source) == (
        Pin("tests/test_x.py", 2, ("query", "filter_by", "first")),
        Pin("tests/test_x.py", 4, ("query",)),
    )


@pytest.mark.parametrize(
    "source",
    [
        "user = session.query(User).filter_by(id=1).first()",
        "result = client.get('/').json()",
        "mock.return_value = 1",
        "call(1).query(2)",
        "setattr(session, 'query', fake)",
        "git.patch('a.diff', 3)",
        "class FakeSpawner(Spawner):\n    def close(self): pass",
        "class Repository:\n    def filter_by(self, **kw): pass",
    ],
)
def test_what_pins_no_chain(source: str) -> None:
    assert chains(source) == set()


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("@patch('app.db.SessionLocal')\ndef test(maker): pass", "app.db.SessionLocal"),
        ("@mock.patch('app.db.SessionLocal', autospec=True)\ndef test(maker): pass", "app.db.SessionLocal"),
        ("with unittest.mock.patch('app.db.SessionLocal', new=x): pass", "app.db.SessionLocal"),
        ("mocker.patch('app.db.SessionLocal')", "app.db.SessionLocal"),
        ("TARGET = 'app.db.SessionLocal'\npatch(TARGET)", "app.db.SessionLocal"),
        ("MODULE = 'app.db'\npatch(f'{MODULE}.SessionLocal')", "app.db.SessionLocal"),
        ("MODULE = 'app.db'\npatch(MODULE + '.SessionLocal')", "app.db.SessionLocal"),
        ("patch(f'{__name__}.SessionLocal')", ".SessionLocal"),
        ("from app import db\npatch.object(db, 'SessionLocal')", "app.db.SessionLocal"),
        ("import app.db\nmocker.patch.object(app.db, 'SessionLocal')", "app.db.SessionLocal"),
        ("import app.db as d\nmocker.spy(d, 'SessionLocal')", "app.db.SessionLocal"),
        ("from .. import db\npatch.object(db, 'SessionLocal')", ".db.SessionLocal"),
        ("patch.object(session, 'query')", ".session.query"),
        ("patch.multiple('app.db', SessionLocal=DEFAULT, create=True)", "app.db.SessionLocal"),
        ("monkeypatch.setattr('app.db.SessionLocal', fake)", "app.db.SessionLocal"),
        ("from app import db\nmonkeypatch.setattr(db, 'SessionLocal', fake)", "app.db.SessionLocal"),
        ("from app import db\nself.patch(db, 'SessionLocal', fake)", "app.db.SessionLocal"),
    ],
)
def test_targets(source: str, target: str) -> None:
    assert target in targets(source)


@pytest.mark.parametrize(
    ("other", "counted"),
    [
        ("", False),
        ("import requests", False),
        ("feedback = orm_like = 1", True),
        ("def test(db): pass", True),
        ("from app.models import SessionLocal", True),
        ("patch('app.db')", True),
        ("print('a long text about a session')", False),
    ],
)
def test_chains_count_only_where_a_file_speaks_of_sessions(other: str, counted: bool) -> None:
    found = pins_of(f"{other}\nproxy.close.return_value = 1")
    assert (("close",) in {pin.chain for pin in found}) is counted


def test_hand_written_stand_ins_pin_the_methods_they_have() -> None:
    source = """\
        class FakeQuery:
            def __init__(self, rows): ...
            def filter_by(self, **kwargs): return self
            def first(self): ...
            def reset(self): ...
        class DummySession:
            async def execute(self, statement): ...
            def close(self): ...
        """
    assert pins_of(source) == (
        Pin("tests/test_x.py", 3, ("filter_by",)),
        Pin("tests/test_x.py", 4, ("first",)),
        Pin("tests/test_x.py", 7, ("execute",)),
        Pin("tests/test_x.py", 8, ("close",)),
    )


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("caching_mock.get.return_value = 1", set()),
        ("response.get.assert_called_once()", set()),
        ("mock_paginate.all.side_effect = [1]", set()),
        ("mock_query.get.return_value = 1", {("get",)}),
        ("mock.get.return_value = 1", {("get",)}),
        ("q.count.return_value = 1", {("count",)}),
        ("self.get.return_value = 1", {("get",)}),
        ("users.filter_by.return_value = 1", {("filter_by",)}),
        ("users.all.return_value = 1\nsession.query.return_value = users", {("all",), ("query",)}),
        ("users.all.return_value = 1\nMock(query=lambda model: users)", {("all",), ("query",)}),
    ],
)
def test_mocks_of_something_else(source: str, found: set[tuple[str, ...]]) -> None:
    assert chains(source) == found


def test_look_up_by_chain() -> None:
    pins = Pins(
        [
            Pin("tests/b.py", 1, ("filter_by",)),
            Pin("tests/a.py", 9, ("session", "query", "join", "filter_by")),
            Pin("tests/a.py", 2, ("query", "filter_by", "first")),
        ]
    )
    assert pins.of(("query", "filter_by")) == Pin("tests/a.py", 2, ("query", "filter_by", "first"))
    assert pins.of(("join", "filter_by")) == Pin("tests/a.py", 9, ("session", "query", "join", "filter_by"))
    assert pins.of(("query", "outerjoin", "filter_by")) == Pin("tests/b.py", 1, ("filter_by",))
    assert pins.of(("query", "filter_by", "all")) is None
    assert pins.of(("query", "get")) is None
    assert pins.of(("close",)) is None


@pytest.mark.parametrize(
    ("target", "asked", "replaced"),
    [
        ("app.db.SessionLocal", "app.db.SessionLocal", True),
        ("app.db", "app.db.SessionLocal", True),
        ("src.app.db.SessionLocal", "app.db.SessionLocal", True),
        ("db.SessionLocal", "app.db.SessionLocal", True),
        (".SessionLocal", "app.db.SessionLocal", True),
        (".db", "app.db.SessionLocal", True),
        ("app.crud.SessionLocal", "app.db.SessionLocal", False),
        ("SessionLocal", "app.db.SessionLocal", False),
        ("other_db.SessionLocal", "db.SessionLocal", False),
        ("app.db.SessionLocal.begin", "app.db.SessionLocal", False),
        ("app.db.engine", "app.db.SessionLocal", False),
    ],
)
def test_look_up_by_target(target: str, asked: str, replaced: bool) -> None:
    pin = Pin("tests/a.py", 1, (), target)
    assert Pins([pin]).patched("app.nothing", asked) == (pin if replaced else None)


def test_pins_in_words() -> None:
    assert str(Pin("tests/test_x.py", 12, ("query", "filter_by"))) == "tests/test_x.py:12 pins query().filter_by()"
    assert str(Pin("tests/test_x.py", 3, (), ".db.maker")) == "tests/test_x.py:3 patches db.maker"


@pytest.mark.parametrize(
    ("path", "source", "looked_at"),
    [
        ("tests/api/users.py", b"session.query.return_value = 1", True),
        ("app/user_test.py", b"mock.query()", True),
        ("conftest.py", b"class FakeSession: ...", True),
        ("tests/test_x.py", b"assert 1", False),
        ("app/db.py", b"# patch this later", False),
        ("app/stubs.py", b"from unittest.mock import Mock\n", True),
        ("app/stubs.py", b"from unittest import mock\n", True),
        ("app/latest.py", b"return_value = 1", False),
    ],
)
def test_only_tests_are_looked_at(path: str, source: bytes, looked_at: bool) -> None:
    assert may_pin(path, source) is looked_at


def test_deep_chains_do_not_recurse() -> None:
    chain = ".return_value.a" * 900
    (pin,) = pinned(ast.parse(f"session{chain}.return_value"), "tests/test_x.py")
    assert pin.chain == ("a",) * 900
