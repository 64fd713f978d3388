"""Which rule sees which node: one walk per file, only through statements where a name occurs that a rule asked for."""

from __future__ import annotations

import ast
import traceback
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from alchemod.engine.context import Context
from alchemod.engine.failure import Failure
from alchemod.engine.finding import Finding
from alchemod.engine.places import span, units
from alchemod.engine.registry import Registry
from alchemod.facts.lines import any_between, first_line, nodes_near
from alchemod.facts.nicknames import nicknames
from alchemod.text.source import SourceFile
from alchemod.text.words import mentioned_lines

if TYPE_CHECKING:
    from alchemod.facts.project import Project

Handler = Callable[[ast.AST, Context], Iterable[Finding]]

Concerned = Mapping[str, Sequence[int]]
"""Rules by code, each with the lines, in order, on which one of its names occurs."""


class Dispatcher:
    """The rules of a run, by node class and by the names they ask for."""

    def __init__(self, registry: Registry, codes: Iterable[str], project: Project) -> None:
        self.failures: list[Failure] = []
        self._registry = registry
        self._handler = cache(self._find_handler)
        self._tokens: dict[str, tuple[bytes, ...]] = {}
        self._asking: dict[bytes, list[str]] = {}
        self._named: dict[type[ast.AST], dict[str, list[str]]] = {ast.Call: {}, ast.Attribute: {}, ast.Name: {}}
        self._lined: dict[type[ast.AST], list[str]] = {}
        self._nicknames = nicknames(project)
        for code in sorted(codes):
            self._add(code, project)
        self._kinds = frozenset(self._named) | frozenset(self._lined)
        self.wanted = frozenset(self._asking)

    def _add(self, code: str, project: Project) -> None:
        entry = self._registry[code]
        names = set(entry.names)
        if entry.dynamic:
            try:
                names.update(self._registry.rule(code).names_from(project))
            except Exception as error:
                self.failures.append(_failure(None, None, code, error))
        names |= {local for name in names for local in self._nicknames.get(name, ())}
        self._tokens[code] = tuple(token.encode() for token in entry.tokens)
        for name in names:
            self._asking.setdefault(name.encode(), []).append(code)
        for kind in entry.kinds:
            node_class = getattr(ast, kind)
            if node_class in self._named:
                for name in names:
                    self._named[node_class].setdefault(name, []).append(code)
            else:
                self._lined.setdefault(node_class, []).append(code)

    def concerned(self, source: SourceFile) -> Concerned:
        """The rules that may find something in a file, going by the words and tokens in it."""
        lines: dict[str, set[int]] = {}
        for name, mentioned in mentioned_lines(source.utf8, self.wanted).items():
            for code in self._asking[name]:
                lines.setdefault(code, set()).update(mentioned)
        return {code: sorted(found) for code, found in lines.items() if self._has_token(code, source.utf8)}

    def _has_token(self, code: str, data: bytes) -> bool:
        tokens = self._tokens[code]
        return not tokens or any(token in data for token in tokens)

    def find(self, ctx: Context, concerned: Concerned, within: frozenset[str] | None = None) -> Iterator[Finding]:
        """The findings of the rules `concerned` in one file; what goes wrong is added to `failures`, one row per rule.

        `within` keeps to the functions of these dotted names.
        """
        lines = sorted({line for lines in concerned.values() for line in lines})
        if within is not None:
            lines = sorted(_lines_within(ctx.tree, within, lines))
        if not lines:
            return
        failed: set[str] = set()
        for node in nodes_near(ctx.tree, lines):
            if type(node) not in self._kinds:
                continue
            for code in self._asked(node, concerned):
                try:
                    yield from self._handler(code, type(node).__name__)(node, ctx)
                except Exception as error:
                    if code not in failed:
                        failed.add(code)
                        self.failures.append(_failure(ctx, node, code, error))

    def _asked(self, node: ast.AST, concerned: Concerned) -> Iterable[str]:
        """The rules that asked for a node."""
        node_class = type(node)
        if (by_name := self._named.get(node_class)) is not None:
            return [code for code in by_name.get(_name(node), ()) if code in concerned]
        if (codes := self._lined.get(node_class)) is not None:
            return [code for code in codes if _touches(node, concerned.get(code, ()))]
        return ()

    def _find_handler(self, code: str, kind: str) -> Handler:
        handler: Handler = getattr(self._registry.rule(code), f"find_{kind}")
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


def _touches(node: ast.AST, lines: Sequence[int]) -> bool:
    """Whether one of the lines belongs to the node, decorators included; the module owns all lines."""
    if isinstance(node, ast.Module):
        return bool(lines)
    first, _, last, _ = span(node)
    return any_between(lines, first_line(node) if isinstance(node, ast.stmt) else first, last)


def _failure(ctx: Context | None, node: ast.AST | None, code: str, error: Exception) -> Failure:
    line = getattr(node, "lineno", None)
    said = str(error).strip().partition("\n")[0]
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    message = f"the rule failed here and was passed over: {reason}"
    return Failure(ctx.path if ctx else None, line, code, "rule", message, traceback.format_exc())
