"""A class in a template: by the name that it has where the template goes, or imported."""

from __future__ import annotations

from typing import Any

from alchemod.edits.verbs import Code
from alchemod.inference.names.spelling import Spelling


def spelled(spelling: Spelling, hole: str) -> tuple[str, dict[str, Any]]:
    """What stands for a class in a template, and the hole to fill, named `hole`; no hole for one that is imported."""
    if spelling.imported is not None:
        return f"{{{spelling.imported}}}", {}
    return f"{{{hole}}}", {hole: Code(spelling.code)}
