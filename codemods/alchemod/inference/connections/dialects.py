"""Which databases a project speaks of, as far as its files name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from alchemod.facts.module import Module
from alchemod.inference.area import Area

_WITHOUT_EXISTS_COLUMN: Final = re.compile(
    rb"[\"'](?:mssql|oracle)\b|\bdialects(?:\.|\s+import\s[\w, ]*)(?:mssql|oracle)\b"
    rb"|\b(?:pyodbc|pymssql|cx_Oracle|oracledb)\b"
)
"""SQL Server and Oracle: URLs, names of dialects, drivers."""


def _either(names: Iterable[str]) -> bytes:
    return b"|".join(re.escape(name.encode()) for name in names)


class Dialects(Area):
    """The databases of a project."""

    def speaks_of(self, *names: str) -> bool:
        """Whether a file of the project names one of these dialects: in a text such as a URL, or by importing it."""
        found = re.compile(rb"[\"'](?:%s)\b|\bdialects(?:\.|\s+import\s[\w, ]*)(?:%s)\b" % ((_either(names),) * 2))
        return any(found.search(self.inference.project.source(module.path).utf8) for module in self._modules())

    def opens(self, name: str) -> bool:
        """Whether a file of the project names this dialect in a URL: `mariadb://`, `"mariadb+pymysql"`."""
        found = re.compile(rb"[\"']%s(?:\+\w+)?(?:://|[\"'])" % re.escape(name.encode()))
        return any(found.search(self.inference.project.source(module.path).utf8) for module in self._modules())

    def drives(self, name: str) -> bool:
        """Whether a file of the project names this driver in a URL, `postgresql+asyncpg://`, or imports it."""
        found = re.compile(rb"\+%s\b|^\s*(?:import|from)\s+%s\b" % ((re.escape(name.encode()),) * 2), re.MULTILINE)
        return any(found.search(self.inference.project.source(module.path).utf8) for module in self._modules())

    def _modules(self) -> Iterator[Module]:
        return self.inference.project.modules()

    @cached_property
    def without_exists_column(self) -> str | None:
        """Where a database is named that does not take `SELECT EXISTS (...)`, as a sentence; None where none is.

        "Some databases such as SQL Server don't allow an EXISTS expression to be present in the columns clause of a
        SELECT" (`Query.exists`).
        """
        project = self.inference.project
        for path in sorted(module.path for module in project.modules()):
            found = _WITHOUT_EXISTS_COLUMN.search(project.source(path).utf8)
            if found is not None:
                return f"{project.displayed(path)} speaks of SQL Server or Oracle, which do not select an EXISTS"
        return None
