"""What the patterns of a `match` statement capture."""

from __future__ import annotations

import ast
from typing import TypeAlias

from alchemod.facts.nodes import walk
from alchemod.inference.scoping.scopes import Body

Capture: TypeAlias = ast.MatchAs | ast.MatchStar | ast.MatchMapping


def captured(pattern: Capture) -> str | None:
    """The name that a pattern captures what it matches under, None for none."""
    return pattern.rest if isinstance(pattern, ast.MatchMapping) else pattern.name


def subjects_in(unit: Body) -> dict[ast.pattern, tuple[ast.expr, bool]]:
    """The subject of each pattern in a function or module, and whether the pattern is matched with all of it."""
    found: dict[ast.pattern, tuple[ast.expr, bool]] = {}
    for node in (node for node in walk(unit) if isinstance(node, ast.Match)):
        for case in node.cases:
            whole: ast.pattern | None = case.pattern
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.pattern):
                    found[part] = node.subject, part is whole
    return found
