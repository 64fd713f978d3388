"""Constant SQL that a project executes, and what it is in the expression language."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemod.facts.tables import Table, TableColumn
from alchemod.inference.area import Area
from alchemod.inference.sql.execution import Execution, SqlExecutions
from alchemod.inference.sql.naming import table_spelling
from alchemod.inference.sql.strings import constant_text
from alchemod.inference.sql.types import Conversion, conversion
from alchemod.inference.values import Place

if TYPE_CHECKING:
    from alchemod.inference.sql.emitter.statement import Emitted

EXTRA = "it needs sqlglot: install alchemod[sql]"
"""Said where sqlglot is not installed."""
_STATEMENT = re.compile(r"\s*(?:select|insert|update|delete|with)\b", re.IGNORECASE)
_TABLE = re.compile(r"\b(?:from|join|into|update)\s+[\"`]?(?:\w+[\"`]?\.[\"`]?)?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StaticSql:
    """A constant statement that is executed. `node` is what is executed: the `text()` call or the plain string."""

    node: ast.expr
    execution: Execution
    sql: str
    emitted: Emitted | None = None
    missing: str = ""
    holes: Mapping[str, Any] = field(default_factory=dict)
    """What fills the holes of the template: the values of parameters, the code of classes and tables."""
    inlined: bool = False
    """Whether the values of all parameters are part of the statement, so that the argument with them goes."""


class StaticStatements(Area):
    """Constant SQL over the tables of the project."""

    def of(self, call: ast.Call, place: Place) -> StaticSql | None:
        """The constant statement that a call executes; None when there is none, or it speaks of no known table."""
        executions = self.inference.ask(SqlExecutions)
        statement = call.args[0] if call.args else None
        if statement is None:
            return None
        given: ast.expr = statement
        if isinstance(statement, ast.Call):
            if not statement.args or not executions.is_text(statement, place):
                return None
            given = statement.args[0]
        sql = constant_text(given, place, self.inference.resolver)
        if sql is None or not _STATEMENT.match(sql) or not self._speaks_of_tables(sql):
            return None
        execution = executions.of(call, place)
        return self._emitted(StaticSql(statement, execution, sql)) if execution is not None else None

    def _speaks_of_tables(self, sql: str) -> bool:
        return any(self.inference.project.tables.named(name) for name in _TABLE.findall(sql))

    def _emitted(self, static: StaticSql) -> StaticSql:
        try:
            from alchemod.inference.sql.emitter.refusal import RefusedError
            from alchemod.inference.sql.emitter.schema import Schema
            from alchemod.inference.sql.emitter.statement import emit
        except ImportError:
            return _refused(static, EXTRA)
        execution = static.execution
        holes: dict[str, Any] = {}
        values, given = _values(execution)
        naming = _Naming(self, execution, holes)
        schema = Schema(self.inference.project.tables.named, naming.code, self.conversion)
        try:
            emitted = emit(static.sql, schema, values)
        except RefusedError as refused:
            return _refused(static, str(refused))
        if naming.missing:
            return _refused(static, naming.missing)
        taken = next((name for name in emitted.aliases if not _is_free(name, execution.place)), None)
        if taken is not None:
            return _refused(static, f"a table stands twice in it, and the name {taken} of the second is taken here")
        inlined = given is not None
        if not inlined and execution.parameters and emitted.bound and execution.named_parameters:
            return _refused(static, "how its parameters are given is not seen")
        used = {name: value for name, value in (given or {}).items() if name in emitted.bound}
        if inlined and emitted.bound - used.keys():
            return _refused(static, "it has parameters without a value")
        if any(isinstance(value, ast.Constant) and value.value is None for value in used.values()):
            return _refused(static, "a parameter is None, which a comparison makes IS NULL of")
        if any(emitted.template.count(f"{{value_{name}}}") > 1 and not _is_simple(used[name]) for name in used):
            return _refused(static, "the value of a parameter that stands twice would be made twice")
        holes |= {f"value_{name}": value for name, value in used.items()}
        return StaticSql(static.node, execution, static.sql, emitted, holes=holes, inlined=inlined)

    def conversion(self, column: TableColumn) -> Conversion:
        """What the type of a column does to its values."""
        return conversion(column, self.inference.project)


class _Naming:
    """The names of tables at one place, each a hole or an import of the template."""

    def __init__(self, statements: StaticStatements, execution: Execution, holes: dict[str, Any]) -> None:
        self._inference = statements.inference
        self._execution = execution
        self._holes = holes
        self.missing = ""

    def code(self, table: Table) -> str:
        """The template code of a table."""
        found = table_spelling(table, self._execution.call, self._execution.place, self._inference.resolver)
        if found is None or found.cycle:
            self.missing = self.missing or f"no name in scope stands for the table {table.name}"
            return table.name
        if found.imported is not None:
            return f"{{{found.imported}}}"
        self._holes[f"table_{table.name}"] = found.code
        return f"{{table_{table.name}}}"


def _values(execution: Execution) -> tuple[dict[str, str], dict[str, ast.expr] | None]:
    """The holes of the parameters whose values are seen, and these values; None when they are given out of sight."""
    match execution.parameters, execution.named_parameters:
        case ([], []) | ((), []):
            return {}, None
        case [ast.Dict(keys=keys, values=nodes)], []:
            pass
        case _:
            return {}, None
    names = [key.value if isinstance(key, ast.Constant) else None for key in keys]
    if not all(isinstance(name, str) and name.isidentifier() for name in names):
        return {}, None
    given = {str(name): node for name, node in zip(names, nodes, strict=True)}
    return {name: f"{{value_{name}}}" for name in given}, given


def _is_free(name: str, place: Place) -> bool:
    """Whether nothing is called so here."""
    return place.scope.owner(name) is None and name not in place.module.bindings


def _is_simple(node: ast.expr) -> bool:
    """Whether code may be written twice."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name | ast.Constant)


def _refused(static: StaticSql, missing: str) -> StaticSql:
    return StaticSql(static.node, static.execution, static.sql, missing=missing)
