"""Which database dialects a project runs on (fact F10), from the engine URLs that its code and ini files spell out.

See SQLAlchemy's documentation, "Engine Configuration", section "Database URLs". Environment files and container files
are not read: what they say may be replaced where the program runs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TOKENS = (
    *(b"create_engine", b"create_async_engine", b"engine_from_config", b"sqlalchemy.url", b"SQLALCHEMY_"),
    *(b"DATABASE_UR", b"DB_UR", b"database_ur", b"db_ur", b"_DSN", b"_CONN"),
)
_CREATORS = {"create_engine", "create_async_engine", "async_engine_from_config", "engine_from_config"}
_URL_NAME = re.compile(
    r"(?:.*_)?(?:database|db|sqlalchemy|sql_alchemy|engine|sqlite|postgres\w*|pg|mysql)_?(?:\w+_)?(?:ur[il]s?|dsn|conn|binds)"
    r"|sqlalchemy\.url",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\s*(?P<dialect>[a-z][a-z0-9_.]*)(?:\+[\w.]*(?:$|:)|:)", re.IGNORECASE)
_PLACEHOLDERS = {"driver", "scheme", "dialect"}
_OTHER_SCHEMES = {
    *("http", "https", "ws", "wss", "ftp", "s3", "gs", "file", "redis", "rediss", "mongodb", "memcached"),
    *("amqp", "amqps", "pyamqp", "kafka", "nats", "smtp", "ldap", "ldaps", "neo4j", "bolt", "elasticsearch"),
}
_INI_URL = re.compile(r"^[ \t]*sqlalchemy\.url[ \t]*=[ \t]*(?P<url>.*?)[ \t]*$", re.MULTILINE)
_DRIVERS = {
    "postgresql": ("psycopg2", "psycopg2-binary", "psycopg", "psycopg-binary", "asyncpg", "pg8000", "psycopg2cffi"),
    "mysql": ("pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy", "mysql-python"),
    "mariadb": ("mariadb",),
    "sqlite": ("aiosqlite", "pysqlite3", "sqlcipher3"),
    "oracle": ("cx-oracle", "oracledb"),
    "mssql": ("pymssql", "pyodbc", "aioodbc"),
    "cockroachdb": ("sqlalchemy-cockroachdb",),
    "snowflake": ("snowflake-sqlalchemy",),
    "redshift": ("sqlalchemy-redshift",),
    "bigquery": ("sqlalchemy-bigquery", "pybigquery"),
    "clickhouse": ("clickhouse-sqlalchemy",),
    "duckdb": ("duckdb-engine",),
}


@dataclass(frozen=True, slots=True)
class Dialects:
    """The dialects in use by the names of their URLs ("postgresql").

    `complete` says that there can be no others: engines are made in sight, each with a URL that is spelled out. What a
    framework reads from its configuration is never complete. `why` names the place that leaves the answer open, or
    the first URL. `hints` are dialects whose drivers are required: they prove nothing.
    """

    names: frozenset[str]
    complete: bool
    why: str
    hints: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class EngineUrl:
    """One place that says or uses an engine URL.

    `dialects` are those it may have; `is_open` says that it may have others. Where the URL is read from a setting of
    another file, `setting` is its name; `name` is the setting that this place defines. `line` counts from 1.
    """

    path: str
    line: int
    dialects: tuple[str, ...] = ()
    is_open: bool = False
    setting: str = ""
    name: str = ""


def may_name_dialect(source: bytes) -> bool:
    """Tell whether `engine_urls` is worth asking."""
    return any(token in source for token in _TOKENS)


def engine_urls(tree: ast.Module, path: str) -> tuple[EngineUrl, ...]:
    """Return the engine URLs of one file, in the order of lines. `path` is as messages should show it."""
    return tuple(sorted(set(_File(tree, path).urls())))


def ini_urls(root: Path) -> tuple[EngineUrl, ...]:
    """Return the URLs (`sqlalchemy.url`) of the ini files in the project's root and of alembic.ini below it."""
    found: list[EngineUrl] = []
    for file in sorted([*root.glob("*.ini"), *root.glob("*/alembic.ini")]):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for match in _INI_URL.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            answer = _Answer()
            answer.spelled(match["url"].strip("\"'"))
            found += answer.at(file.relative_to(root).as_posix(), line, "sqlalchemy.url")
    return tuple(found)


def merged(urls: Iterable[EngineUrl], packages: Iterable[str] = ()) -> Dialects:
    """Return what all URLs of a project say together; `packages` are the normalised names of its dependencies."""
    rows = sorted(urls)
    known = {row.name for row in rows if row.name}
    names = frozenset(dialect for row in rows for dialect in row.dialects)
    required = set(packages)
    hints = frozenset(dialect for dialect, drivers in _DRIVERS.items() if required.intersection(drivers))
    for row in rows:
        if row.is_open or (row.setting and row.setting not in known):
            return Dialects(names, False, f"{row.path}:{row.line} uses a URL that is not spelled out", hints)
    if not names:
        return Dialects(names, False, "no engine URL is spelled out", hints)
    first = next(row for row in rows if row.dialects)
    if all(row.name for row in rows):
        return Dialects(names, False, f"no engine is made with the URL of {first.path}:{first.line} in sight", hints)
    return Dialects(names, True, f"{first.path}:{first.line} names {first.dialects[0]}", hints)


@dataclass(slots=True)
class _Answer:
    """What an expression may be as a URL."""

    dialects: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    is_open: bool = False

    def spelled(self, text: str) -> None:
        """Take the beginning of a URL, or the name of a driver."""
        scheme = _SCHEME.match(text)
        if scheme is None:
            self.is_open = self.is_open or bool(text)
            return
        dialect = scheme["dialect"].lower()
        if dialect not in _PLACEHOLDERS and dialect not in _OTHER_SCHEMES:
            self.dialects.append("postgresql" if dialect == "postgres" else dialect)

    def at(self, path: str, line: int, name: str = "") -> Iterator[EngineUrl]:
        """Yield the rows for a place."""
        if self.dialects or self.is_open:
            yield EngineUrl(path, line, tuple(sorted(set(self.dialects))), self.is_open, name=name)
        for setting in self.settings:
            yield EngineUrl(path, line, setting=setting, name=name if name != setting else "")


class _File:
    def __init__(self, tree: ast.Module, path: str) -> None:
        self.path = path
        self.nodes = list(ast.walk(tree))
        self.values: dict[str, list[ast.expr]] = {}
        self.bound_otherwise = set[str]()
        self.of_alembic = False
        self.settings_classes: list[ast.ClassDef] = []
        for node in self.nodes:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                    | ast.NamedExpr(target=ast.Name(id=name), value=value)
                ):
                    self.values.setdefault(name, []).append(value)
                case ast.ClassDef(bases=bases) if any(_last_name(base).endswith("Settings") for base in bases):
                    self.settings_classes.append(node)
                case ast.ImportFrom(module="alembic"):
                    self.of_alembic = True
                case ast.arg(arg=name):
                    self.bound_otherwise.add(name)
                case ast.For(target=ast.Name(id=name)) | ast.withitem(optional_vars=ast.Name(id=name)):
                    self.bound_otherwise.add(name)
                case ast.Assign(targets=targets):
                    parts = (part for target in targets for part in ast.walk(target))
                    self.bound_otherwise.update(part.id for part in parts if isinstance(part, ast.Name))
        self.overridden = {id(statement) for owner in self.settings_classes for statement in owner.body}

    def urls(self) -> Iterator[EngineUrl]:
        """Yield the URLs that engines are made with and those that settings name."""
        for node in self.nodes:
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _CREATORS:
                    yield from self._created(node, name)
                case ast.Call(args=[ast.Constant(value="sqlalchemy.url"), value]):
                    yield from self._answer(value).at(self.path, node.lineno)
                case ast.keyword(arg=str(name), value=value) if _is_setting(name):
                    yield from self._setting(name, value, value.lineno)
                case ast.Dict(keys=keys, values=values):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and isinstance(key.value, str) and _is_setting(key.value):
                            yield from self._setting(key.value, value, value.lineno)
                case ast.Assign(targets=[target], value=value):
                    yield from self._assigned(node, target, value)
                case ast.AnnAssign(target=target, value=value) if value is not None or id(node) in self.overridden:
                    yield from self._assigned(node, target, value)

    def _created(self, call: ast.Call, creator: str) -> Iterator[EngineUrl]:
        if creator.endswith("from_config"):
            if not self.of_alembic:
                yield EngineUrl(self.path, call.lineno, is_open=True)
            return
        named = [keyword.value for keyword in call.keywords if keyword.arg in ("url", "name_or_url")]
        url = [*call.args[:1], *named, None][0]
        yield from self._answer(url).at(self.path, call.lineno)

    def _assigned(self, node: ast.stmt, target: ast.expr, value: ast.expr | None) -> Iterator[EngineUrl]:
        match target:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
                from_outside = id(node) in self.overridden
                if _is_setting(name) or (from_outside and _URL_NAME.fullmatch(name)):
                    yield from self._setting(name, value, node.lineno, from_outside)

    def _setting(self, name: str, value: ast.expr | None, line: int, from_outside: bool = False) -> Iterator[EngineUrl]:
        """Yield the rows of a setting; those of a class of settings may be replaced from outside."""
        answer = self._answer(value)
        answer.is_open |= from_outside
        yield from answer.at(self.path, line, name)

    def _answer(self, expression: ast.expr | None) -> _Answer:
        """Follow an expression to texts, through names of the file, branches, defaults and URL constructors."""
        answer, seen = _Answer(), set[str]()
        pending = [expression]
        while pending:
            match pending.pop():
                case ast.Constant(value=str(text)) | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                    answer.spelled(text)
                case ast.Constant(value=None):
                    pass
                case ast.BinOp(left=part) | ast.Call(func=ast.Attribute(value=part, attr="format" | "replace")):
                    pending.append(part)
                case ast.JoinedStr(values=[ast.FormattedValue(value=part), *_]):
                    pending.append(part)
                case ast.IfExp(body=body, orelse=orelse):
                    pending += [body, orelse]
                case ast.BoolOp(values=parts) | ast.Dict(values=parts):
                    pending += parts
                case ast.Name(id=name) if name not in seen and name in self.values:
                    seen.add(name)
                    pending += self.values[name]
                    answer.is_open |= name in self.bound_otherwise
                case ast.Name(id=name) if name in seen:
                    pass
                case ast.Name(id=name) | ast.Attribute(attr=name) if _URL_NAME.fullmatch(name):
                    answer.settings.append(name)
                case ast.Call() as call:
                    pending += self._through(call, answer)
                case _:
                    answer.is_open = True
        return answer

    def _through(self, call: ast.Call, answer: _Answer) -> list[ast.expr]:
        """Return the arguments of a call that its value begins with; note in `answer` what stays open."""
        match call.func:
            case (
                ast.Name(id="URL")
                | ast.Attribute(attr="URL")
                | ast.Attribute(value=ast.Name(id="URL") | ast.Attribute(attr="URL"), attr="create")
            ):
                drivers = [keyword.value for keyword in call.keywords if keyword.arg == "drivername"]
                for driver in (call.args or drivers)[:1]:
                    if isinstance(driver, ast.Constant) and isinstance(driver.value, str):
                        answer.spelled(f"{driver.value}:")
                        return []
            case ast.Name(id="make_url" | "str") | ast.Attribute(attr="make_url"):
                return call.args[:1]
        answer.is_open = True
        defaults = [keyword.value for keyword in call.keywords if keyword.arg == "default"]
        return [part for part in [*call.args[1:2], *defaults] if isinstance(part, ast.Constant | ast.JoinedStr)]


def _is_setting(name: str) -> bool:
    return (name.isupper() or "." in name) and _URL_NAME.fullmatch(name) is not None


def _last_name(expression: ast.expr) -> str:
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
