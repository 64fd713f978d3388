"""MIG106: parameters of `execute()` that SQLAlchemy 2.0 takes in one argument only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.edits.verbs import Verb, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.versions import parse_release
from alchemod.inference.names.literals import Literals
from alchemod.inference.uses.flowing import Flowing
from alchemod.inference.values import Answer, Engine, Method, Statement, TableObject


class ExecuteParameters(Rule):
    """Puts the parameters of `Connection.execute()` into one dictionary or one list.

    What it does:
        Replaces `execute(statement, x=1)` by `execute(statement, {"x": 1})`, several dictionaries by a list of them,
        and values by position by a dictionary with the columns of the table. On the way to 2.1 guards lists that may be
        empty.

    Why:
        `Connection.execute()` of SQLAlchemy 2.0 takes one argument for parameters. An empty list inserts a row of
        defaults.

    Example:
        ```python
        def named(name):
            with engine.connect() as connection:
                return connection.execute(text("select id from users where name = :name"), name=name).scalar()
        ```

    Use instead:
        ```python
        def named(name):
            with engine.connect() as connection:
                return connection.execute(
                    text("select id from users where name = :name"), {"name": name}
                ).scalar()
        ```

    Fix safety:
        Safe for keywords and for several dictionaries. Unsafe for values by position, which rest on the columns seen
        here, and for the guard, which leaves out the row of defaults on purpose. A report for lists of dictionaries
        with different keys, of which the first decides, and for positions whose columns are not seen.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#execute-method-more-strict-execution-options-are-more-prominent
        - https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Connection.execute
    """

    code = "MIG106"
    names = ("execute",)
    since = "1.4"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of `execute`."""
        match call.func:
            case ast.Attribute(value=receiver, attr="execute") if call.args and len(call.args) + len(call.keywords) > 1:
                answer = ctx.value(receiver)
            case _:
                return
        if answer is None or not isinstance(answer.value, Engine) or _is_text(call.args[0], ctx):
            return
        parameters = [one for one in call.keywords if one.arg not in _OWN]
        if any(isinstance(one, ast.Starred) for one in call.args):
            return
        if parameters and len(call.args) == 1:
            yield self.fix(call, _MESSAGE, *_as_dictionary(parameters), given=[answer])
        elif len(call.args) > 2 and all(map(_is_dictionary, call.args[1:])):
            yield self.fix(call, _MESSAGE, *_as_list(call.args[1:]), given=[answer])
        elif len(call.args) >= 2 and not parameters:
            yield from self._given(call, answer, ctx)

    def _given(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        first = call.args[1]
        if _is_positional(call):
            yield from self._by_position(call, answer, ctx)
        elif len(call.args) > 2:
            missing = "whether they are the sets of several rows or the values of one; write one list"
            yield self.report(call, _MESSAGE, missing=missing, given=[answer])
        elif isinstance(first, ast.List) and _is_ragged(first):
            message = "the first dictionary decides which columns are written; keys of the others are dropped or missed"
            yield self.report(call, message, missing="one set of keys in all of them", given=[answer])
        elif isinstance(first, ast.Name) and parse_release(ctx.goal) >= (2, 1):
            yield from self._maybe_empty(call, first, answer, ctx)

    def _by_position(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        columns = _columns(call.args[0], ctx)
        values = call.args[1].elts if isinstance(call.args[1], ast.Tuple | ast.List) else call.args[1:]
        if columns is None or len(columns) < len(values):
            missing = "the columns of the table; write a dictionary"
            yield self.report(call, _MESSAGE, missing=missing, given=[answer])
            return
        holes: dict[str, Any] = {f"value{number}": value for number, value in enumerate(values)}
        named = ", ".join(f'"{name}": {{{hole}}}' for name, hole in zip(columns, holes, strict=False))
        edits: list[Verb] = [swap(call.args[1], f"{{{{{named}}}}}", **holes), *map(drop, call.args[2:])]
        unsafe = "whether the table has other columns in the database"
        yield self.fix(call, _MESSAGE, *edits, given=[answer], unsafe=unsafe)

    def _maybe_empty(self, call: ast.Call, rows: ast.Name, answer: Answer, ctx: Context) -> Iterator[Finding]:
        statement = ctx.ask(Flowing).parent(ctx.path, call)
        inserts = ctx.value(call.args[0])
        is_insert = inserts is not None and isinstance(inserts.value, Statement) and inserts.value.style == "insert"
        if not is_insert or not isinstance(statement, ast.Expr) or _is_guarded(statement, rows, ctx):
            return
        if not ctx.ask(Literals).may_be_empty_list(ctx.path, rows):
            return
        message = f"if {rows.id} is empty, this inserts a row of defaults; SQLAlchemy 2.1 warns, later versions raise"
        edit = swap(statement, "if {rows}:\n    {call}", rows=rows.id, call=call)
        yield self.fix(call, message, edit, given=[answer], unsafe="whether the row of defaults is meant")


_MESSAGE: Final = "execute() takes its parameters in one argument in SQLAlchemy 2.0"
_OWN: Final = frozenset({"parameters", "execution_options", "statement", "object_"})


def _is_text(node: ast.expr, ctx: Context) -> bool:
    """Whether a statement is a plain string, which is another rule's."""
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
        return True
    literal = ctx.ask(Literals).of(ctx.path, node)
    return literal is not None


def _as_dictionary(parameters: list[ast.keyword]) -> Iterator[Verb]:
    first, *others = parameters
    if not others and first.arg is None:
        yield swap(first, "{value}", value=first.value)
        return
    holes: dict[str, Any] = {f"value{number}": one.value for number, one in enumerate(parameters)}
    parts = (
        f'"{one.arg}": {{{hole}}}' if one.arg else f"**{{{hole}}}" for one, hole in zip(parameters, holes, strict=True)
    )
    yield swap(first, f"{{{{{', '.join(parts)}}}}}", **holes)
    yield from map(drop, others)


def _as_list(sets: list[ast.expr]) -> Iterator[Verb]:
    holes: dict[str, Any] = {f"set{number}": one for number, one in enumerate(sets)}
    yield swap(sets[0], f"[{', '.join(f'{{{hole}}}' for hole in holes)}]", **holes)
    yield from map(drop, sets[1:])


def _is_dictionary(node: ast.expr) -> bool:
    return isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and ast.unparse(node.func) == "dict")


def _is_positional(call: ast.Call) -> bool:
    first = call.args[1]
    if isinstance(first, ast.Tuple):
        return len(call.args) == 2 and not any(isinstance(one, ast.Dict | ast.Starred) for one in first.elts)
    return isinstance(first, ast.Constant) and not isinstance(first.value, type(None))


def _columns(statement: ast.expr, ctx: Context) -> list[str] | None:
    """The columns of the table that an INSERT without values fills."""
    match statement:
        case ast.Call(func=ast.Attribute(value=table, attr="insert"), args=[], keywords=[]):
            answer = ctx.value(table)
        case ast.Call(args=[table], keywords=[]):
            answer = ctx.value(table)
        case _:
            return None
    match answer:
        case Answer(value=TableObject(table=table_facts)) if table_facts.is_whole:
            return list(table_facts.columns)
        case Answer(value=Method()):
            return None
    return None


def _is_ragged(rows: ast.List) -> bool:
    keys = [
        frozenset(key.value if isinstance(key, ast.Constant) else None for key in one.keys)
        for one in rows.elts
        if isinstance(one, ast.Dict)
    ]
    return len(keys) == len(rows.elts) and len(set(keys)) > 1 and all(None not in one for one in keys)


def _is_guarded(statement: ast.stmt, rows: ast.Name, ctx: Context) -> bool:
    """Whether the statement stands in an `if` that speaks of the rows."""
    outer = ctx.ask(Flowing).parent(ctx.path, statement)
    while outer is not None and not isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
        if isinstance(outer, ast.If) and any(isinstance(n, ast.Name) and n.id == rows.id for n in ast.walk(outer.test)):
            return True
        outer = ctx.ask(Flowing).parent(ctx.path, outer)
    return False
