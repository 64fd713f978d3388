"""The plan of a migration: the places of the hand work."""

from __future__ import annotations

from pathlib import Path

from alchemod.runs.migrate import migrate
from alchemod.settings.options import Settings

SOURCE = """\
from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.declarative import declarative_base
from sqlalchemy.orm import sessionmaker

Base = declarative_base()
engine = create_engine("sqlite://")


def rows():
    return engine.execute(text("SELECT 1"))


def again():
    return engine.execute(select([text("2")]))
"""


def test_the_checklist_names_the_lines_of_the_files_as_they_are_on_disk(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sqlalchemy>=1.4\n", "utf-8")
    (tmp_path / "store.py").write_text(SOURCE, "utf-8")
    plan = migrate(tmp_path, [tmp_path], Settings(goal="2.0"))
    lines = [number for number, line in enumerate(SOURCE.splitlines(), 1) if "engine.execute" in line]
    after = next(iter(plan.outcome.changes.values())).new.text.splitlines()
    moved = [number for number, line in enumerate(after, 1) if "engine.execute" in line]
    assert lines != moved
    for number, others in ((0, lines), (1, moved)):
        text = plan.checklist(written=bool(number))
        assert [f"`store.py:{one}`" in text for one in others] == [True, True]
