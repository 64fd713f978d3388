"""Which schema a table is in: its own, or the default one of its MetaData.

SQLAlchemy 1.4 to 2.1: "Specifying a Default Schema Name with MetaData".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from alchemod.facts.lookup import External
from alchemod.facts.module import Module, last_name
from alchemod.facts.nodes import walk
from alchemod.facts.tables import Table
from alchemod.inference.area import Area
from alchemod.inference.uses.parents import parents_in
from alchemod.inference.values import Answer, ModelClass


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema; `name` is None for the one that the database takes by itself."""

    name: str | None


@dataclass(frozen=True, slots=True)
class DefaultSchema:
    """A `MetaData(schema=...)` of the project; `name` is None when the schema is no literal."""

    path: Path
    line: int
    name: str | None


class Schemas(Area):
    """Answers about the tables of a project."""

    @cached_property
    def defaults(self) -> tuple[DefaultSchema, ...]:
        """Every MetaData of the project that has a default schema."""
        return tuple(self._defaults())

    def around(self, path: Path, node: ast.expr) -> Schema | None:
        """The schema of the table in whose declaration an expression stands; None when it is not known."""
        around = parents_in(self.inference.project.tree(path))
        module = self.inference.project.facts(path)
        below: ast.AST = node
        while module is not None and (parent := around.get(below)) is not None:
            below = parent
            match parent:
                case ast.Call() if last_name(parent) == "Table":
                    return self._of(self.inference.project.tables.declared(parent, module))
                case ast.ClassDef(name=name):
                    return self._of_class(path, parent, name)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    return None
        return None

    def in_blank_schema(self, name: str) -> list[Table]:
        """The tables of this name that are declared to be in no schema, whatever their MetaData says."""
        found = []
        for table in self.inference.project.tables.named(name):
            keywords = table.call.keywords if table.call is not None else []
            if any(one.arg == "schema" and last_name(one.value) == "BLANK_SCHEMA" for one in keywords):
                found.append(table)
        return found

    def _of_class(self, path: Path, node: ast.ClassDef, name: str) -> Schema | None:
        answer = self.inference.value(path, ast.copy_location(ast.Name(name, ast.Load()), node))
        match answer:
            case Answer(value=ModelClass(model=model)):
                return self._of(self.inference.project.tables.of(model))
        return None

    def _of(self, table: Table | None) -> Schema | None:
        if table is None or table.has_unseen_schema:
            return None
        if table.schema is not None:
            return Schema(table.schema)
        return None if self.defaults else Schema(None)

    def _defaults(self) -> Iterator[DefaultSchema]:
        project = self.inference.project
        for path, tree in project.trees_mentioning("MetaData"):
            module = project.facts(path)
            for node in walk(tree):
                if isinstance(node, ast.Call) and last_name(node) == "MetaData" and module is not None:
                    yield from self._default(node, module)

    def _default(self, call: ast.Call, module: Module) -> Iterator[DefaultSchema]:
        given = next((keyword.value for keyword in call.keywords if keyword.arg == "schema"), None)
        definition = self.inference.project.lookup.expression(module, call.func)
        if given is None or not isinstance(definition, External) or definition.canonical != "MetaData":
            return
        match given:
            case ast.Constant(value=None):
                return
            case ast.Constant(value=str(name)):
                yield DefaultSchema(module.path, call.lineno, name)
            case _:
                yield DefaultSchema(module.path, call.lineno, None)
