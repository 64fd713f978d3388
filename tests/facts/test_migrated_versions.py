"""The range that migrated code must run on."""

from __future__ import annotations

import pytest

from alchemod.facts.versions import Step, VersionRange, parse_specifiers


@pytest.mark.parametrize(
    ("declared", "goal", "steps", "lowest"),
    [
        (">=1.3,<1.4", "1.4", ("1.4", "2.0"), (1, 4)),
        (">=1.4.46,<2", "1.4", ("1.4", "2.0"), (1, 4, 46)),
        (">=1.4.46", "2.0", ("2.0",), (2,)),
        (">=2.0.30", "2.0", ("2.0",), (2, 0, 30)),
        ("==2.1.3", "2.0", ("2.0",), (2,)),
        (">=1.3", "2.1", ("2.1",), (2, 1)),
    ],
)
def test_migrated(declared: str, goal: Step, steps: tuple[str, ...], lowest: tuple[int, ...]) -> None:
    found = VersionRange(parse_specifiers(declared), "").migrated(goal)
    assert found.steps == steps
    assert found.exact_lowest == lowest
