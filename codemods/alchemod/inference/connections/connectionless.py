"""Statements that an engine executes itself: what becomes of the result, and where a connection can be opened.

SQLAlchemy 1.4, "Connectionless Execution, Implicit Execution".
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alchemod.inference.area import Area
from alchemod.inference.resolving.functions import enclosing_function
from alchemod.inference.uses.flowing import Flowing
from alchemod.inference.uses.parents import parents_of
from alchemod.inference.uses.result_spans import FACTS, FETCHING, PASSING, last_use
from alchemod.inference.values import Answer, Statement, Term

_CONSUMING: Final = frozenset(
    {"list", "tuple", "set", "dict", "sorted", "sum", "len", "bool", "int", "str", "frozenset"}
)
_AGGREGATES: Final = frozenset({"count", "sum", "min", "max", "avg", "coalesce", "lower", "upper", "length"})
_NAMES: Final = ("connection", "conn", "own_connection")
_VALUES: Final = ("value", "found", "result_value")
_STATEMENTS: Final = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return)


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement that an engine executes.

    `only_reads`: it is a SELECT of columns and known aggregates. `consumed_whole`: the statement does nothing but take
    the rows. `hoisted` is the expression that has to be evaluated before the statement, None when the whole statement
    can stand in the block. `last` is the statement up to which a variable with the result is used, None when it is
    `statement` itself. `name` is a free name for the connection, `value_name` one for the value. `obstacle` says why
    there can be no block.
    """

    statement: ast.stmt
    only_reads: bool = False
    consumed_whole: bool = True
    hoisted: ast.expr | None = None
    name: str = ""
    value_name: str = ""
    obstacle: str = ""
    last: ast.stmt | None = None


class Connectionless(Area):
    """Questions about calls of `engine.execute()` and `engine.scalar()`."""

    def of(self, path: Path, call: ast.Call) -> Execution:
        """What is known of the execution by `call`."""
        whole = self._consumed(path, call)
        statement = self._statement(path, call)
        if statement is None:
            return Execution(ast.Pass(), obstacle="it is evaluated where no block can stand")
        if whole is None:
            return self._unconsumed(path, call, statement)
        name, value_name = self.name(path, call), self._free(path, call, _VALUES)
        if not name or not value_name:
            return Execution(statement, obstacle="the names for the connection are taken")
        reads = bool(call.args) and self.only_reads(path, call.args[0])
        outer = self._widened(path, whole)
        if isinstance(statement, _STATEMENTS) and _is_value_of(statement, outer):
            return Execution(statement, reads, outer is whole or reads, None, name, value_name)
        if _is_first(statement, outer):
            return Execution(statement, reads, True, outer, name, value_name)
        return Execution(statement, obstacle="other parts of the statement are evaluated before it")

    def only_reads(self, path: Path, node: ast.expr) -> bool:
        """Whether a statement is a SELECT that calls no function that may write."""
        match self.inference.value(path, node):
            case Answer(value=Statement(style="select", terms=terms, steps=steps)):
                locks = any(name == "with_for_update" for name, _ in steps)
                return bool(terms) and not locks and all(map(_reads, terms))
        return False

    def _unconsumed(self, path: Path, call: ast.Call, statement: ast.stmt) -> Execution:
        name = self.name(path, call)
        taken = "" if name else "the names for the connection are taken"
        reads = bool(call.args) and self.only_reads(path, call.args[0])
        match self.inference.ask(Flowing).parent(path, call):
            case ast.Expr():
                return Execution(statement, False, True, None, name, obstacle=taken)
            case ast.For(iter=source) if source is call:
                return Execution(statement, reads, False, None, name, obstacle=taken)
            case ast.Assign(targets=[ast.Name(id=variable)]) as assignment:
                last = self._last_use(path, assignment, variable)
                if last is not None:
                    return Execution(statement, reads, False, None, name, obstacle=taken, last=last)
        return Execution(statement, obstacle="where the rows are fetched is not seen; fetch them here")

    def _last_use(self, path: Path, assignment: ast.Assign, variable: str) -> ast.stmt | None:
        place = self.inference.place(path, assignment)
        function = enclosing_function(place.scope) if place is not None else None
        if place is None or (owner := place.scope.owner(variable)) is None or owner is not function:
            return None
        return last_use(assignment, variable, owner.node, parents_of(self.inference.project.tree(path)))

    def _consumed(self, path: Path, call: ast.Call) -> ast.expr | None:
        """The expression that takes all rows of the result, None when they are taken later."""
        flowing = self.inference.ask(Flowing)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "scalar":
            return call
        current: ast.expr = call
        while True:
            outer = flowing.parent(path, current)
            match outer:
                case ast.Attribute(attr=name) if name in FACTS:
                    return outer
                case ast.Attribute(attr=name):
                    taker = flowing.parent(path, outer)
                    if not (isinstance(taker, ast.Call) and taker.func is outer):
                        return None
                    if name in FETCHING:
                        return taker
                    if name not in PASSING:
                        return None
                    current = taker
                case ast.Call(func=ast.Name(id=name), args=[argument]) if argument is current and name in _CONSUMING:
                    return outer
                case ast.comprehension(iter=source) if source is current:
                    around = flowing.parent(path, outer)
                    is_whole = isinstance(around, ast.ListComp | ast.SetComp | ast.DictComp)
                    first = is_whole and around.generators[0] is outer  # type: ignore[union-attr]
                    return around if first and isinstance(around, ast.expr) and not _calls(around) else None
                case _:
                    return None

    def _widened(self, path: Path, node: ast.expr) -> ast.expr:
        """The expression around that only converts, indexes or reads the value."""
        flowing = self.inference.ask(Flowing)
        while True:
            outer = flowing.parent(path, node)
            match outer:
                case ast.Subscript(value=value, slice=ast.Constant() | ast.Slice()) if value is node:
                    node = outer
                case ast.Call(func=ast.Name(id=name), args=[value], keywords=[]) if (
                    value is node and name in _CONSUMING
                ):
                    node = outer
                case ast.Attribute(value=value) if value is node:
                    node = outer
                case _:
                    return node

    def _statement(self, path: Path, node: ast.AST) -> ast.stmt | None:
        """The statement whose block or head a node stands in; None in lambdas, comprehensions and class bodies."""
        flowing = self.inference.ask(Flowing)
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            outer = flowing.parent(path, current)
            if isinstance(outer, ast.Lambda | ast.GeneratorExp):
                return None
            if isinstance(outer, ast.ListComp | ast.SetComp | ast.DictComp) and not _is_first_source(outer, current):
                return None
            current = outer
        return current

    def name(self, path: Path, node: ast.expr) -> str:
        """A name for a new connection that nothing around `node` has; "" when all that are tried are taken."""
        return self._free(path, node, _NAMES)

    def _free(self, path: Path, call: ast.expr, names: tuple[str, ...]) -> str:
        """The first of the names that the scope and those inside it do not know yet; "" when they know all."""
        place = self.inference.place(path, call)
        if place is None:
            return ""
        known = {name for inner in place.scope.within() for name in (*inner.bindings, *inner.reads)}
        return next((one for one in names if one not in known and place.scope.owner(one) is None), "")


def _reads(term: Term) -> bool:
    if term.kind in {"entity", "column"}:
        return True
    node = term.node
    while (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"label", "distinct"}
    ):
        node = node.func.value
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="func") | ast.Attribute(attr="func"), attr=name)):
            return name in _AGGREGATES
    return False


def _calls(comprehension: ast.expr) -> bool:
    """Whether a comprehension calls something for its rows, which may need a connection, too."""
    parts = [comprehension.elt] if isinstance(comprehension, ast.ListComp | ast.SetComp) else []
    if isinstance(comprehension, ast.DictComp):
        parts = [comprehension.key, comprehension.value]
    return any(isinstance(inner, ast.Call) for part in parts for inner in ast.walk(part))


def _is_first_source(comprehension: ast.ListComp | ast.SetComp | ast.DictComp, part: ast.AST) -> bool:
    return comprehension.generators[0] is part


def _is_value_of(statement: ast.stmt, node: ast.expr) -> bool:
    return getattr(statement, "value", None) is node and not isinstance(
        getattr(statement, "target", None), ast.Subscript
    )


def _is_first(statement: ast.stmt, node: ast.expr) -> bool:
    """Whether a node is what a statement evaluates first, once."""
    match statement:
        case ast.If(test=test) | ast.Assert(test=test):
            current: ast.expr | None = test
        case ast.For(iter=source):
            current = source
        case ast.Assign(value=value) | ast.Return(value=value) | ast.Expr(value=value):
            current = value
        case _:
            return False
    while current is not None:
        if current is node:
            return True
        match current:
            case ast.BoolOp(values=[first, *_]) | ast.Compare(left=first) | ast.BinOp(left=first):
                current = first
            case ast.UnaryOp(operand=first) | ast.Subscript(value=first) | ast.Attribute(value=first):
                current = first
            case ast.IfExp(test=first) | ast.Starred(value=first):
                current = first
            case ast.Call(func=ast.Name(), args=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
                current = next((part for part in parts if not isinstance(part, ast.Name | ast.Constant)), None)
            case ast.Call(func=ast.Attribute(value=first)):
                current = first
            case _:
                return False
    return False
