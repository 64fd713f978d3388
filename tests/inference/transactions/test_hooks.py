"""What changes how sessions commit and objects load is found in files that cannot be parsed, too."""

from __future__ import annotations

from pathlib import Path

from alchemod.inference.loading.hooks import LoadHooks
from alchemod.inference.transactions.hooks import CommitHooks
from sketch import Sketch

OLD = """
from sqlalchemy import event
from sqlalchemy.orm import Session

@event.listens_for(Session, "{event}")
def listen(*given):
    print given
"""


def test_listeners_of_a_file_that_cannot_be_parsed(tmp_path: Path) -> None:
    project = Sketch(tmp_path, {"old.py": OLD.format(event="before_commit"), "app.py": "import sqlalchemy\n"}).project
    assert "old.py" in (CommitHooks(project).before_commit or "")
    assert LoadHooks(project).first is None


def test_code_that_runs_on_load_in_such_a_file(tmp_path: Path) -> None:
    project = Sketch(tmp_path, {"old.py": OLD.format(event="loaded_as_persistent")}).project
    assert "old.py" in (LoadHooks(project).first or "")
    assert CommitHooks(project).before_commit is None
