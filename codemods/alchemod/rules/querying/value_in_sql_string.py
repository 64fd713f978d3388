"""ALC216: a value that is put into SQL as text becomes a bound parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from alchemod.edits.verbs import Code, Verb, add_argument, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.sql.binding import BoundSql, Parameter, bound_sql
from alchemod.inference.sql.execution import EXECUTING
from alchemod.inference.sql.positions import is_several, marked, takes_no_parameters
from alchemod.inference.sql.sources import MAKERS, RAW, Filled, SqlSource, SqlSources
from alchemod.inference.sql.strings import SqlString
from alchemod.inference.sql.tokens import tokens


class ValueInSqlString(Rule):
    """Makes a bound parameter of a value that is put into SQL as text.

    What it does:
        Finds SQL in `text()` and `execute()` whose values are put in by an f-string, `%`, `.format()` or `+`. The value
        becomes a parameter, the quotes around it go, a pattern of LIKE is bound whole, and a list for IN becomes an
        expanding parameter.

    Why:
        Whoever decides about the value decides about the statement: a quote in it ends the string, and what follows is
        executed (SQL injection). A name like O'Brien breaks the statement without any bad intent.

    Example:
        ```python
        def users(session: Session, name):
            return session.execute(text(f"SELECT id FROM users WHERE name = '{name}'")).all()
        ```

    Use instead:
        ```python
        def users(session: Session, name):
            return session.execute(
                text("SELECT id FROM users WHERE name = :name"), {"name": name}
            ).all()
        ```

    Fix safety:
        Always unsafe: a bound value keeps its type, so that None, booleans, dates and numbers in quotes may compare in
        another way than their text did. A report when the string is built elsewhere or in several steps, when it holds
        several statements, when a value has a format of its own, and when a list may be one value. Constants, numbers,
        members of an Enum and names of the code's own are left alone, as are DDL and PRAGMA, which take no parameters.
        ALC217 looks at names.

    References:
        - https://docs.sqlalchemy.org/en/20/core/sqlelement.html#sqlalchemy.sql.expression.text
        - https://docs.sqlalchemy.org/en/20/core/connections.html#sqlalchemy.engine.Connection.exec_driver_sql
    """

    code = "ALC216"
    names = (*MAKERS, *EXECUTING, RAW)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may get a text of SQL."""
        place = ctx.place(call)
        sources = ctx.ask(SqlSources)
        source = sources.of(call, place) if place is not None else None
        if source is None:
            return
        for string in source.strings:
            values = [filled for filled in sources.filled(string) if _is_value(filled)]
            if values and not takes_no_parameters(marked(string.parts)):
                yield self._judged(source, string, values, ctx)

    def _judged(self, source: SqlSource, string: SqlString, values: list[Filled], ctx: Context) -> Finding:
        shown = ", ".join(dict.fromkeys(ast.unparse(filled.gap.hole.value) for filled in values))
        message = f"text from {shown} is put into the SQL, where whatever it holds is read as SQL (injection)"
        missing = _why_not(source, string)
        bound = None
        if missing is None:
            code = ctx.source.segment(string.node).decode()
            bound = bound_sql(string, [filled.gap for filled in values], code)
        if not isinstance(bound, BoundSql):
            return self.report(source.call, message, missing=missing or bound, given=[source.receiver])
        unsafe = "a bound value keeps its type: None, booleans, dates and quoted numbers may compare in another way"
        if source.maker != "literal_column":
            return self.fix(source.call, message, *_edits(source, bound), given=[source.receiver], unsafe=unsafe)
        if (literal := _literal(source, string, bound)) is None:
            missing = "literal_column() takes no parameters"
            return self.report(source.call, message, missing=missing, given=[source.receiver])
        return self.fix(source.call, message, literal, given=[source.receiver], unsafe=unsafe)


def _is_value(filled: Filled) -> bool:
    positions = {"value", "quoted", "list"}
    return filled.gap.position in positions and filled.origin in {"unknown", "outside", "guarded"}


def _why_not(source: SqlSource, string: SqlString) -> str | None:
    """Why the values of a string cannot become parameters here."""
    if not string.is_whole:
        return f"the text is put together in several steps, {ast.unparse(string.node)} among them"
    if string.variable is not None:
        return f"the string is built elsewhere and read from {string.variable.id}"
    if is_several(marked(string.parts)):
        return "the text holds several statements, which not every driver takes with parameters"
    if source.execution is not None and source.is_raw and source.execution.is_connection:
        if source.execution.method.attr == RAW:
            return "how the driver writes its parameters is not known"
        if source.execution.parameters or any(sign in marked(string.parts) for sign in ":%"):
            return "the driver reads the text, and text() would read `:` and `%` in another way"
    return None


def _literal(source: SqlSource, string: SqlString, bound: BoundSql) -> Verb | None:
    """`literal()` with the value in quotes that the text is; None where the text is more."""
    pieces = list(tokens(marked(string.parts)))
    if len(pieces) > 1 or len(source.call.args) > 1 or source.call.keywords:
        return None
    (parameter,) = bound.parameters
    value = parameter.value if parameter.is_original else Code(ast.unparse(parameter.value))
    return swap(source.call, "{sqlalchemy.literal}({value})", value=value)


def _edits(source: SqlSource, bound: BoundSql) -> Iterator[Verb]:
    """The literal with its parameters, and their values: as the parameters of the execution, else bound at once."""
    holes: dict[str, Any] = {
        f"value_{index}": parameter.value if parameter.is_original else Code(ast.unparse(parameter.value))
        for index, parameter in enumerate(bound.parameters)
    }
    text = "{sqlalchemy.text}({literal})" if source.is_raw else "{literal}"
    execution = source.execution
    listed = any(parameter.is_list for parameter in bound.parameters)
    if execution is not None and not listed and not execution.parameters and not execution.call.keywords:
        pairs = ", ".join(f'"{parameter.name}": {{{hole}}}' for parameter, hole in _with_holes(bound, holes))
        yield swap(source.argument, text, literal=Code(bound.code))
        yield add_argument(execution.call, f"{{{{{pairs}}}}}", **holes)
        return
    lists_first = sorted(_with_holes(bound, holes), key=lambda pair: not pair[0].is_list)
    given = ", ".join(_bound(parameter, hole) for parameter, hole in lists_first)
    if source.is_raw:
        yield swap(source.argument, f"{text}.bindparams({given})", literal=Code(bound.code), **holes)
    else:
        yield swap(source.argument, text, literal=Code(bound.code))
        yield swap(source.call, f"{{_}}.bindparams({given})", **holes)


def _with_holes(bound: BoundSql, holes: dict[str, Any]) -> Iterator[tuple[Parameter, str]]:
    return zip(bound.parameters, holes, strict=True)


def _bound(parameter: Parameter, hole: str) -> str:
    if parameter.is_list:
        return f'{{sqlalchemy.bindparam}}("{parameter.name}", {{{hole}}}, expanding=True)'
    return f"{parameter.name}={{{hole}}}"
