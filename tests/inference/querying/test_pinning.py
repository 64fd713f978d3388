"""Which test prepares a chain on a mock, found in the files of a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from sketch import Sketch

FILES = {
    "app.py": """
        from sqlalchemy.orm import Session

        def find(session: Session, model, name):
            return session.query(model).filter_by(name=name).first()
        """,
    "tests/test_app.py": """
        from unittest.mock import MagicMock

        def test_find():
            session = MagicMock()
            session.query.return_value.filter_by.return_value.first.return_value = 1
        """,
    "tests/test_other.py": """
        def test_without_mocks(session, model):
            assert session.query(model).filter(model.id == 1).count() == 1
        """,
}


@pytest.mark.parametrize(
    ("chain", "pinned"),
    [
        (("query", "filter_by"), True),
        (("filter_by",), True),
        (("query", "join", "filter_by"), False),
        (("query", "filter"), False),
        (("query", "count"), False),
    ],
)
def test_a_chain_is_pinned_where_a_mock_prepares_it(tmp_path: Path, chain: tuple[str, ...], pinned: bool) -> None:
    found = Sketch(tmp_path, FILES).inference.pinned(*chain)
    assert (found is not None) == pinned
    if found is not None:
        assert found.startswith("tests/test_app.py:6 ")


def test_a_changed_test_is_read_again(tmp_path: Path) -> None:
    sketch = Sketch(tmp_path, FILES)
    assert sketch.inference.pinned("query", "filter_by")
    path = sketch.root / "tests" / "test_app.py"
    source = sketch.project.source(path)
    sketch.project.update(path, source.with_utf8(b"def test_find():\n    pass\n"))
    assert sketch.inference.pinned("query", "filter_by") is None
