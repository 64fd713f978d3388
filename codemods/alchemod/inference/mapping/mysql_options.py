"""Options of tables that only the MySQL dialect heeds: under a URL of MariaDB they are called otherwise.

("MySQL and MariaDB", Using MariaDB-only mode.)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from alchemod.facts.module import last_name
from alchemod.facts.nodes import walk
from alchemod.inference.area import Area

OPTIONS: Final = ("mysql_engine", "mysql_charset", "mysql_collate", "mysql_row_format")


@dataclass(frozen=True, slots=True)
class MysqlOption:
    """An option that a table is given, and where."""

    option: str
    path: Path
    line: int
    column: int

    def in_tree(self, tree: ast.Module) -> ast.AST:
        """The node of the option in the tree of its file, the tree itself when it is not there any more."""
        found = (node for node in _options(tree) if (node.lineno, node.col_offset) == (self.line, self.column))
        return next(found, tree)


class MysqlOptions(Area):
    """The options that the tables of a project are given."""

    @cached_property
    def first(self) -> MysqlOption | None:
        """The first one without its counterpart for MariaDB, in the order of the files; revisions do not count."""
        project = self.inference.project
        for path, tree in project.trees_mentioning(*OPTIONS):
            if not project.in_scope(path) or project.is_revision(path):
                continue
            for node in _options(tree):
                return MysqlOption(_name(node), path, node.lineno, node.col_offset)
        return None


def _options(tree: ast.Module) -> Iterator[ast.keyword | ast.Constant]:
    """The options in calls of `Table()` and in `__table_args__`, where there is none for MariaDB beside."""
    for node in walk(tree):
        found: list[ast.keyword | ast.Constant] = []
        match node:
            case ast.Call(keywords=keywords) if last_name(node) == "Table":
                found = list(keywords)
            case ast.Assign(targets=[ast.Name(id="__table_args__")], value=value):
                found = [one for one in walk(value) if isinstance(one, ast.Constant)]
        if not any(_name(one).startswith("mariadb_") for one in found):
            yield from (one for one in found if _name(one) in OPTIONS)


def _name(node: ast.keyword | ast.Constant) -> str:
    name = node.arg if isinstance(node, ast.keyword) else node.value
    return name if isinstance(name, str) else ""
