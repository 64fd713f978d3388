"""A rule whose whole knowledge is a table: names of SQLAlchemy that are spelled otherwise by now, or live elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from alchemod.edits.verbs import Verb, reimport, rename, swap
from alchemod.engine.rule import Rule
from alchemod.facts.versions import parse_release
from alchemod.inference.names.imported import Imported, ImportedName

if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding


@dataclass(frozen=True, slots=True)
class Renamed:
    """One row of a table: `old` is called `new` by now, both dotted.

    `since` is the lowest SQLAlchemy that has the new name; the row is not used for a goal below it. `new` may be empty:
    then there is no successor, and `instead` says what to do. `unsafe` is a reason why the new name is not the same in
    all respects.
    """

    old: str
    new: str = ""
    since: str = "1.4"
    is_module: bool = False
    """Whether it is a module, so that what lies in it moves too."""
    unsafe: str | None = None
    instead: str = ""

    def applied(self, dotted: str) -> str | None:
        """The new name of `dotted`: of `old` itself or of something in it; None when the row does not speak of it."""
        if dotted == self.old:
            return self.new
        inside = self.is_module and dotted.startswith(f"{self.old}.")
        if not inside:
            return None
        return self.new + dotted.removeprefix(self.old) if self.new else ""


def last_names(table: Sequence[Renamed]) -> tuple[str, ...]:
    """The identifiers by which a rule with this table is to be dispatched."""
    return tuple(sorted({row.old.rpartition(".")[2] for row in table}))


class RenamedNames(Rule):
    """Finds the names of `table` where they are imported and where they are read as attributes of a module.

    An import is changed with all uses of what it binds; where strings, `__all__` or other files may rely on the old
    name, the new one is imported under it. A name that a star import brings is renamed where that brings the new one,
    too, else reported. Nothing is said where the code binds the name in several ways (`try` one import, `except
    ImportError` another): it chooses already.
    """

    table: ClassVar[Sequence[Renamed]] = ()

    def find_ImportFrom(self, node: ast.ImportFrom, ctx: Context) -> Iterator[Finding]:
        """Looks at `from module import name`."""
        origin = ctx.ask(Imported).origin(ctx.path, node)
        if origin is None:
            return
        moved: dict[str, list[tuple[ast.alias, Renamed, str]]] = {}
        for alias in node.names:
            row, new = self._row(f"{origin}.{alias.name}", ctx)
            if row is not None:
                moved.setdefault(new.rpartition(".")[0], []).append((alias, row, new))
        for group in moved.values():
            yield from self._import(node, group, ctx)

    def find_Import(self, node: ast.Import, ctx: Context) -> Iterator[Finding]:
        """Looks at `import module`."""
        for alias in node.names:
            row, new = self._row(alias.name, ctx)
            imported = ctx.ask(Imported).name(ctx.path, node, alias) if row is not None else None
            if row is None or imported is None:
                continue
            if not new:
                yield self.report(alias, _message(row, alias.name, new))
            elif alias.asname is not None:
                yield self.fix(alias, _message(row, alias.name, new), rename(alias, new), unsafe=row.unsafe)
            elif _parent(row.old) == _parent(row.new):
                uses = [use for use in self._attributes(ctx.tree, row, ctx) if _root(use) in imported.uses]
                edits = [rename(alias, new), *(rename(use, _last(row.new)) for use in uses)]
                yield self.fix(alias, _message(row, alias.name, new), *edits, unsafe=row.unsafe)
            else:
                yield self.report(alias, _message(row, alias.name, new))

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at `module.name`."""
        if not isinstance(node.ctx, ast.Load) or isinstance(node.value, ast.Call):
            return
        if ctx.ask(Imported).meaning(ctx.path, node.value) is None:
            return  # a module of the project that keeps the name
        dotted = ctx.ask(Imported).meaning(ctx.path, node)
        row, new = self._row(dotted or "", ctx)
        if row is None or dotted != row.old or (row.is_module and _imports_module(ctx.tree, row.old)):
            return
        message = _message(row, dotted, new)
        if not new:
            yield self.report(node, message)
            return
        edit = rename(node, _last(new)) if _parent(dotted) == _parent(new) else swap(node, f"{{{new}}}")
        yield self.fix(node, message, edit, unsafe=row.unsafe, min_version=row.since)

    def find_Name(self, node: ast.Name, ctx: Context) -> Iterator[Finding]:
        """Looks at a name that a star import may have brought."""
        if isinstance(node.ctx, ast.Load) and ctx.ask(Imported).is_starred(ctx.path, node):
            dotted = ctx.ask(Imported).meaning(ctx.path, node)
            row, new = self._row(dotted or "", ctx)
            if row is None or dotted is None:
                return
            missing = "it comes from a star import"
            if _parent(new) == _parent(dotted) and not ctx.ask(Imported).is_bound(ctx.path, node, _last(new)):
                edit = rename(node, _last(new))
                yield self.fix(node, _message(row, dotted, new), edit, unsafe=missing, min_version=row.since)
            else:
                yield self.report(node, _message(row, dotted, new), missing=missing)

    def _row(self, dotted: str, ctx: Context) -> tuple[Renamed | None, str]:
        """The row that speaks of a dotted name, and the new name."""
        for row in _candidates(self.table, dotted):
            if parse_release(ctx.goal) >= parse_release(row.since):
                new = row.applied(dotted)
                if new is not None:
                    return row, new
        return None, ""

    def _import(
        self, node: ast.ImportFrom, group: Sequence[tuple[ast.alias, Renamed, str]], ctx: Context
    ) -> Iterator[Finding]:
        """The finding for aliases of one statement that get the same module."""
        changed: list[tuple[ast.alias, str, str]] = []
        edits: list[Verb] = []
        messages: list[str] = []
        for alias, row, new in group:
            imported = ctx.ask(Imported).name(ctx.path, node, alias)
            if imported is None or imported.chosen:
                continue
            message = _message(row, f"{node.module}.{alias.name}", new)
            if not new:
                yield self.report(alias, message)
                continue
            local = self._local(alias, new, imported, ctx)
            if local != imported.name:
                edits += [rename(use, local) for use in imported.uses]
            changed.append((alias, new, local))
            messages.append(message)
        if changed:
            since = max((row.since for _, row, _ in group), key=parse_release)
            unsafe = next((row.unsafe for _, row, _ in group if row.unsafe), None)
            edits += _moves(node, changed, ctx)
            yield self.fix(changed[0][0], "; ".join(messages), *edits, unsafe=unsafe, min_version=since)

    @staticmethod
    def _local(alias: ast.alias, new: str, imported: ImportedName, ctx: Context) -> str:
        """What the file will call the thing: its new name, unless the old one has to stay or the new one is taken."""
        wanted = _last(new)
        if alias.asname is not None or wanted == imported.name or ctx.ask(Imported).must_stay(imported):
            return imported.name
        return wanted if ctx.ask(Imported).is_free(wanted, new, imported) else imported.name

    @staticmethod
    def _attributes(tree: ast.Module, row: Renamed, ctx: Context) -> Iterator[ast.Attribute]:
        """The attributes in a file that are the module of a row."""
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(attr=name) if name == _last(row.old):
                    if ctx.ask(Imported).meaning(ctx.path, node) == row.old:
                        yield node


def _candidates(table: Sequence[Renamed], dotted: str) -> Iterator[Renamed]:
    return (row for row in table if dotted.startswith(row.old))


def _moves(node: ast.ImportFrom, changed: Sequence[tuple[ast.alias, str, str]], ctx: Context) -> Iterator[Verb]:
    """The edits that take names out of a statement and import others.

    At the top of a file they join the other imports of their module; elsewhere, and next to a comment or other code,
    they stay where they are.
    """
    if node in ctx.tree.body and not _has_neighbours(node, ctx):
        for alias, new, local in changed:
            yield reimport(alias, node, new, local=local)
        return
    module = _parent(changed[0][1])
    if len(changed) == len(node.names) and all(alias.name == _last(new) for alias, new, _ in changed):
        yield rename(node, module)
        return
    moved = {id(alias) for alias, _, _ in changed}
    kept = ", ".join(_listed(alias.name, alias.asname) for alias in node.names if id(alias) not in moved)
    taken = ", ".join(_listed(_last(new), local if local != _last(new) else None) for _, new, local in changed)
    if module == node.module:
        listed = [*((alias.name, alias.asname) for alias in node.names if id(alias) not in moved)]
        listed += [(_last(new), local if local != _last(new) else None) for _, new, local in changed]
        yield swap(node, f"from {module} import {', '.join(_listed(*one) for one in listed)}")
    else:
        parts = [f"from {name} import {listed}" for name, listed in ((node.module, kept), (module, taken)) if listed]
        yield swap(node, "\n".join(sorted(parts)))


def _has_neighbours(node: ast.ImportFrom, ctx: Context) -> bool:
    """Whether a comment or other code stands on the lines of a statement."""
    lines = ctx.source.text.splitlines()[node.lineno - 1 : node.end_lineno]
    return any("#" in line or ";" in line for line in lines)


def _listed(name: str, asname: str | None) -> str:
    return f"{name} as {asname}" if asname and asname != name else name


def _imports_module(tree: ast.Module, module: str) -> bool:
    """Whether a file has `import module`, or imports a module below it, in this way."""
    return any(
        isinstance(node, ast.Import)
        and any(alias.name == module or alias.name.startswith(f"{module}.") for alias in node.names)
        for node in ast.walk(tree)
    )


def _message(row: Renamed, old: str, new: str) -> str:
    if not new:
        return f"{old} is gone in SQLAlchemy {max(row.since, '2.0')}: {row.instead}"
    return f"{old} is an old name of {new}"


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _parent(dotted: str) -> str:
    return dotted.rpartition(".")[0]


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]
