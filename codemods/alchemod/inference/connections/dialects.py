"""Which databases a project speaks of, as far as its files name them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Final

from alchemod.inference.area import Area

if TYPE_CHECKING:
    from alchemod.inference import Inference

_WITHOUT_EXISTS_COLUMN: Final = re.compile(
    rb"[\"'](?:mssql|oracle)\b|\bdialects(?:\.|\s+import\s[\w, ]*)(?:mssql|oracle)\b"
    rb"|\b(?:pyodbc|pymssql|cx_Oracle|oracledb)\b"
)
"""SQL Server and Oracle: URLs, names of dialects, drivers."""


def _either(names: Iterable[str]) -> bytes:
    return b"|".join(re.escape(name.encode()) for name in names)


class Dialects(Area):
    """The databases of a project. What is found in its files is kept until one changes."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference)
        self._found: Final[dict[bytes, bool]] = {}

    def speaks_of(self, *names: str) -> bool:
        """Whether a file of the project names one of these dialects: in a text such as a URL, or by importing it."""
        return self._is_found(rb"[\"'](?:%s)\b|\bdialects(?:\.|\s+import\s[\w, ]*)(?:%s)\b" % ((_either(names),) * 2))

    def opens(self, name: str) -> bool:
        """Whether a file of the project names this dialect in a URL: `mariadb://`, `"mariadb+pymysql"`."""
        return self._is_found(rb"[\"']%s(?:\+\w+)?(?:://|[\"'])" % re.escape(name.encode()))

    def drives(self, name: str) -> bool:
        """Whether a file of the project names this driver in a URL, `postgresql+asyncpg://`, or imports it."""
        return self._is_found(rb"\+%s\b|(?m:^)\s*(?:import|from)\s+%s\b" % ((re.escape(name.encode()),) * 2))

    def _is_found(self, pattern: bytes) -> bool:
        if pattern not in self._found:
            project, compiled = self.inference.project, re.compile(pattern)
            contents = (project.source(module.path).utf8 for module in project.modules())
            self._found[pattern] = any(compiled.search(data) for data in contents)
        return self._found[pattern]

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
