"""Which names other files take from a file that imports them."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.facts.taken import is_taken
from sketch import Sketch

VIEWS = "from contextlib import closing\nimport sqlalchemy\n"


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        ("from views import closing", True),
        ("from views import *", True),
        ("import views\nviews.closing", True),
        ("import views as shown\nshown . closing", True),
        ("import views\ngetattr(views, 'closing')", True),
        ('import views\ngetattr(views, "closing")', True),
        ("from unittest import mock\nmock.patch('views.closing')", True),
        ("getattr(object(), 'closing')", False),
        ("from contextlib import closing", False),
        ("import views\nclosing = 1", False),
        ("import views\ngetattr(views, 'closing_time')", False),
    ],
)
def test_taken(tmp_path: Path, other: str, taken: bool) -> None:
    project = Sketch(tmp_path, {"views.py": VIEWS, "other.py": other + "\n"}).project
    assert is_taken(project, tmp_path / "views.py", "closing") is taken
