"""Which names other files take from a file that imports them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from weakref import WeakKeyDictionary

from alchemod.facts.module import Module, imported
from alchemod.facts.nodes import walk
from alchemod.facts.project import Project

_STAR = re.compile(rb"\bimport\s*\*")
_known_imports: WeakKeyDictionary[Module, frozenset[tuple[str, str | None]]] = WeakKeyDictionary()
"""By the facts of a file, which are made anew when it changes."""


def is_taken(project: Project, path: Path, name: str) -> bool:
    """Whether another file of the project may take the name from this one, or names it in a string.

    By `from shop.views import closing`, a star import, `views.closing`, `getattr(views, "closing")` or
    `mock.patch("shop.views.closing")`.
    """
    facts = project.facts(path)
    if facts is None or _is_starred(project, facts):
        return True
    dotted = f"{facts.name.rpartition('.')[2]}.{name}".encode()
    attribute = re.compile(rb"\.\s*%(name)b\b|([\"'])%(name)b\1" % {b"name": re.escape(name.encode())})
    for other in project.files_mentioning(name):
        if other == path:
            continue
        data = project.source(other).utf8
        if dotted in data or _takes(project, other, name, facts, as_attribute=bool(attribute.search(data))):
            return True
    return False


def _is_starred(project: Project, wanted: Module) -> bool:
    """Whether another file imports all names of a module."""
    for other in project.files_mentioning(wanted.name.rpartition(".")[2]):
        if _STAR.search(project.source(other).utf8):
            facts = project.facts(other)
            if facts is None or wanted.name in facts.stars:
                return True
    return False


def _takes(project: Project, path: Path, name: str, wanted: Module, *, as_attribute: bool) -> bool:
    """Whether a file imports the name from the module `wanted`, or, `as_attribute`, the module itself."""
    facts = project.facts(path)
    if facts is None:
        return True
    return any(
        (module == wanted.name and taken == name) or (as_attribute and wanted.name in (module, f"{module}.{taken}"))
        for module, taken in _imports(project, facts)
    )


def _imports(project: Project, facts: Module) -> frozenset[tuple[str, str | None]]:
    """What the imports of a file take, in functions too: a module, or a module and a name of it."""
    if facts not in _known_imports:
        nodes = (node for node in walk(project.tree(facts.path)) if isinstance(node, ast.Import | ast.ImportFrom))
        bindings = (binding for node in nodes for _, binding in imported(facts, node))
        _known_imports[facts] = frozenset((binding.module, binding.name) for binding in bindings)
    return _known_imports[facts]
