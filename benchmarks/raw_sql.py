"""How much of the raw SQL of real projects alchemod can write in the expression language, and whether it is the same.

Every tenth constant SELECT that the corpus and ten more packages pass to `execute()` or `text()` is taken. Of those
whose tables, three at most, are declared in their project with the columns they name, the emitted statement is compiled
by SQLAlchemy for SQLite and PostgreSQL; after normalisation by sqlglot it must be the original.

    python benchmarks/raw_sql.py [--every N] [--show]
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "codemods"), str(ROOT / "tests")]

from corpus import projects, unpacked  # noqa: E402

from bench.installs import installed  # noqa: E402

sys.path.insert(0, str(installed("2.0")))

import sqlalchemy as sa  # noqa: E402
import sqlalchemy.orm  # noqa: E402
from sqlalchemy.dialects import postgresql, sqlite  # noqa: E402
from sqlalchemy.orm import declarative_base  # noqa: E402

from alchemod.facts.project import Project  # noqa: E402
from alchemod.facts.tables import Table, TableColumn  # noqa: E402
from alchemod.inference import Inference  # noqa: E402
from alchemod.inference.sql.emitter.refusal import RefusedError  # noqa: E402
from alchemod.inference.sql.emitter.schema import Schema  # noqa: E402
from alchemod.inference.sql.emitter.statement import emit, tables_of  # noqa: E402
from alchemod.inference.sql.strings import constant_text  # noqa: E402
from alchemod.inference.sql.types import conversion  # noqa: E402
from alchemod.text.discover import discover  # noqa: E402
from bench.normal_sql import normal_form  # noqa: E402

MORE = {
    "aiida-core": "2.9.4",
    "ckan": "2.9.9",
    "datacube": "1.9.9",
    "faradaysec": "5.9.0",
    "galaxy-data": "26.1.2",
    "geoalchemy2": "0.20.0",
    "mcp-contextforge-gateway": "1.1.0",
    "nova": "34.0.0",
    "prefect": "3.9.1",
    "zenml": "0.98.0",
}
"""Packages with raw SQL beside models or tables of SQLAlchemy."""
_MOST_TABLES = 3
_UNDECLARED = ("no column ", "not all columns ")
"""What is said of columns that the declared table does not have: an older revision of it had, or a base that is not
seen."""
_NAME = re.compile(r"\{sqlalchemy\.(?:orm\.)?(\w+)\}")
_DIALECTS = {"sqlite": sqlite.dialect(paramstyle="named"), "postgres": postgresql.dialect(paramstyle="named")}


@dataclass(frozen=True)
class Taken:
    """One constant SELECT: where it stands, and its text."""

    path: Path
    line: int
    sql: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=10, help="take every N-th SELECT (default: 10)")
    parser.add_argument("--show", action="store_true", help="show each statement that is judged")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    position = 0
    for root in [*projects(), *(unpacked(name, release) for name, release in MORE.items())]:
        judge = Judge(root)
        for taken in judge.statements():
            position += 1
            if (position - 1) % options.every:
                continue
            counts["taken"] += 1
            verdict = judge.verdict(taken.sql)
            counts[verdict.partition(":")[0]] += 1
            if verdict.startswith("refused"):
                refusals[verdict.partition(": ")[2]] += 1
            if verdict != "unknown" and (options.show or verdict.startswith("differs")):
                print(
                    f"{taken.path.relative_to(root.parent)}:{taken.line}: {verdict}\n    {' '.join(taken.sql.split())}"
                )
    known = counts["taken"] - counts["unknown"] - counts["undeclared"]
    emitted = counts["equal"] + counts["differs"]
    print(f"{position} constant SELECTs, {counts['taken']} taken, {known} over one to three known tables")
    print(f"{counts['undeclared']} more name columns that their tables are not declared with")
    print(
        f"{emitted} emitted ({emitted / known if known else 0:.0%}), {counts['equal']} of them equal on both dialects"
    )
    for reason, number in refusals.most_common():
        print(f"  refused {number}: {reason}")
    return 0 if known and emitted / known >= 0.7 and not counts["differs"] else 1


class Judge:
    """The statements of one project, judged over the tables that it declares."""

    def __init__(self, root: Path) -> None:
        self.project = Project.load(discover(root, [root]).files, root, "2.0")
        self.inference = Inference(self.project)
        self.names: dict[str, Any] = {}
        self.schema = Schema(self.project.tables.named, self._code, lambda column: conversion(column, self.project))

    def statements(self) -> Iterator[Taken]:
        """The constant SELECTs that are given to something called `execute` or `text`, in order."""
        for path in sorted(self.project.paths):
            if b"execute" not in self.project.source(path).utf8 and b"text(" not in self.project.source(path).utf8:
                continue
            calls = [node for node in ast.walk(self.project.tree(path)) if isinstance(node, ast.Call) and node.args]
            for call in sorted(calls, key=lambda one: (one.lineno, one.col_offset)):
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                place = self.inference.place(path, call) if name in {"execute", "text"} else None
                sql = constant_text(call.args[0], place, self.inference.resolver) if place is not None else None
                if sql is not None and sql.lstrip().lower().startswith("select"):
                    yield Taken(path, call.lineno, sql)

    def verdict(self, sql: str) -> str:
        """`unknown`, `undeclared: why`, `equal`, `differs: how` or `refused: why`."""
        try:
            named = set(tables_of(sql))
        except RefusedError:
            return "unknown"
        if not 1 <= len(named) <= _MOST_TABLES or not all(self._is_known(name) for name in named):
            return "unknown"
        try:
            emitted = emit(sql, self.schema)
        except RefusedError as refused:
            return f"{'undeclared' if str(refused).startswith(_UNDECLARED) else 'refused'}: {refused}"
        columns = {name: [one.name for one in self._table(name).columns.values()] for name in named}
        names: dict[str, Any] = {"sa": _Names(), **self.names}
        for variable, made in emitted.aliases.items():
            names[variable] = eval(_code(made), names)
        statement = eval(_code(emitted.template), names)
        for name, dialect in _DIALECTS.items():
            compiled = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
            if normal_form(sql, name, columns) != normal_form(compiled, name, columns):
                return f"differs: {name}: {' '.join(compiled.split())}"
        return "equal"

    def _is_known(self, name: str) -> bool:
        return len(self._of(name)) == 1

    def _of(self, name: str) -> list[Table]:
        """The tables of a name, those of classes before others: a project may declare one in both ways."""
        tables = self.project.tables.named(name)
        return [table for table in tables if table.model is not None] or tables

    def _table(self, name: str) -> Table:
        return self._of(name)[0]

    def _code(self, table: Table) -> str:
        """A name for a table, which stands for a class or `Table` with the same columns."""
        name = f"{'Model' if table.model is not None else 'table'}_{len(self.names)}"
        known = next((name for name, made in self.names.items() if made.alchemod is table), None)
        if known is None:
            self.names[name] = made = (
                _mapped(table, self._type) if table.model is not None else _core(table, self._type)
            )
            made.alchemod = table
        return known or name

    def _type(self, column: TableColumn) -> Any:
        return sa.Integer() if conversion(column, self.project) == "plain" else sa.types.NullType()


class _Names:
    """SQLAlchemy, whose parameters are compiled as they are written in a text."""

    def __getattr__(self, name: str) -> Any:
        if name == "bindparam":
            return _parameter
        return getattr(sa, name, None) or getattr(sa.orm, name)


def _parameter(name: str, *, expanding: bool = False) -> Any:
    return sa.bindparam(name, [f"parameter {name}"], expanding=True) if expanding else sa.literal_column(f":{name}")


def _code(template: str) -> str:
    """The Python code of a template."""
    return _NAME.sub(r"sa.\1", template).replace("{{", "{").replace("}}", "}")


def _mapped(table: Table, type_of: Callable[[TableColumn], Any]) -> Any:
    columns = {one.key: sa.Column(one.name, type_of(one)) for one in table.columns.values()}
    key = next(iter(columns.values()))
    key.primary_key = True
    return type(f"Of_{table.name}", (declarative_base(),), {"__tablename__": table.name, **columns})


def _core(table: Table, type_of: Callable[[TableColumn], Any]) -> Any:
    columns = [sa.Column(one.name, type_of(one), key=one.key) for one in table.columns.values()]
    return sa.Table(table.name, sa.MetaData(), *columns)


if __name__ == "__main__":
    sys.exit(main())
