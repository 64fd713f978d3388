"""The bench itself: what it records of a program, under every pinned version."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from bench.execution import Bench, Program, ProgramError, Run, Scenario
from bench.installs import pins, series

MODELS = """
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base, sessionmaker

Base = declarative_base()

class Book(Base):
    __tablename__ = "book"
    id = Column(Integer, primary_key=True)
    title = Column(String)
"""


def program(text: str, url: str = "sqlite://", **more: str) -> Program:
    head = f"{MODELS}\nengine = create_engine({url!r})\nBase.metadata.create_all(engine)\n"
    files = {"main.py": head + textwrap.dedent(text), **more}
    return Program({name: content.encode() for name, content in files.items()}, "main.py")


def run_everywhere(bench: Bench, text: str, url: str = "sqlite://", **more: str) -> list[Run]:
    return bench.run((version, program(text, url, **more)) for version in series())


def test_each_series_runs_its_pinned_release(bench: Bench) -> None:
    runs = run_everywhere(bench, "import sqlalchemy; print(sqlalchemy.__version__)")
    assert [run.stdout.strip() for run in runs] == list(pins()["sqlalchemy"].values())


def test_statements_come_with_parameters_and_transaction_steps(bench: Bench) -> None:
    text = """
        with Session(engine) as session:
            session.add(Book(id=7, title="Emma"))
            session.commit()
            print([book.title for book in session.query(Book).filter_by(id=7)])
    """
    for run in run_everywhere(bench, text):
        assert run.stdout == "['Emma']\n"
        assert run.error is None
        tail = [str(statement) for statement in run.statements[-6:]]
        assert tail[0] == "BEGIN"
        assert tail[1] == "INSERT INTO book (id, title) VALUES (?, ?)  (7, 'Emma')"
        assert tail[2:4] == ["COMMIT", "BEGIN"]
        assert tail[4].startswith("SELECT book.id AS book_id, book.title AS book_title FROM book WHERE book.id = ?")
        assert tail[4].endswith("(7,)")
        assert tail[5] == "ROLLBACK"
        assert run.commits == 2  # the tables, the book
        assert run.checked_out == 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///shop.db"])
def test_only_committed_rows_are_kept(bench: Bench, url: str) -> None:
    text = """
        session = Session(engine)
        session.add(Book(title="kept"))
        session.commit()
        session.add(Book(title="lost"))
        session.flush()
    """
    for run in run_everywhere(bench, text, url):
        (content,) = run.databases
        assert "'kept'" in content
        assert "'lost'" not in content


def test_rows_of_a_disposed_memory_database_are_kept(bench: Bench) -> None:
    text = """
        with Session(engine) as session:
            session.add(Book(title="kept"))
            session.commit()
        engine.dispose()
    """
    assert all("'kept'" in "".join(run.databases) for run in run_everywhere(bench, text))


def test_the_escaping_exception_is_recorded(bench: Bench) -> None:
    text = """
        print("before")
        with Session(engine) as session:
            session.query(Book).one()
    """
    for run in run_everywhere(bench, text):
        assert run.stdout == "before\n"
        assert run.error is not None
        assert run.error.startswith("sqlalchemy.exc.NoResultFound: No row was found")
        assert "session.query(Book).one()" in run.traceback


def test_a_session_left_open_keeps_a_connection(bench: Bench) -> None:
    text = """
        kept = Session(engine)
        kept.query(Book).all()
        other = Session(engine)
        other.query(Book).all()
        other.close()
    """
    for run in run_everywhere(bench, text, "sqlite:///shop.db"):
        assert run.checked_out == 1
        assert run.peak_checked_out == 2


def test_async_programs_run(bench: Bench) -> None:
    text = """
        import asyncio
        from sqlalchemy import select
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

        async def main():
            engine = create_async_engine("sqlite+aiosqlite:///async.db")
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            async with AsyncSession(engine) as session:
                session.add(Book(title="Emma"))
                await session.commit()
                print((await session.execute(select(Book.title))).scalars().all())
            await engine.dispose()

        asyncio.run(main())
    """
    for run in run_everywhere(bench, text):
        assert run.stdout == "['Emma']\n", run.traceback
        assert any("'Emma'" in content for content in run.databases)
        assert any(statement.sql.startswith("INSERT INTO book") for statement in run.queries)


def test_programs_do_not_see_each_other(bench: Bench) -> None:
    write = program("open('left.txt', 'w').close(); import sqlalchemy; sqlalchemy.left = 1")
    read = program("import os, sqlalchemy; print(os.path.exists('left.txt'), hasattr(sqlalchemy, 'left'))")
    _, after = bench.run([("2.0", write), ("2.0", read)])
    assert after.stdout == "False False\n"


def test_a_program_of_several_files(bench: Bench) -> None:
    (run,) = bench.run([("2.0", program("import models.names\nprint(models.names.X)", **{"models/names.py": "X = 3"}))])
    assert run.stdout == "3\n"


def test_a_program_that_dies_is_a_failure_and_the_worker_lives_on(bench: Bench) -> None:
    with pytest.raises(ProgramError, match=r"SQLAlchemy 2\.0: the program died with 3"):
        bench.run([("2.0", program("import os; os._exit(3)"))])
    (run,) = bench.run([("2.0", program("print('alive')"))])
    assert run.stdout == "alive\n"


def played(bench: Bench, text: str, scenario: Scenario) -> list[Run]:
    return bench.run((version, replace(program(text), scenario=scenario)) for version in series())


STREAM = """
    def stream():
        session = Session(engine)
        try:
            for number in (1, 2):
                session.add(Book(id=number))
                session.commit()
                yield number
        finally:
            session.close()
"""


def test_a_scenario_records_what_it_does_itself(bench: Bench) -> None:
    for run in played(bench, STREAM, Scenario("stream()")):
        assert run.stdout == "[1, 2]\n"
        assert [str(s).partition(" ")[0] for s in run.statements] == ["BEGIN", "INSERT", "COMMIT"] * 2
        assert run.steps == 4


def test_a_generator_closed_early_stops_there(bench: Bench) -> None:
    for run in played(bench, STREAM, Scenario("stream()", close_early=True)):
        assert run.stdout == "1\n"
        assert run.commits == 1
        assert run.held == 0


@pytest.mark.parametrize(("step", "rows"), [(1, 0), (2, 0), (3, 1), (4, 1)])
def test_one_step_of_a_scenario_fails(bench: Bench, step: int, rows: int) -> None:
    for run in played(bench, STREAM, Scenario("stream()", fail_at=step)):
        assert run.error is not None
        assert run.error.startswith("sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) injected failure")
        assert run.databases[0].count("INSERT") == rows


def test_a_connection_that_is_held_is_seen_before_the_collector_runs(bench: Bench) -> None:
    text = """
        kept = []
        def leak():
            session = Session(engine)
            kept.append(session.query(Book).first)
            session.query(Book).all()
    """
    for run in played(bench, text, Scenario("leak()")):
        assert run.held == 1
