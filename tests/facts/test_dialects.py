"""Dialects from engine URLs, in the spellings that projects use."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from alchemod.facts.dialects import Dialects, engine_urls, ini_urls, may_name_dialect, merged


def dialects(*sources: str) -> Dialects:
    files = enumerate(map(dedent, sources))
    return merged(url for number, source in files for url in engine_urls(ast.parse(source), f"app/{number}.py"))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("create_engine('sqlite://')", {"sqlite"}),
        ("sa.create_engine('postgresql+psycopg2://u:p@h/db', echo=True)", {"postgresql"}),
        ("create_engine(url='postgres://h/db')", {"postgresql"}),
        ("create_async_engine(f'postgresql+asyncpg://{user}@{host}/x')", {"postgresql"}),
        ("create_engine(f'mysql+{driver}://h/db')", {"mysql"}),
        ("create_engine('mysql://%s/x' % host)", {"mysql"}),
        ("create_engine('mysql://{}/x'.format(host))", {"mysql"}),
        ("create_engine('sqlite:///' + os.path.join(HERE, 'x.db'))", {"sqlite"}),
        ("create_engine(URL.create('mssql+pyodbc', host='h'))", {"mssql"}),
        ("create_engine(sqlalchemy.engine.URL.create(drivername='oracle'))", {"oracle"}),
        ("create_engine(make_url('sqlite://'))", {"sqlite"}),
        ("URI = 'sqlite://'\ncreate_engine(URI)", {"sqlite"}),
        ("create_engine('sqlite://' if testing else 'postgresql://h/db')", {"sqlite", "postgresql"}),
        ("DATABASE_URL = 'sqlite:///./shop.db'\nengine = create_engine(DATABASE_URL)", {"sqlite"}),
        ("config.set_main_option('sqlalchemy.url', 'sqlite://')", {"sqlite"}),
    ],
)
def test_spelled_out(source: str, names: set[str]) -> None:
    found = dialects(source)
    assert (found.names, found.complete) == (names, True)
    assert found.why.startswith("app/0.py:")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("app.config['SQLALCHEMY_DATABASE_URI'] = 'mysql://h/db'", {"mysql"}),
        ("app.config.update(SQLALCHEMY_DATABASE_URI='mysql://h/db')", {"mysql"}),
        ("SETTINGS = {'SQLALCHEMY_DATABASE_URI': 'mysql://h/db'}", {"mysql"}),
        ("class Config:\n    SQLALCHEMY_DATABASE_URI = 'mysql://h/db'", {"mysql"}),
        ("SQLALCHEMY_BINDS = {'users': 'mysql://h/db', 'logs': 'sqlite://'}", {"mysql", "sqlite"}),
        ("engine_settings = {'sqlalchemy.url': 'sqlite://'}", {"sqlite"}),
    ],
)
def test_configuration_of_a_framework_is_never_complete(source: str, names: set[str]) -> None:
    found = dialects(source)
    assert (found.names, found.complete) == (names, False)
    line = source.count("\n") + 1
    assert found.why == f"no engine is made with the URL of app/0.py:{line} in sight"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("create_engine(url)", set()),
        ("create_engine(**options)", set()),
        ("create_engine(os.environ['DATABASE_URL'])", set()),
        ("create_engine(settings.DATABASE_URL)", set()),
        ("create_engine(f'{scheme}://h/db')", set()),
        ("create_engine('query')", set()),
        ("engine_from_config(settings)", set()),
        ("DATABASE_URL = os.environ['DATABASE_URL']", set()),
        ("DATABASE_URL = conf.get('core', 'SQL_ALCHEMY_CONN')", set()),
        ("DATABASE_URL = os.environ.get('DATABASE_URL', 'sqlite:///x.db')", {"sqlite"}),
        ("DATABASE_URL = config('DATABASE_URL', default='sqlite:///x.db')", {"sqlite"}),
        ("create_engine(os.getenv('DB_URL') or 'sqlite://')", {"sqlite"}),
        ("class Settings(BaseSettings):\n    database_url: str = 'sqlite://'", {"sqlite"}),
        ("class Settings(BaseSettings):\n    DATABASE_URL: str", set()),
        ("url = 'sqlite://'\ndef connect(url):\n    return create_engine(url)", {"sqlite"}),
        ("url = 'sqlite://'\nfor url in urls:\n    create_engine(url)", {"sqlite"}),
        ("a = b\nb = a\ncreate_engine(a)\ncreate_engine(c)", set()),
    ],
)
def test_left_open(source: str, names: set[str]) -> None:
    found = dialects(source)
    assert (found.names, found.complete) == (names, False)


def test_a_setting_of_another_file() -> None:
    use = "from config import DATABASE_URL\nengine = create_engine(DATABASE_URL)"
    assert not dialects(use).complete
    assert dialects(use, "DATABASE_URL = 'sqlite://'").complete
    assert not dialects("create_engine(os.environ['DATABASE_URL'])", "DATABASE_URL = 'sqlite://'").complete
    assert not dialects(use, "DATABASE_URL = environ['X']").complete
    open_here = dialects("x = 1\ncreate_engine(settings.DB_URL)", "DATABASE_URL = 'sqlite://'")
    assert (open_here.names, open_here.complete) == ({"sqlite"}, False)
    assert open_here.why == "app/0.py:2 uses a URL that is not spelled out"


@pytest.mark.parametrize(
    "source",
    [
        "REDIS_URL = 'redis://h'",
        "CELERY_DB_URL = 'amqp://h'",
        "BASE_URL = 'https://example.org'",
        "create_widget('sqlite://')",
        "from alembic import context\nengine_from_config(context.config)",
    ],
)
def test_what_says_nothing_of_dialects(source: str) -> None:
    assert dialects(source) == Dialects(frozenset(), False, "no engine URL is spelled out")


def test_bare_annotation_is_shown_on_its_line() -> None:
    found = dialects("import x\n\nclass Settings(BaseSettings):\n    database_url: str\n")
    assert found.why == "app/0.py:4 uses a URL that is not spelled out"


def test_ini_files(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "alembic.ini").write_text("[alembic]\nsqlalchemy.url = driver://user:pass@localhost/dbname\n")
    assert ini_urls(tmp_path) == ()
    (tmp_path / "development.ini").write_text("[app:main]\nsqlalchemy.url = sqlite:///%(here)s/x.db\n")
    assert merged(ini_urls(tmp_path)).names == {"sqlite"}
    assert not merged(ini_urls(tmp_path)).complete
    (tmp_path / "db/alembic.ini").write_text("# x\nsqlalchemy.url = %(DB_URL)s\n")
    found = merged(ini_urls(tmp_path))
    assert (found.complete, found.why) == (False, "db/alembic.ini:2 uses a URL that is not spelled out")


def test_drivers_are_only_hints() -> None:
    found = merged([], ["flask", "psycopg2-binary", "cx-oracle"])
    assert (found.names, found.complete, found.hints) == (frozenset(), False, {"postgresql", "oracle"})


def test_only_files_that_may_name_a_dialect() -> None:
    assert may_name_dialect(b"SQLALCHEMY_DATABASE_URI = 'sqlite://'")
    assert may_name_dialect(b"engine = create_engine(x)")
    assert not may_name_dialect(b"session.query(User)")


def test_deep_expressions_do_not_recurse() -> None:
    source = "create_engine(" + "'a' + " * 900 + "x)"
    assert not dialects(source).complete
