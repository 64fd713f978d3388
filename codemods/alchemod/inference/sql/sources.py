"""SQL strings with holes, where they become statements: in `text()`, and where a plain string is executed."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from alchemod.inference.area import Area
from alchemod.inference.sql.execution import Execution, SqlExecutions
from alchemod.inference.sql.origins import Origin, Origins
from alchemod.inference.sql.positions import Gap, gaps
from alchemod.inference.sql.strings import SqlString
from alchemod.inference.values import Answer, Outside, Place

MAKERS = ("text", "literal_column")
"""Functions of SQLAlchemy's that take a text of SQL."""
RAW = "exec_driver_sql"


@dataclass(frozen=True, slots=True)
class SqlSource:
    """A call that takes a text of SQL, and the strings that the text may be.

    `receiver` is the answer about the function or what is asked. `execution` is the execution that the call is, or
    that its result is given to; `is_raw` says that the call executes the plain string itself.
    """

    call: ast.Call
    place: Place
    receiver: Answer
    strings: Sequence[SqlString]
    execution: Execution | None
    is_raw: bool
    maker: str = ""
    """Which of :data:`MAKERS` is called."""

    @property
    def argument(self) -> ast.expr:
        """The text, as the call gets it."""
        return self.call.args[0]


@dataclass(frozen=True, slots=True)
class Filled:
    """A hole of a string, and where the value comes from that fills it."""

    gap: Gap
    origin: Origin


class SqlSources(Area):
    """Where texts of SQL become statements."""

    def of(self, call: ast.Call, place: Place) -> SqlSource | None:
        """The text that a call of one of :data:`MAKERS`, or of a method that executes, gets."""
        if not call.args or isinstance(call.args[0], ast.Constant | ast.Starred):
            return None
        executions = self.inference.ask(SqlExecutions)
        match self.inference.resolver.value(call.func, place):
            case Answer(value=Outside(definition=definition)) as receiver if definition.canonical in MAKERS:
                strings = executions.strings(call.args[0], place)
                execution = executions.executing(call, place) if strings else None
                maker = definition.canonical or ""
                return SqlSource(call, place, receiver, strings, execution, is_raw=False, maker=maker)
        execution = executions.of(call, place)
        if execution is None:
            return None
        strings = executions.strings(execution.statement, place)
        return SqlSource(call, place, execution.receiver, strings, execution, is_raw=True)

    def filled(self, string: SqlString) -> list[Filled]:
        """The holes of a string, each with the origin of its value."""
        origins = self.inference.ask(Origins)
        return [Filled(gap, origins.of(gap.hole.value, string.place)) for gap in gaps(string.parts)]
