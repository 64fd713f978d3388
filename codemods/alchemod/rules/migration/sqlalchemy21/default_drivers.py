"""MIG502: what SQLAlchemy 2.1 needs to be installed: other drivers for URLs without one, a newer Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.names.literals import Literals
from alchemod.inference.values import Answer, Outside


class DefaultDrivers(Rule):
    """Names the driver in URLs that rely on the default one.

    What it does:
        Writes `postgresql+psycopg2://` for `postgresql://` and `oracle+cx_oracle://` for `oracle://` in the literal URL
        of an engine. Reports a `setup()` that allows a Python for which there is no SQLAlchemy 2.1.

    Why:
        In SQLAlchemy 2.1 these URLs ask for psycopg and oracledb, which may not be installed, and which raise other
        errors. It needs Python 3.11.

    Example:
        ```python
        shop = create_engine("postgresql://shop@localhost/shop")
        ```

    Use instead:
        ```python
        shop = create_engine("postgresql+psycopg2://shop@localhost/shop")
        ```

    Fix safety:
        Always unsafe: which of the drivers is installed, and wanted, is not seen. A report for the name of a dialect
        given to `URL.create()` by itself. URLs that name their driver, engines of `create_async_engine()`, and texts
        that are only compared are left alone.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/dialects/postgresql.html
    """

    code = "MIG502"
    names = ("create_engine", "create", "engine_from_config", "SQLALCHEMY_DATABASE_URI", "setup")
    since = "2.1"
    tokens = ("postgresql", "oracle", "python_requires")

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call that takes a URL or the name of a dialect."""
        answer = ctx.value(call.func)
        match answer:
            case Answer(value=Outside(definition=definition)) if definition.canonical == "create_engine" and call.args:
                yield from self._url(call.args[0], [answer], ctx)
            case Answer(value=Outside(definition=definition)) if definition.name.endswith(".URL.create"):
                yield from self._dialect(call, answer)
            case Answer(value=Outside(definition=definition)) if definition.name in _SETUPS:
                yield from self._python(call, answer)

    def find_Assign(self, node: ast.Assign, ctx: Context) -> Iterator[Finding]:
        """Looks at the URL of Flask-SQLAlchemy's configuration."""
        match node.targets:
            case [ast.Name(id="SQLALCHEMY_DATABASE_URI")]:
                yield from self._url(node.value, [], ctx)
            case [ast.Subscript(slice=ast.Constant(value="SQLALCHEMY_DATABASE_URI"))]:
                yield from self._url(node.value, [], ctx)

    def _python(self, call: ast.Call, answer: Answer) -> Iterator[Finding]:
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(arg="python_requires", value=ast.Constant(value=str(allowed)) as value):
                    lowest = _LOWEST.search(allowed)
                    if lowest is not None and (3, int(lowest[1])) < _PYTHON:
                        message = "there is no SQLAlchemy 2.1 for Python before 3.11"
                        missing = 'whether the project can do without them; then write python_requires=">=3.11"'
                        yield self.report(value, message, missing=missing, given=[answer])

    def _url(self, url: ast.expr, given: list[Answer], ctx: Context) -> Iterator[Finding]:
        literal = ctx.ask(Literals).of(ctx.path, url)
        if literal is None or not isinstance(literal.value, str):
            return
        dialect, colon, rest = literal.value.partition("://")
        if colon and dialect in _DRIVERS:
            message = f"{dialect}:// asks for {_DRIVERS[dialect][1]} in SQLAlchemy 2.1, not for {_DRIVERS[dialect][0]}"
            edit = swap(literal, "{url!r}", url=f"{dialect}+{_DRIVERS[dialect][0]}://{rest}")
            yield self.fix(literal, message, edit, given=given, unsafe="which driver is installed")

    def _dialect(self, call: ast.Call, answer: Answer) -> Iterator[Finding]:
        named = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "drivername"), None)
        if isinstance(named, ast.Constant) and named.value in _DRIVERS:
            driver = _DRIVERS[named.value]
            message = f"{named.value} asks for {driver[1]} in SQLAlchemy 2.1, not for {driver[0]}"
            missing = f"which driver is installed; write {named.value}+{driver[0]} to keep it"
            yield self.report(named, message, missing=missing, given=[answer])


_DRIVERS: Final = {"postgresql": ("psycopg2", "psycopg"), "oracle": ("cx_oracle", "oracledb")}
"""The default drivers up to SQLAlchemy 2.0 and from 2.1 on ("What's New in SQLAlchemy 2.1")."""
_SETUPS: Final = frozenset({"setuptools.setup", "distutils.core.setup"})
_LOWEST: Final = re.compile(r"(?:>=|~=|==)\s*3\.(\d+)")
_PYTHON: Final = (3, 11)
"""The lowest Python of SQLAlchemy 2.1 (the metadata of its release)."""
