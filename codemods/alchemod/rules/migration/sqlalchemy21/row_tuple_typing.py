"""MIG510: rows as tuples, which need no words in SQLAlchemy 2.1."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.uses.absent_rows import AbsentRows
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Outside, Row, Rows, Statement

_OF_COLUMNS: Final = frozenset(
    {
        *("Select", "CompoundSelect", "TypedReturnsRows", "ReturningInsert", "ReturningUpdate", "ReturningDelete"),
        *("FromStatement", "RowReturningQuery", "Row", "Result", "CursorResult", "FrozenResult", "IteratorResult"),
        *("ChunkedIteratorResult", "MergedResult", "AsyncResult"),
    }
)
"""Classes that SQLAlchemy 2.1 makes generic over the types of several columns."""
_OF_ROW: Final = ("t", "tuple", "_t", "_tuple")
_OF_RESULT: Final = ("t", "tuples")


class RowTupleTyping(Rule):
    """Drops what turned rows into tuples for type checkers.

    What it does:
        `Select[Tuple[int, str]]` becomes `Select[int, str]`, as do `Row`, `Result` and the like. `row.t`,
        `row.tuple()`, `result.tuples()` and `query.tuples()` become the row, the result, the query.

    Why:
        In SQLAlchemy 2.1 a row is a tuple for type checkers, of the types that `Select[...]` lists. The words that said
        so before warn, or mean something else.

    Example:
        ```python
        def first(session: Session):
            row = session.execute(select(User.id, User.name)).one()
            number, name = row._tuple()
            return number, name
        ```

    Use instead:
        ```python
        def first(session: Session):
            row = session.execute(select(User.id, User.name)).one()
            number, name = row
            return number, name
        ```

    Fix safety:
        Safe for annotations, and for what is seen to be a row or a result: each of the words gives the object itself.
        `query.tuples()` becomes `query.only_return_tuples(True)` where a single entity would come without its row.
        Unsafe when a column of the row may be called so, and when the row may be None. `Tuple[int, ...]` is a report.
        The new forms need SQLAlchemy 2.1.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
    """

    code = "MIG510"
    names = (*sorted(_OF_COLUMNS), *_OF_ROW, "tuples")
    since = "2.1"
    min_version = "2.1"

    def find_Subscript(self, node: ast.Subscript, ctx: Context) -> Iterator[Finding]:
        """Looks at one `Select[Tuple[...]]`."""
        match node:
            case ast.Subscript(value=ast.Name() | ast.Attribute() as generic, slice=ast.Subscript() as inner):
                pass
            case _:
                return
        answer = ctx.value(generic) if _last(generic) in _OF_COLUMNS and _last(inner.value) in _TUPLES else None
        if answer is None or not isinstance(answer.value, Outside) or answer.value.canonical not in _OF_COLUMNS:
            return
        kind = answer.value.canonical
        message = f"{kind}[...] takes the types of the columns themselves in SQLAlchemy 2.1"
        listed = inner.slice.elts if isinstance(inner.slice, ast.Tuple) else [inner.slice]
        if not listed or any(isinstance(one, ast.Constant) and one.value is ... for one in listed):
            missing = f"how many there are; for any number write {kind}[Unpack[{ast.unparse(inner)}]]"
            yield self.report(node, message, missing=missing, given=[answer])
            return
        holes: dict[str, Any] = {f"type{number}": one for number, one in enumerate(listed)}
        edit = swap(node, f"{{generic}}[{', '.join(f'{{{name}}}' for name in holes)}]", generic=generic, **holes)
        yield self.fix(node, message, edit, given=[answer])

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at one `row.t`, or at `row.tuple` and the like where it is called."""
        if not isinstance(node.ctx, ast.Load) or node.attr not in {*_OF_ROW, *_OF_RESULT}:
            return
        answer = ctx.value(node.value)
        if answer is None or not isinstance(answer.value, Row | Rows | Statement):
            return
        call = _called(node, ctx)
        if (call is None) != (node.attr in {"t", "_t"}):
            return
        whole = call or node
        message = f"{node.attr} is not needed in SQLAlchemy 2.1, where a row is a tuple"
        edit = swap(whole, "{row}", row=node.value)
        match answer.value:
            case Row(statement=statement) if node.attr in _OF_ROW:
                named = _may_name(statement, node.attr)
                if named is True:
                    return
                unsafe = f"whether a column is called {node.attr}" if named is None else self._absent(node, ctx)
                yield self.fix(whole, message, edit, given=[answer], unsafe=unsafe)
            case Rows(scalars=False, mappings=False) if node.attr in _OF_RESULT:
                yield self.fix(whole, message, edit, given=[answer])
            case Statement(style="query") as statement if node.attr == "tuples":
                if len(statement.terms) < 2:
                    edit = swap(whole, "{query}.only_return_tuples(True)", query=node.value)
                yield self.fix(whole, message, edit, given=[answer])

    def _absent(self, node: ast.Attribute, ctx: Context) -> str | None:
        """Why reading the attribute may raise where reading the row does not."""
        place = ctx.place(node)
        if place is None or ctx.ask(AbsentRows).may_be_absent(node.value, place):
            return f"whether the row may be None, which has no {node.attr}"
        return None


_TUPLES: Final = frozenset({"Tuple", "tuple"})


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _called(node: ast.Attribute, ctx: Context) -> ast.Call | None:
    """The call without arguments of a method."""
    place = ctx.place(node)
    parent = ctx.ask(Usage).around(place).get(node) if place is not None else None
    match parent:
        case ast.Call(func=func, args=[], keywords=[]) if func is node:
            return parent
    return None


def _may_name(statement: Statement, name: str) -> bool | None:
    """Whether a column of a row is called so; None when not all columns are known."""
    if statement.style == "text" or not statement.terms:
        return None
    told: bool | None = False
    for term in statement.terms:
        match term.node:
            case ast.Call(func=ast.Attribute(attr="label"), args=[ast.Constant(value=label)]):
                if label == name:
                    return True
            case ast.Attribute(attr=key):
                if key == name:
                    return True
            case _ if term.kind != "entity":
                told = None
    return told
