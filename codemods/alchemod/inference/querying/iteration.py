"""Loops and comprehensions over the rows of a statement, and what they read of each row."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from alchemod.facts.nodes import walk
from alchemod.inference.area import Area
from alchemod.inference.control.reaching import definitions
from alchemod.inference.querying.executions import Execution, Executions
from alchemod.inference.scoping.scopes import Comprehension
from alchemod.inference.uses.usage import Usage, Uses
from alchemod.inference.values import Place, Statement

Loop: TypeAlias = ast.For | Comprehension

_LISTING: Final = frozenset({"all", "fetchall"})


@dataclass(frozen=True, slots=True)
class RowRead:
    """A read of a row: `row.name` (`key` is the name), `row[0]` (the number), or the item a target unpacks.

    `node` is the expression that gives the item.
    """

    node: ast.expr
    key: str | int


@dataclass(frozen=True, slots=True)
class Iteration:
    """A loop, or a comprehension whose first clause, goes over the rows of a statement.

    `source` is the expression that executes the statement: the iterable of the clause, or what is assigned to the
    `variable` that is iterated over, whose `uses` are all in sight. `reads` are the reads of the rows, None when a row
    is used otherwise. `target` is the name that holds a row (or its only item, for `for x, in rows`). `is_last`: nobody
    reads a variable with the rows once the loop has begun, so that their list may become another one's.
    """

    loop: Loop
    clause: ast.comprehension | ast.For
    execution: Execution
    source: ast.expr
    uses: Uses | None
    target: ast.Name | None
    unpacks: bool
    reads: tuple[RowRead, ...] | None
    is_last: bool = True

    @property
    def is_bare(self) -> bool:
        """Whether each element of what comes out is just what is read of a row, once, and no row is left out."""
        if isinstance(self.loop, ast.DictComp | ast.For) or self.reads is None or isinstance(self.clause, ast.For):
            return False
        plain = len(self.loop.generators) == 1 and not self.clause.ifs and not self.clause.is_async
        return plain and len(self.reads) == 1 and self.loop.elt is self.reads[0].node


_REPEATING: Final = (
    *(ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda),
)


def _above(node: ast.AST, around: Mapping[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while (above := around.get(node)) is not None:
        yield above
        node = above


class Iterations(Area):
    """Which loops and comprehensions go over rows."""

    def of(self, loop: Loop, place: Place) -> Iteration | None:
        """What a loop of `place` goes over first; None when these are no rows of a statement seen here."""
        clause = loop if isinstance(loop, ast.For) else loop.generators[0]
        found = self.source(clause.iter, place)
        if found is None:
            return None
        execution, source, uses = found
        target, unpacks = _target(clause.target)
        reads = self._reads(loop, target, place, unpacks=unpacks) if target is not None else None
        is_last = uses is None or self._is_last(loop, source, uses, place)
        return Iteration(loop, clause, execution, source, uses, target, unpacks, reads, is_last)

    def _is_last(self, loop: Loop, source: ast.expr, uses: Uses, place: Place) -> bool:
        """Whether nothing reads a list of rows after a loop over it, in the same turn of the loops around or a next."""
        around = self.inference.ask(Usage).around(place)
        above = [*_above(loop, around)]
        repeating = {node for node in above if isinstance(node, _REPEATING)}
        if not repeating.issubset(_above(source, around)):
            return False
        tests = [node.test for node in above if isinstance(node, ast.IfExp)]
        end = loop.end_lineno, loop.end_col_offset
        reads = (use.read for use in uses.every)
        return all((read.lineno, read.col_offset) < end or read in tests for read in reads)

    def source(self, iterated: ast.expr, place: Place) -> tuple[Execution, ast.expr, Uses | None] | None:
        """What gives the rows that `iterated` is: see `execution`, `source` and `uses` of :class:`Iteration`."""
        if isinstance(iterated, ast.Name):
            return self._held(iterated, place)
        execution = self.execution(iterated, place)
        return (execution, iterated, None) if execution is not None else None

    def _held(self, name: ast.Name, place: Place) -> tuple[Execution, ast.expr, Uses | None] | None:
        """The list of rows that a variable holds which is assigned once."""
        usage = self.inference.ask(Usage)
        assignment = usage.assignment(name, place)
        if assignment is None:
            return None
        execution = self.execution(assignment.value, place)
        if execution is None or execution.taken not in _LISTING:
            return None
        uses = usage.of(assignment.value, place)
        return execution, assignment.value, uses

    def execution(self, rows: ast.expr, place: Place) -> Execution | None:
        """What gives `rows`: `query.all()`, a Query itself, a result or a list of it."""
        executions = self.inference.ask(Executions)
        answer = self.inference.resolver.value(rows, place)
        if answer is not None and isinstance(answer.value, Statement) and answer.value.style == "query":
            entities = len(answer.value.terms) == 1 and answer.value.terms[0].kind == "entity"
            return Execution(rows, "", answer, answer.value, rows, entities)
        match rows:
            case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]) if name in _LISTING:
                return executions.of(rows, place)
            case ast.Call() | ast.Await():
                return executions.of_result(rows, rows, "", place)
        return None

    def _reads(self, loop: Loop, target: ast.Name, place: Place, *, unpacks: bool) -> tuple[RowRead, ...] | None:
        around = self.inference.ask(Usage).around(place)
        names = self._names(loop, target, place)
        if names is None:
            return None
        found: list[RowRead] = []
        for node in names:
            read = RowRead(node, 0) if unpacks else _read(node, around.get(node))
            if read is None:
                return None
            found.append(read)
        return tuple(found)

    def _names(self, loop: Loop, target: ast.Name, place: Place) -> list[ast.Name] | None:
        """The reads of the name that holds a row; None where something else may be read there, or it is bound again."""
        root = place.scope.root
        if isinstance(loop, ast.For):
            return self._names_of_variable(loop, target, place)
        scope = root.find(loop)
        if scope is None:
            return None
        names = [node for node in walk(loop) if isinstance(node, ast.Name) and node.id == target.id]
        names = [node for node in names if node is not target and root.innermost(node).owner(node.id) is scope]
        return names if all(isinstance(node.ctx, ast.Load) for node in names) else None

    def _names_of_variable(self, loop: ast.For, target: ast.Name, place: Place) -> list[ast.Name] | None:
        root, binding = place.scope.root.node, place.scope.binding_of.get(target)
        if not isinstance(root, ast.Module) or binding is None or not place.scope.is_function:
            return None
        found: list[ast.Name] = []
        for node in walk(place.scope.node):
            if isinstance(node, ast.Name) and node.id == target.id and not isinstance(node.ctx, ast.Store):
                seen = definitions(root, node)
                if binding in seen.sites:
                    if seen.sites != {binding} or seen.captured or not seen.exact or not isinstance(node.ctx, ast.Load):
                        return None
                    found.append(node)
        return found


def _target(target: ast.expr) -> tuple[ast.Name | None, bool]:
    """The name a clause binds, and whether it stands for the only item of a row."""
    match target:
        case ast.Name():
            return target, False
        case ast.Tuple(elts=[ast.Name() as item]) | ast.List(elts=[ast.Name() as item]):
            return item, True
    return None, False


def _read(row: ast.Name, parent: ast.AST | None) -> RowRead | None:
    match parent:
        case ast.Attribute(attr=name, ctx=ast.Load()):
            return RowRead(parent, name)
        case ast.Subscript(value=value, slice=ast.Constant(value=int(index)), ctx=ast.Load()) if value is row:
            return RowRead(parent, index)
    return None
