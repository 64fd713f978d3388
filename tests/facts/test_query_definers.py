"""Which classes of a project may be asked `x.query(Model)` besides sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from sketch import Sketch

SOURCE = """
import pytest
import sqlalchemy


class Source:
    {method}
"""


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("def query(self, text): ...", "Source"),
        ("def query(self): ...", ""),
        ("@property\n    def query(self): return self.session.query", "Source"),
        ("@pytest.fixture\n    def query(self): return Mock", ""),
        ("@pytest.fixture(autouse=True)\n    def query(self, factory): return factory.query", ""),
    ],
)
def test_methods_called_query(tmp_path: Path, method: str, asked: str) -> None:
    sketch = Sketch(tmp_path, {"app.py": SOURCE.replace("{method}", method)})
    assert sketch.project.query_definers.any == asked
