"""What an import binds in its scope: which names read it, and who else may rely on what it is called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alchemod.facts.lookup import External
from alchemod.facts.taken import is_taken
from alchemod.inference.area import Area
from alchemod.inference.scoping.scopes import reads_of
from alchemod.inference.values import Outside, Place


@dataclass(frozen=True, slots=True)
class ImportedName:
    """A name that an import binds. `uses` are the places that read it.

    `chosen` says that the scope also binds the name in another way, so that the code chooses between several,
    `repeated` that it binds it more than once.
    """

    name: str
    place: Place
    uses: Sequence[ast.Name]
    chosen: bool
    repeated: bool


class Imported(Area):
    """Answers about the imports of a project."""

    def origin(self, path: Path, statement: ast.ImportFrom) -> str | None:
        """The dotted name of the library module that a `from` import takes names from; None for one of the project."""
        place = self.inference.place(path, statement)
        if statement.level or statement.module is None or place is None:
            return None
        module = self.inference.project.lookup.module(statement.module, place.module)
        return module.name if isinstance(module, External) else None

    def meaning(self, path: Path, node: ast.expr) -> str | None:
        """The dotted name of the thing of a library that a name or attribute stands for; None for anything else."""
        answer = self.inference.value(path, node)
        return answer.value.definition.name if answer is not None and isinstance(answer.value, Outside) else None

    def is_starred(self, path: Path, node: ast.Name) -> bool:
        """Whether a name that is read comes from a star import."""
        place = self.inference.place(path, node)
        owner = place.scope.owner(node.id) if place is not None else None
        return place is not None and owner is None and bool(place.module.stars)

    def is_bound(self, path: Path, node: ast.Name, name: str) -> bool:
        """Whether the file itself gives `name` a meaning where another name is read."""
        place = self.inference.place(path, node)
        return place is None or place.scope.owner(name) is not None

    def name(self, path: Path, statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> ImportedName | None:
        """What one alias of an import statement binds; None when the name lives in another scope."""
        place = self.inference.place(path, statement)
        local = alias.asname or alias.name.partition(".")[0]
        if place is None or local not in place.scope.bindings:
            return None
        bindings = place.scope.bindings[local]
        same = all(isinstance(one.node, ast.alias) and _taken_from(one.statement, one.node) for one in bindings)
        origins = {_taken_from(one.statement, one.node) for one in bindings if isinstance(one.node, ast.alias)}
        chosen = not same or len(origins) > 1
        uses = reads_of(local, place.scope)
        return ImportedName(local, place, uses, chosen, len(bindings) > 1)

    def is_free(self, name: str, to: str, imported: ImportedName) -> bool:
        """Whether `name` can stand for `to` in the scope of an import and at all uses of the old name."""
        scope = imported.place.scope
        owner = scope.owner(name)
        if owner is None and any(name in inner.reads for inner in scope.within()):
            return False
        if owner is not None and not all(_imports(one.statement, one.node, to) for one in owner.bindings[name]):
            return False
        return all(scope.innermost(use).owner(name) is owner for use in imported.uses)

    def must_stay(self, imported: ImportedName) -> bool:
        """Whether strings, comments that give types, `__all__` or other files may rely on the name."""
        local, place, path = imported.name, imported.place, imported.place.module.path
        if imported.repeated:
            return True
        source = self.inference.project.source(path)
        word = re.compile(rb"\b" + re.escape(local.encode()) + rb"\b")
        if any(word.search(comment) for comment in re.findall(rb"#\s*type:[^\r\n]*", source.utf8)):
            return True
        if any(word.search(text.encode()) for text in _texts(place.scope.node)):
            return True
        if place.scope.parent is not None:
            return isinstance(place.scope.node, ast.ClassDef)
        listed = "__all__" in place.module.bindings and (place.module.exports is None or local in place.module.exports)
        return listed or path.name == "__init__.py" or is_taken(self.inference.project, path, local)


def _taken_from(statement: ast.Import | ast.ImportFrom | None, alias: ast.alias) -> tuple[str, str]:
    module = (statement.module or "") if isinstance(statement, ast.ImportFrom) else ""
    return module, alias.name


def _imports(statement: ast.Import | ast.ImportFrom | None, alias: ast.AST, to: str) -> bool:
    """Whether an import takes just `to`."""
    return isinstance(alias, ast.alias) and to == ".".join(_taken_from(statement, alias))


def _texts(node: ast.AST) -> Iterator[str]:
    """The strings in some code that may name something: not those that only document it."""
    documenting = {id(inner.value) for inner in ast.walk(node) if isinstance(inner, ast.Expr)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and id(inner) not in documenting:
            yield inner.value
