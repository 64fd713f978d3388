"""Which classes of a project may be asked `x.query(Model)` besides sessions."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from sketch import Sketch


def defined(folder: Path, method: str) -> tuple[str, str]:
    """Who takes a class, and who hands out a method of a session, where `Other` has this method."""
    body = textwrap.indent(textwrap.dedent(method).strip(), "    ")
    sketch = Sketch(folder, {"app.py": f"from sqlalchemy.orm import Session\nimport pytest\n\nclass Other:\n{body}\n"})
    found = sketch.project.query_definers
    return found.method, found.proxy


@pytest.mark.parametrize(
    "method",
    [
        "def query(self, model): ...",
        "def query(self, *models): ...",
        "def query(self, model: type[Base], limit: int = 9): ...",
        "@staticmethod\ndef query(model): ...",
        "@classmethod\ndef query(cls, model): ...",
        "@classmethod\n@remotable\ndef query(cls, _): ...",
        "@traced('query')\ndef query(self, model): ...",
    ],
)
def test_what_takes_a_class(tmp_path: Path, method: str) -> None:
    assert defined(tmp_path, method) == ("Other", "")


@pytest.mark.parametrize(
    "method",
    [
        "def query(self): ...",
        "def query(self, *, model): ...",
        "def query(self, session): ...",
        "@remotable_classmethod\ndef query(cls, context): ...",
        "def query(self, _view_kwargs): ...",
        "def query(self, filters=None, limit=None): ...",
        "@retried\ndef query(self, **filters): ...",
        "def query(self, sql: str, *values): ...",
        "def query(self, where: dict[str, object]): ...",
        "def query(self, sql: 'str'): ...",
        "@staticmethod\ndef query(): ...",
        "@pytest.fixture\ndef query(self): return self.session.query",
        "@pytest.fixture()\ndef query(self, model): ...",
        "@property\ndef query(self): return self.session.query(Model)",
    ],
)
def test_what_takes_none(tmp_path: Path, method: str) -> None:
    assert defined(tmp_path, method) == ("", "")


def test_what_hands_out_the_method_of_a_session(tmp_path: Path) -> None:
    assert defined(tmp_path, "@property\ndef query(self): return self.session.query") == ("", "Other")


def test_what_keeps_the_method_of_a_session(tmp_path: Path) -> None:
    assert defined(tmp_path, "def __init__(self, session):\n    self.query = session.query") == ("", "app.py")


@pytest.mark.parametrize(
    ("method", "owner"), [("def query(self, model): ...", "Other"), ("def query(self, sql: str): ...", "")]
)
def test_a_class_inside_a_function(tmp_path: Path, method: str, owner: str) -> None:
    known = "class Known:\n    def query(self): ...\n"
    source = f"import sqlalchemy\n\ndef test():\n    class Other:\n        {method}\n\n{known}"
    assert Sketch(tmp_path, {"app.py": source}).project.query_definers.method == owner
