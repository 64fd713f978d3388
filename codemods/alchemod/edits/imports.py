"""Imports, edited once at the end: added where they belong, removed when nothing refers to them.

What is added goes into an existing ``from module import ...`` at the top of the file, in its layout and its
order, or on a line of its own there, which each name gets where the file has one statement per name: next to
imports of the same package, else with the other imports that are not of the standard library. It never goes into
a ``try`` or ``if TYPE_CHECKING`` block.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from alchemod.edits.ancestry import Ancestry
from alchemod.edits.import_lists import ImportList, ImportStatement, positions
from alchemod.edits.lines import Lines
from alchemod.edits.refusal import Refusal
from alchemod.edits.scopes import Scopes
from alchemod.text.problem import FileError
from alchemod.text.source import SourceFile, parse
from alchemod.text.spans import Replacement, splice

_DEFINITIONS = (b"def ", b"async def ", b"class ", b"@")
"""How a line begins that two blank lines set apart (PEP 8)."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """``from module import name as asname``."""

    module: str
    name: str
    asname: str | None = None

    @property
    def spelled(self) -> str:
        """The name that the import binds."""
        return self.asname or self.name

    @property
    def listed(self) -> str:
        """The item in the list of an import statement."""
        return f"{self.name} as {self.asname}" if self.asname else self.name

    def same_object(self, other: ImportRequest) -> bool:
        """Whether both import the same thing, whatever they call it."""
        return (self.module, self.name) == (other.module, other.name)


def apply_imports(
    source: SourceFile,
    tree: ast.Module,
    requests: Iterable[ImportRequest],
    removable: Collection[str] = (),
    *,
    moved: Collection[ImportRequest] = (),
    line_length: int = 88,
) -> SourceFile:
    """The file with the requested imports, without those that ``moved``, and without what nothing refers to.

    ``removable`` are names that an import binds and edits may have made useless. They stay in an
    ``__init__.py``, in ``__all__``, next to a comment, and when a string of the file mentions them. ``moved`` are
    imports that give way to requested ones. Requests that the file fulfils already change nothing. Raises Refusal
    when the result is not what was asked for.
    """
    editor = _Editor(source, tree, line_length)
    new = sorted({request for request in requests if request not in editor.fulfilled}, key=_order)
    if new:
        editor = editor.edited(editor.added(new), new, [])
    if moved and (gone := editor.matching(moved)):
        editor = editor.edited(editor.removed(gone), [], gone, all_gone=True)
    if removable and source.path.name != "__init__.py" and (gone := editor.unused(removable)):
        editor = editor.edited(editor.removed(gone), [], gone)
    return editor.source


def _order(request: ImportRequest) -> tuple[str, str, str]:
    return request.module, request.name, request.spelled


class _Editor:
    """The imports at the top level of one file."""

    def __init__(self, source: SourceFile, tree: ast.Module, line_length: int) -> None:
        self.source = source
        self._tree = tree
        self._lines = Lines(source)
        self._line_length = line_length
        self._imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        self.fulfilled = {
            ImportRequest(node.module or "", alias.name, alias.asname)
            for node in self._imports
            if isinstance(node, ast.ImportFrom) and not node.level
            for alias in node.names
        }

    def added(self, requests: Sequence[ImportRequest]) -> Iterator[Replacement]:
        """The edits that add imports."""
        if not requests:
            return
        limit = self._first_use({request.spelled for request in requests})
        top = [node for node in self._imports if node.lineno < min(limit, self._first_definition())]
        lines: dict[tuple[int, bool], list[str]] = {}
        for module in sorted({request.module for request in requests}):
            names = [request.listed for request in requests if request.module == module]
            lists = [node for node in top if isinstance(node, ast.ImportFrom) and _extends(node, module)]
            if lists and _has_one_name_each(top):
                yield from self._beside(lists, names)
            elif lists:
                yield from ImportList(lists[0], self._lines).added(names, self._line_length)
            else:
                listed = names if _has_one_name_each(top) else [", ".join(names)]
                lines.setdefault(self._place(module, top), []).extend(f"from {module} import {one}" for one in listed)
        for (line, apart), statements in lines.items():
            yield self._new_lines(line, statements, apart=apart)

    def _beside(self, statements: Sequence[ast.ImportFrom], names: Sequence[str]) -> Iterator[Replacement]:
        """The edits that add one statement per name to those of one module."""
        old = [ImportRequest("", node.names[0].name, node.names[0].asname).listed for node in statements]
        for index, new in positions(old, names):
            at_end = index == len(statements)
            line = statements[-1].end_lineno or 0 if at_end else self._lines.first(statements[index])
            yield self._new_lines(line, [f"from {statements[0].module} import {name}" for name in new], apart=False)

    def _first_use(self, names: Collection[str]) -> int:
        """The first line of top-level code that needs one of the names while the module is imported."""
        scopes = Scopes(ancestry := Ancestry(self._tree))
        used = [node for node in ast.walk(self._tree) if isinstance(node, ast.Name) and node.id in names]
        tops = [[*ancestry.ancestors(node)][-2] for node in used if scopes.runs_at_import(node)]
        return min((self._lines.first(top) + 1 for top in tops if isinstance(top, ast.stmt)), default=sys.maxsize)

    def _first_definition(self) -> int:
        definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        return min((node.lineno for node in self._tree.body if isinstance(node, definitions)), default=sys.maxsize)

    def _place(self, module: str, top: Sequence[ImportStatement]) -> tuple[int, bool]:
        """The line before which an import from a module goes, and whether blank lines set it apart."""
        outside = [node for node in top if not _is_standard(node)]
        family = [node for node in outside if _root(_module(node)) == _root(module)]
        block = family or _first_block([node for node in outside if not getattr(node, "level", 0)])
        before = [node for node in block if _module(node) <= module]
        if before:
            return before[-1].end_lineno or 0, False
        if block:
            return self._lines.first(block[0]), False
        if outside:
            return self._lines.above(self._lines.first(outside[0])), True
        head = top or self._head()
        return (head[-1].end_lineno or 0) if head else self._after_comments(), True

    def _head(self) -> list[ast.stmt]:
        """The docstring."""
        first = self._tree.body[:1]
        return first if ast.get_docstring(self._tree, clean=False) is not None else []

    def _after_comments(self) -> int:
        """The first line that is no comment: after the interpreter line, the encoding, the licence."""
        line = 0
        while self._lines.is_comment(line):
            line += 1
        return line + 1 if line and self._lines.is_blank(line) else line

    def _new_lines(self, line: int, statements: Sequence[str], *, apart: bool) -> Replacement:
        newline = self.source.newline
        text = "".join(statement + newline for statement in statements)
        if apart and line > 0 and not self._lines.is_blank(line - 1):
            text = newline + text
        offset = self._lines.start(line)
        if apart and line < len(self._lines) and not self._lines.is_blank(line):
            text += newline * (2 if self.source.utf8.startswith(_DEFINITIONS, offset) else 1)
        if line >= len(self._lines) and self.source.utf8 and not self.source.utf8.endswith((b"\n", b"\r")):
            text = newline + text.removesuffix(newline)
        return Replacement(offset, offset, text.encode())

    def unused(self, names: Collection[str]) -> list[tuple[ImportStatement, ast.alias]]:
        """The imports of the names that nothing in the file refers to."""
        referred = set(_referred(self._tree, self.source, names))
        return [
            (node, alias)
            for node in self._imports
            for alias in node.names
            if (local := alias.asname or alias.name) in names
            and local not in referred
            and not self._has_neighbours(node)
        ]

    def matching(self, requests: Collection[ImportRequest]) -> list[tuple[ImportStatement, ast.alias]]:
        """The imports at the top level that are one of ``requests``."""
        return [
            (node, alias)
            for node in self._imports
            if isinstance(node, ast.ImportFrom) and not node.level
            for alias in node.names
            if ImportRequest(node.module or "", alias.name, alias.asname) in requests
        ]

    def _has_neighbours(self, node: ImportStatement) -> bool:
        """Whether other code or a comment stands on the lines of an import."""
        start, end = self.source.span(node)
        first, last = self._lines.of(start), self._lines.of(end)
        before = self.source.utf8[self._lines.start(first) : start]
        return bool(before.strip() or self.source.utf8[end : self._lines.start(last + 1)].strip())

    def removed(self, gone: Sequence[tuple[ImportStatement, ast.alias]]) -> Iterator[Replacement]:
        """The edits that take out imports. A statement left without names goes with its lines."""
        for node in {id(node): node for node, _ in gone}.values():
            aliases = [alias for holder, alias in gone if holder is node]
            if len(aliases) < len(node.names):
                yield from ImportList(node, self._lines).without(aliases) or ()
            elif b"#" not in self.source.segment(node):
                start, end = self.source.span(node)
                first, last = self._lines.of(start), self._lines.of(end)
                yield Replacement(self._lines.start(first), self._lines.start(last + 1), b"")

    def edited(
        self,
        edits: Iterable[Replacement],
        new: Sequence[ImportRequest],
        gone: Sequence[tuple[ImportStatement, ast.alias]],
        *,
        all_gone: bool = False,
    ) -> _Editor:
        """An editor of the edited file. Raises Refusal unless it differs by the wanted imports alone.

        Some of ``gone`` may have stayed, next to a comment, unless ``all_gone``.
        """
        result = self.source.with_utf8(splice(self.source.utf8, edits))
        try:
            tree = parse(result)
        except FileError as error:
            raise Refusal(f"the imports could not be edited: {error.message}") from None
        before, after = Counter(_imported(self._tree)), Counter(_imported(tree))
        added = Counter((request.module, request.name, request.asname) for request in new)
        dropped = Counter((_module(node), alias.name, alias.asname) for node, alias in gone)
        same = len(_others(tree)) == len(_others(self._tree))
        lost = before - after
        if not same or after - before != added or lost - dropped or (all_gone and lost != dropped):
            raise Refusal("the imports could not be edited")
        return _Editor(result, tree, self._line_length)


def _has_one_name_each(top: Sequence[ImportStatement]) -> bool:
    """Whether each statement imports one name, and some module so has several statements."""
    lists = [node for node in top if isinstance(node, ast.ImportFrom)]
    repeated = Counter(node.module for node in lists).most_common(1)
    return all(len(node.names) == 1 for node in lists) and bool(repeated) and repeated[0][1] > 1


def _extends(node: ast.ImportFrom, module: str) -> bool:
    return node.module == module and not node.level and node.names[0].name != "*"


def _module(node: ImportStatement) -> str:
    return (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name


def _root(module: str) -> str:
    return module.partition(".")[0]


def _is_standard(node: ImportStatement) -> bool:
    return not getattr(node, "level", 0) and _root(_module(node)) in {*sys.stdlib_module_names, "__future__"}


def _first_block(nodes: Sequence[ImportStatement]) -> list[ImportStatement]:
    """The statements up to the first gap."""
    block: list[ImportStatement] = []
    for node in nodes:
        if block and node.lineno > (block[-1].end_lineno or 0) + 1:
            break
        block.append(node)
    return block


def _referred(tree: ast.Module, source: SourceFile, names: Collection[str]) -> Iterator[str]:
    """The names that code uses, a string mentions or a type comment may hold."""
    words = re.compile(r"[^\W\d]\w*")
    for comment in re.findall(rb"#\s*type:[^\r\n]*", source.utf8):
        yield from words.findall(comment.decode())
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (name for name in names if name in node.value)


def _imported(tree: ast.Module) -> Iterator[tuple[str, str, str | None]]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((_module(node), alias.name, alias.asname) for alias in node.names)


def _others(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
