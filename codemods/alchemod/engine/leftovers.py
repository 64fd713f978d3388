"""Imports that the fixes of a run have made useless, taken away once at its end."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from alchemod.edits.refusal import Refusal
from alchemod.facts.taken import is_taken
from alchemod.text.problem import FileError
from alchemod.text.source import SourceFile, parse
from alchemod.text.words import words

if TYPE_CHECKING:
    from alchemod.facts.project import Project


def without_leftovers(project: Project, path: Path, old: SourceFile) -> SourceFile:
    """The file as the project has it now, without the imports that `old` used and it does not use any more.

    An import stays when another file of the project takes the name from this one, or names it after this module in a
    string (`mock.patch("shop.views.closing")`).
    """
    source = project.source(path)
    now = Counter(words(source.utf8))
    rarer = Counter(words(old.utf8)) - now
    try:
        tree = project.tree(path)
        unmentioned = _mentions_in_imports(tree)
        suspects = {n for n in _imported(tree) if n.encode() in rarer or unmentioned[n] == now[n.encode()]}
        if suspects:
            suspects -= _used(tree)
        if not suspects:
            return source
        gone = sorted(suspects & _used(parse(old)))
        useless = [name for name in gone if not is_taken(project, path, name)]
        if not useless:
            return source
        from alchemod.edits.imports import apply_imports

        return apply_imports(source, tree, (), useless)
    except (Refusal, FileError):
        return source


def _imported(tree: ast.Module) -> set[str]:
    """The names that imports at the top of the file bind."""
    statements = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name.partition(".")[0] for node in statements for alias in node.names}


def _mentions_in_imports(tree: ast.Module) -> Counter[str]:
    """How often the imports at the top of the file mention each name."""
    statements = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return Counter(word for node in statements for word in re.findall(r"\w+", ast.unparse(node)))


def _used(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
