"""Which rule sees which node: one walk per file, only through statements where a name occurs that a rule asked for."""

from __future__ import annotations

import ast
import traceback
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from alchemod.engine.context import Context
from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.engine.mentions import is_called, mentioned_lines, words
from alchemod.engine.places import first_line, span, units
from alchemod.engine.registry import Registry
from alchemod.facts.nodes import children
from alchemod.text.source import SourceFile

if TYPE_CHECKING:
    from alchemod.facts.project import Project

Handler = Callable[[ast.AST, Context], Iterable[Finding]]


class Dispatcher:
    """The rules of a run, by node class and by the names they ask for."""

    def __init__(self, registry: Registry, codes: Iterable[str], project: Project) -> None:
        self.failures: list[Failure] = []
        self._registry = registry
        self._names: dict[str, frozenset[bytes]] = {}
        self._tokens: dict[str, tuple[bytes, ...]] = {}
        self._calls_only: set[str] = set()
        self._named: dict[type[ast.AST], dict[str, list[str]]] = {ast.Call: {}, ast.Attribute: {}, ast.Name: {}}
        self._lined: dict[type[ast.AST], list[str]] = {}
        for code in sorted(codes):
            self._add(code, project)
        self.wanted = frozenset[bytes]().union(*self._names.values())

    def _add(self, code: str, project: Project) -> None:
        entry = self._registry[code]
        names = set(entry.names)
        if entry.dynamic:
            try:
                names.update(self._registry.rule(code).names_from(project))
            except Exception as error:
                self.failures.append(_failure(None, None, code, error))
        self._names[code] = frozenset(name.encode() for name in names)
        self._tokens[code] = tuple(token.encode() for token in entry.tokens)
        if entry.kinds == ("Call",):
            self._calls_only.add(code)
        for kind in entry.kinds:
            node_class = getattr(ast, kind)
            if node_class in self._named:
                for name in names:
                    self._named[node_class].setdefault(name, []).append(code)
            else:
                self._lined.setdefault(node_class, []).append(code)

    def concerned(self, source: SourceFile) -> frozenset[str]:
        """The rules that may find something in a file, going by the words and tokens in it."""
        present = self.wanted.intersection(words(source))
        return frozenset(code for code in self._names if present and self._may_find(code, source.utf8, present))

    def _may_find(self, code: str, data: bytes, present: frozenset[bytes]) -> bool:
        names = self._names[code] & present
        if not names or (self._tokens[code] and not any(token in data for token in self._tokens[code])):
            return False
        return code not in self._calls_only or is_called(names, data)

    def find(self, ctx: Context, concerned: frozenset[str], within: frozenset[str] | None = None) -> Iterator[Finding]:
        """The findings of the rules `concerned` in one file; what goes wrong is added to `failures`, one row per rule.

        `within` keeps to the functions of these dotted names.
        """
        hits = mentioned_lines(ctx.source, frozenset().union(*(self._names[code] for code in concerned)))
        lines = sorted({line for lines in hits.values() for line in lines})
        if within is not None:
            lines = list(_lines_within(ctx.tree, within, lines))
        if not lines:
            return
        failed: set[str] = set()
        for node in _walk(ctx.tree, lines):
            for code in self._asked(node, hits):
                if code not in concerned:
                    continue
                try:
                    yield from self._handler(code, node)(node, ctx)
                except Exception as error:
                    if code not in failed:
                        failed.add(code)
                        self.failures.append(_failure(ctx, node, code, error))

    def _asked(self, node: ast.AST, hits: dict[bytes, list[int]]) -> Iterable[str]:
        node_class = type(node)
        if (by_name := self._named.get(node_class)) is not None:
            return by_name.get(_name(node), ()) if by_name else ()
        if (codes := self._lined.get(node_class)) is not None:
            return [code for code in codes if any(_touches(node, hits.get(n, ())) for n in self._names[code])]
        return ()

    def _handler(self, code: str, node: ast.AST) -> Handler:
        handler: Handler = getattr(self._registry.rule(code), f"find_{type(node).__name__}")
        return handler


def _name(node: ast.AST) -> str:
    """The last name of a call, an attribute or a name."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _lines_within(tree: ast.Module, names: frozenset[str], lines: list[int]) -> Iterator[int]:
    """Those of the lines that lie in the outermost functions of these dotted names."""
    for name, function in units(tree):
        if name in names:
            first, last = bisect_left(lines, first_line(function)), bisect_right(lines, function.end_lineno or 0)
            yield from lines[first:last]


def _walk(tree: ast.Module, lines: list[int]) -> Iterator[ast.AST]:
    """The nodes of the statements that touch one of the lines, parents first, in source order."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        inside = [child for child in children(node) if _within(child, lines)]
        stack.extend(reversed(inside))


def _within(node: ast.AST, lines: list[int]) -> bool:
    """Whether to walk into a node: always, but into a statement only if it touches one of the lines."""
    return not isinstance(node, ast.stmt) or _any_between(first_line(node), node.end_lineno or 0, lines)


def _touches(node: ast.AST, lines: Sequence[int]) -> bool:
    """Whether one of the lines belongs to the node, decorators included; the module owns all lines."""
    if isinstance(node, ast.Module):
        return bool(lines)
    first, _, last, _ = span(node)
    return _any_between(first_line(node) if isinstance(node, ast.stmt) else first, last, lines)


def _any_between(first: int, last: int, lines: Sequence[int]) -> bool:
    at = bisect_left(lines, first)
    return at < len(lines) and lines[at] <= last


def _failure(ctx: Context | None, node: ast.AST | None, code: str, error: Exception) -> Failure:
    line = getattr(node, "lineno", None)
    said = str(error).strip().partition("\n")[0]
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    message = f"the rule failed here and was passed over: {reason}"
    return Failure(ctx.path if ctx else None, line, code, "rule", message, traceback.format_exc())
