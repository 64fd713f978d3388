"""What is looked at again after a pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from alchemod.engine.stale import stale
from alchemod.facts.project import Project
from engine.toys import GATE, found_in, write

A = (
    GATE
    + "def f():\n    pass\n\n\nclass C:\n    x = 1\n\n    def m(self):\n        return g()\n\n\ndef g():\n    pass\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write(
        tmp_path,
        {
            "a.py": A,
            "b.py": GATE
            + "from a import f, g\n\n\ndef h():\n    f()\n\n\n@g\ndef i():\n    pass\n\n\ndef j():\n    ff = 1\n",
            "c.py": GATE + "from a import f\n\nalias = f\n",
            "d.py": GATE + "def k():\n    pass\n",
        },
    )
    return Project.load(found_in(tmp_path).files, tmp_path)


@pytest.mark.parametrize(
    ("changed", "renewed", "expected"),
    [
        ({"f"}, (), {"a.py": {"f"}, "b.py": {"h"}, "c.py": None}),
        ({"g"}, (), {"a.py": {"g", "C.m"}, "b.py": {"i"}}),
        ({"C.m"}, (), {"a.py": {"C.m"}}),
        ({""}, (), {"a.py": None}),
        ({"C.m"}, ("k",), {"a.py": {"C.m"}, "d.py": {"k"}}),
        ({"C.m"}, ("x",), {"a.py": None}),
    ],
)
def test_what_mentions_a_change_is_looked_at_again(
    project: Project, changed: set[str], renewed: tuple[str, ...], expected: dict[str, set[str] | None]
) -> None:
    found = stale(project, project.paths, {project.root / "a.py": changed}, renewed)
    assert {path.name: units for path, units in found.items()} == expected


def test_only_files_that_rules_are_concerned_with(project: Project) -> None:
    found = stale(project, [project.root / "d.py"], {project.root / "a.py": {"f"}}, ())
    assert {path.name for path in found} == {"a.py"}
