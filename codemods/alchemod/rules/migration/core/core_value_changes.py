"""MIG212: divisions of whole numbers, and UUID columns of PostgreSQL, which give other values in SQLAlchemy 2.0."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import add_argument, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.lookup import External
from alchemod.facts.module import last_name
from alchemod.facts.project import Project
from alchemod.inference.mapping.numbers import INTEGERS, Numbers
from alchemod.inference.uses.usage import Usage
from alchemod.inference.values import Answer, Outside

_DIVISION = "a division of whole numbers gives a fraction in SQLAlchemy 2.0, and gave a whole number before"
_UUID = "UUID of PostgreSQL gives uuid.UUID objects in SQLAlchemy 2.0, and gave texts before"


class CoreValueChanges(Rule):
    """Keeps values that SQLAlchemy 2.0 would change without a word.

    What it does:
        A division of two integer columns becomes `//`. A `UUID` of `sqlalchemy.dialects.postgresql` without `as_uuid`
        gets `as_uuid=False`.

    Why:
        SQLAlchemy 2.0 divides 5 by 2 to 2.5 on every database, 1.4 to 2 on most. Its `UUID` has `as_uuid=True` where it
        was False: texts become objects, which compare and serialise in other ways.

    Example:
        ```python
        def dozens(session):
            return session.query(User.id / 12).all()
        ```

    Use instead:
        ```python
        def dozens(session):
            return session.query(User.id // 12).all()
        ```

    Fix safety:
        Unsafe: the code may have been written for the new values already. A report when only one side of a division is
        known to be an integer column.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/whatsnew_20.html#change-4926
        - https://docs.sqlalchemy.org/en/20/dialects/postgresql.html#sqlalchemy.dialects.postgresql.UUID
    """

    code = "MIG212"
    names = ("UUID", "count", "sum")
    since = "2.0"
    min_version = "2.0"

    def names_from(self, project: Project) -> Iterable[str]:
        """The attributes that are integer columns."""
        for model in project.models.all():
            for attribute in model.attributes.values():
                if attribute.kind == "column" and _looks_whole(attribute.call):
                    yield attribute.name
        for module in project.modules():
            yield from _columns_of_tables(module.bindings.values())

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at a column in a division, and at `postgresql.UUID`."""
        yield from self._uuid(node, ctx)
        yield from self._division(node, ctx)

    def find_Name(self, node: ast.Name, ctx: Context) -> Iterator[Finding]:
        """Looks at `UUID`."""
        yield from self._uuid(node, ctx)

    def _division(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        start = ctx.source.line_starts[node.lineno - 1]
        end = ctx.source.utf8.find(b"\n", start)
        place = ctx.place(node) if b"/" in ctx.source.utf8[start : end if end >= 0 else None] else None
        if place is None:
            return
        around, numbers = ctx.ask(Usage).around(place), ctx.ask(Numbers)
        below: ast.AST = node
        while isinstance(parent := around.get(below), ast.expr):
            match parent:
                case ast.BinOp(op=ast.Div(), left=left, right=right):
                    kinds = {numbers.kind(left, place), numbers.kind(right, place)}
                    if "other" in kinds or not _is_first(node, parent, numbers, ctx):
                        return
                    if kinds == {"integer"}:
                        edit = swap(parent, "{left} // {right}", left=left, right=right)
                        unsafe = "the code may expect the fraction already"
                        yield self.fix(parent, _DIVISION, edit, unsafe=unsafe)
                    elif "integer" in kinds and numbers.is_sql(left if _is_whole(left, numbers, ctx) else right, place):
                        yield self.report(parent, _DIVISION, missing="the type of one operand is not known")
                    return
            below = parent

    def _uuid(self, node: ast.Name | ast.Attribute, ctx: Context) -> Iterator[Finding]:
        callee, place = ctx.value(node), ctx.place(node)
        match callee:
            case Answer(value=Outside(definition=External(name=dotted, canonical="UUID"))) if ".postgresql" in dotted:
                pass
            case _:
                return
        parent = ctx.ask(Usage).around(place).get(node) if place is not None else None
        unsafe = "the code may expect uuid.UUID objects already"
        match parent:
            case ast.Call(func=func, args=[], keywords=keywords) if func is node:
                if not any(keyword.arg in {"as_uuid", None} for keyword in keywords):
                    edit = add_argument(parent, "as_uuid=False")
                    yield self.fix(parent, _UUID, edit, given=[callee], unsafe=unsafe, min_version="1.4")
            case ast.Call(args=arguments) if node in arguments:
                if last_name(parent) not in {"isinstance", "issubclass"}:
                    edit_class = swap(node, "{_}(as_uuid=False)")
                    yield self.fix(node, _UUID, edit_class, given=[callee], unsafe=unsafe, min_version="1.4")


def _looks_whole(call: ast.Call | None) -> bool:
    """Whether a column may be one of whole numbers: a cheap look."""
    return call is None or any(last_name(argument) in INTEGERS for argument in call.args)


def _columns_of_tables(bindings: Iterable[object]) -> Iterator[str]:
    """The names of integer columns in `Table(...)` at module level."""
    for group in bindings:
        for binding in group if isinstance(group, list) else ():
            value = getattr(binding, "value", None)
            if isinstance(value, ast.Call) and last_name(value) == "Table":
                for column in value.args:
                    if isinstance(column, ast.Call) and column.args and _looks_whole(column):
                        name = column.args[0]
                        if isinstance(name, ast.Constant) and isinstance(name.value, str):
                            yield name.value


def _is_whole(node: ast.expr, numbers: Numbers, ctx: Context) -> bool:
    place = ctx.place(node)
    return place is not None and numbers.kind(node, place) == "integer"


def _is_first(node: ast.Attribute, division: ast.BinOp, numbers: Numbers, ctx: Context) -> bool:
    """Whether a column is the first integer of a division, so that the division is told once."""
    inside = [one for one in ast.walk(division) if isinstance(one, ast.Attribute) and _is_whole(one, numbers, ctx)]
    first = min(inside, key=lambda one: (one.lineno, one.col_offset, -(one.end_col_offset or 0)), default=None)
    return first is node
