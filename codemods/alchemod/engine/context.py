"""What a rule may ask: the file in front of it, the project around it, and what inference knows."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.settings.options import Settings
from alchemod.text.source import SourceFile

if TYPE_CHECKING:
    from alchemod.facts.project import Project
    from alchemod.inference import Inference


@dataclass(frozen=True, slots=True)
class Context:
    """One file as a rule sees it. Questions about meaning are methods, each answered by inference."""

    project: Project
    inference: Inference
    path: Path
    source: SourceFile
    tree: ast.Module
    settings: Settings
