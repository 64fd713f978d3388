"""The tables that a statement may speak of, and how the code names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from keyword import iskeyword

from alchemod.facts.tables import Table, TableColumn
from alchemod.inference.sql.emitter.refusal import RefusedError
from alchemod.inference.sql.types import Conversion


@dataclass(frozen=True, slots=True)
class Source:
    """A table in the FROM list: its name in the statement, the table, and its code in a template.

    `alias` is the variable that stands for it where the statement has the table twice.
    """

    name: str
    table: Table
    code: str
    alias: str = ""

    def column(self, column: TableColumn) -> str:
        """The code of one of its columns."""
        if self.table.model is not None:
            return f"{self.code}.{column.key}"
        return f"{self.code}.c.{column.key}" if column.key.isidentifier() else f"{self.code}.c[{column.key!r}]"

    @property
    def whole(self) -> str:
        """The code of all its columns, as the table has them."""
        if self.alias and self.table.model is not None:
            raise RefusedError("all columns of a table that stands twice are not written")
        return f"{self.code}.__table__" if self.table.model is not None else self.code


@dataclass(frozen=True, slots=True)
class Schema:
    """`tables` gives those that a name may mean, `code` the template code of one, `conversion` what a column's type
    does."""

    tables: Callable[[str], list[Table]]
    code: Callable[[Table], str]
    conversion: Callable[[TableColumn], Conversion]

    def table(self, name: str, schema: str) -> Table:
        """The one table of a name. Raises RefusedError when there is none, or several that differ."""
        found = [table for table in self.tables(name) if not table.has_unseen_schema and (table.schema or "") == schema]
        shown = f"{schema}.{name}" if schema else name
        if not found:
            raise RefusedError(f"no table {shown} of the project is seen")
        models = [table for table in found if table.model is not None]
        if len(models or found) > 1:
            raise RefusedError(f"the project has several tables {shown}")
        return (models or found)[0]


@dataclass(slots=True)
class Scope:
    """The tables of one SELECT, and of those around it."""

    schema: Schema
    outer: Scope | None = None
    sources: dict[str, Source] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    """The columns that the SELECT names by AS."""
    refers_outside: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    """The variables that stand for tables which the statement has twice, and the code that makes them."""

    def add(self, table: Table, name: str) -> Source:
        """A table of the FROM list, by its name there. One that the statement has already becomes an alias."""
        name = name or table.name
        if name in self.sources:
            raise RefusedError(f"{name} stands twice in it")
        code, alias = self.schema.code(table), ""
        same = [source for scope in self.around() for source in scope.sources.values() if source.table is table]
        if any(source.name != name for source in same):
            alias, code = self._alias(table, name, code)
        source = self.sources[name] = Source(name, table, code, alias)
        return source

    def _alias(self, table: Table, name: str, code: str) -> tuple[str, str]:
        """The variable for a table that the statement has already, which is also its code."""
        variable = name.lower()
        if name == table.name or variable in self.aliases or not variable.isidentifier() or iskeyword(variable):
            raise RefusedError(f"{table.name} stands twice in it, and {name} is no name for a variable")
        made = (
            f'{code}.alias("{name}")' if table.model is None else f'{{sqlalchemy.orm.aliased}}({code}, name="{name}")'
        )
        self.aliases[variable] = made
        return variable, variable

    def around(self) -> Iterator[Scope]:
        """This scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def column(self, name: str, qualifier: str) -> tuple[Source, TableColumn]:
        """The column that a name means here. Raises RefusedError when none or several do."""
        for scope in self.around():
            sources = [scope.sources[qualifier]] if qualifier in scope.sources else []
            if not qualifier:
                sources = list(scope.sources.values())
            found = [(source, column) for source in sources if (column := source.table.named(name)) is not None]
            if len(found) > 1:
                raise RefusedError(f"{name} is a column of several of its tables")
            if found:
                if scope is not self:
                    self.refers_outside = True
                return found[0]
            if sources and qualifier:
                break
        shown = f"{qualifier}.{name}" if qualifier else name
        raise RefusedError(f"no column {shown} of its tables is seen")
