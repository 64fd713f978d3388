"""MIG512: what behaves otherwise in SQLAlchemy 2.1 and has no spelling that keeps it, and names that are private."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_plus

from alchemod.edits.verbs import add_argument, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from alchemod.facts.module import last_name
from alchemod.facts.private_names import PRIVATE_IN_21
from alchemod.inference.connections.dialects import Dialects
from alchemod.inference.legacy.library_calls import LibraryCalls
from alchemod.inference.legacy.listeners import Listener, Listeners
from alchemod.inference.mapping.column_types import ColumnTypes
from alchemod.inference.mapping.mysql_options import OPTIONS, MysqlOptions
from alchemod.inference.mapping.returning_paths import ReturningPaths
from alchemod.inference.mapping.validators import Validators
from alchemod.inference.names.literals import Literals
from alchemod.inference.values import (
    Answer,
    ClassObject,
    ColumnsOf,
    Expression,
    Method,
    ModelClass,
    Outside,
    Statement,
)

_TABLE = tuple(
    Renamed(
        f"sqlalchemy.orm.{module}.{name}", since="2.1", instead="it was private, so ask for a public one, or copy it"
    )
    for module, names in PRIVATE_IN_21.items()
    for name in names
)
_POSTGRESQL: Final = ("postgresql", "postgres", "psycopg2", "psycopg", "asyncpg")
_LABELLED: Final = re.compile(
    r"SELECT\s+(\w+)\.(\w+) AS \1_\2\b.*\bWHERE\b.*(?:\bpk_1\b|\bparam_1\b|=\s*\?)", re.DOTALL
)
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_CURSOR: Final = frozenset({"before_cursor_execute", "after_cursor_execute"})


class BehaviourChanges21(RenamedNames):
    """Names what behaves otherwise in SQLAlchemy 2.1.

    What it does:
        Gives the in-memory databases of SQLite that a URL with `mode=memory` names their pool, and writes
        `odbc_connect` values without quoting. Reports loader options that lead back to where they start, names with
        special characters in URLs, raw cursors in events, HSTORE indexes, BIT columns under asyncpg, literals compiled
        for PostgreSQL, criteria of loaders, polymorphic loading in one table, validators that are redefined, ranges of
        window functions, options of MySQL under MariaDB, bundles that make dictionaries, columns that are added to
        `table.c`, SQL that tests expect, and names of `sqlalchemy.orm` that are private now.

    Why:
        The same code gives other SQL, other values or other exceptions.

    Example:
        ```python
        shared = create_engine("sqlite:///file:shared?mode=memory&uri=true")
        ```

    Use instead:
        ```python
        shared = create_engine(
            "sqlite:///file:shared?mode=memory&uri=true", poolclass=SingletonThreadPool
        )
        ```

    Fix safety:
        Unsafe for both fixes: another pool, or a literal plus sign, may be meant. A report for everything else, where
        the change can be seen, and once in a project where it cannot.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
        - https://docs.sqlalchemy.org/en/21/changelog/changelog_21.html
    """

    code = "MIG512"
    names = (
        *last_names(_TABLE), "create_engine", "create", "options", "Index", "BIT", "compile", "with_loader_criteria",
        "with_polymorphic", "validates", "over", "Bundle", "add", "remove", "extend", "listen", "listens_for",
        "SELECT", *OPTIONS,
    )  # fmt: skip
    since = "2.1"
    table = _TABLE

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call whose outcome is another one."""
        match call.func:
            case ast.Attribute(value=ast.Attribute(attr="c" | "columns") as columns, attr="add" | "remove" | "extend"):
                yield from self._columns(call, columns, ctx)
                return
            case ast.Attribute(value=receiver, attr="compile"):
                yield from self._compiled(call, receiver, ctx)
                return
            case ast.Attribute(attr="options"):
                yield from self._options(call, ctx)
                return
            case ast.Attribute(value=receiver, attr="over"):
                made = ctx.value(receiver)
                if made is not None and isinstance(made.value, Expression):
                    yield from self._over(call, made)
                return
        answer = ctx.value(call.func)
        if answer is None or not isinstance(answer.value, Outside):
            return
        match answer.value.canonical:
            case "create_engine":
                yield from self._engine(call, answer, ctx)
            case "create" if answer.value.definition.name.endswith(".URL.create"):
                yield from self._url(call, answer, ctx)
            case "Index":
                yield from self._index(call, answer, ctx)
            case "BIT" if ".postgresql" in answer.value.definition.name and ctx.ask(Dialects).drives("asyncpg"):
                message = "BIT columns give texts in SQLAlchemy 2.1, and asyncpg.BitString before"
                missing = "who reads them; BitString of SQLAlchemy has as_int() and as_bytes()"
                yield self.report(call, message, missing=missing, given=[answer])
            case "over":
                yield from self._over(call, answer)
            case "with_polymorphic":
                yield from self._polymorphic(call, answer, ctx)
            case "with_loader_criteria":
                first = next(iter(ctx.ask(LibraryCalls).of("with_loader_criteria")), None)
                if first is not None and first.is_at(ctx.path, call):
                    message = "criteria of loaders also apply to classes that stand in WHERE only in SQLAlchemy 2.1"
                    missing = "which statements name such a class in a subquery or condition; test these"
                    yield self.report(call, message, missing=missing, given=[answer], level="note")
            case "listen" | "listens_for":
                yield from self._listener(call, ctx)

    def find_ClassDef(self, node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
        """Looks at one class that may redefine a validator, or derive from `Bundle`."""
        answer = ctx.value(ast.copy_location(ast.Name(node.name, ast.Load()), node))
        match answer:
            case Answer(value=ModelClass(model=model)):
                for function, owner in ctx.ask(Validators).redefined(node, model):
                    message = f"{function.name}() of {owner.name} is no longer the validator here in SQLAlchemy 2.1"
                    missing = f"whether it is to run too; then call super().{function.name}(...)"
                    yield self.report(function, message, missing=missing, given=[answer])
            case Answer(value=ClassObject(facts=facts)) if ctx.project.lookup.reaches(facts, "Bundle"):
                if "create_row_processor" in facts.methods:
                    message = "a Bundle that makes dictionaries is DictBundle in SQLAlchemy 2.1"
                    missing = "what its rows are; if they are dictionaries, derive from DictBundle"
                    yield self.report(node, message, missing=missing, given=[answer], level="note")

    def find_Module(self, node: ast.Module, ctx: Context) -> Iterator[Finding]:
        """Looks whether a file is the first one of the project that gives a table options of MySQL."""
        first = ctx.ask(MysqlOptions).first
        if first is not None and first.path == ctx.path and ctx.ask(Dialects).opens("mariadb"):
            message = f"{first.option} is not heeded where a URL begins with mariadb, here and elsewhere"
            missing = f"which databases the table is for; add {first.option.replace('mysql', 'mariadb')} to it"
            yield self.report(first.in_tree(node), message, missing=missing)

    def find_Constant(self, node: ast.Constant, ctx: Context) -> Iterator[Finding]:
        """Looks at one text of a test that may be the SQL of `Session.get()` or of a lazy load."""
        is_expected = _is_expected(node) and ctx.project.is_test(ctx.path)
        if is_expected and next((one for one in ast.walk(ctx.tree) if _is_expected(one)), None) is node:
            message = "get() and lazy loads do not label their columns in SQLAlchemy 2.1, as this test expects"
            missing = "which SQL is expected; let the test look at what is loaded, or drop the labels"
            yield self.report(node, message, missing=missing)

    def _engine(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        literal = ctx.ask(Literals).of(ctx.path, call.args[0]) if call.args else None
        text = literal.value if literal is not None and isinstance(literal.value, str) else ""
        given = {keyword.arg for keyword in call.keywords}
        if text.startswith("sqlite") and "mode=memory" in text and given.isdisjoint({"poolclass", "creator", None}):
            message = "mode=memory in a URL is to mean a QueuePool in the releases after SQLAlchemy 2.1"
            edit = add_argument(call, "poolclass={sqlalchemy.pool.SingletonThreadPool}")
            unsafe = "whether one connection for each thread is meant, as now; StaticPool has one for all"
            yield self.fix(call, message, edit, given=[answer], unsafe=unsafe)
        database = text.partition("?")[0].partition("://")[2].partition("/")[2]
        if literal is not None and (escaped := _ESCAPED.search(database)) is not None:
            message = f"the name of a database in a URL is unquoted in SQLAlchemy 2.1: {escaped.group()} in {database}"
            missing = "the name of the database; a percent sign in it is written as %25"
            yield self.report(literal, message, missing=missing, given=[answer])

    def _url(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(arg="database", value=ast.Constant(value=str(name)) as value):
                    if any(sign in name for sign in "?#%&=;@"):
                        message = "the name of a database is quoted in the text of a URL in SQLAlchemy 2.1"
                        missing = "who reads the text of this URL"
                        yield self.report(value, message, missing=missing, given=[answer])
                case ast.keyword(arg="query", value=ast.Dict(keys=keys, values=values)):
                    for key, given in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == "odbc_connect":
                            yield from self._odbc(given, answer, ctx)

    def _odbc(self, value: ast.expr, answer: Answer, ctx: Context) -> Iterator[Finding]:
        message = "odbc_connect= of URL.create() is no longer unquoted in SQLAlchemy 2.1"
        unsafe = "whether the driver is to get the text as it stands"
        match value:
            case ast.Constant(value=str(text)) if _ESCAPED.search(text):
                edit = swap(value, "{text!r}", text=unquote_plus(text))
                yield self.fix(value, message, edit, given=[answer], unsafe=unsafe, min_version="2.1")
            case ast.Call(func=function, args=[inner], keywords=[]) if last_name(function) in {"quote", "quote_plus"}:
                quoting = ctx.value(function)
                match quoting:
                    case Answer(value=Outside(definition=definition)) if definition.name.startswith("urllib.parse."):
                        edit = swap(value, "{text}", text=inner)
                        yield self.fix(value, message, edit, given=[answer], unsafe=unsafe, min_version="2.1")

    def _index(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        for argument in call.args[1:]:
            for node in ast.walk(argument):
                if isinstance(node, ast.Subscript):
                    kind = ctx.ask(ColumnTypes).of(ctx.path, node.value)
                    if kind is not None and kind.name == "HSTORE":
                        message = "a key of an HSTORE column is written otherwise in SQLAlchemy 2.1"
                        missing = "whether the index exists; on PostgreSQL 14 or later it has to be made again"
                        yield self.report(node, message, missing=missing, given=[answer])
                        return

    def _compiled(self, call: ast.Call, receiver: ast.expr, ctx: Context) -> Iterator[Finding]:
        text = ast.unparse(call)
        if "literal_binds" not in text or "postgresql.dialect()" not in text:
            return
        answer = ctx.value(receiver)
        if answer is not None and isinstance(answer.value, Statement):
            message = "backslashes in texts that are compiled for PostgreSQL are not doubled in SQLAlchemy 2.1"
            missing = "whether the texts have backslashes, and standard_conforming_strings of the database"
            yield self.report(call, message, missing=missing, given=[answer], level="note")

    def _options(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        if len(call.args) < 2:
            return
        for option in call.args:
            start = ctx.ask(ReturningPaths).returns(ctx.path, option)
            if start is not None:
                message = f"what is said here of {start.name} down the path no longer holds for the one at the top"
                missing = "what is meant for each path; SQLAlchemy 2.1 takes the options of the shorter one"
                yield self.report(option, message, missing=missing)

    def _over(self, call: ast.Call, answer: Answer) -> Iterator[Finding]:
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(arg="range_", value=ast.Tuple(elts=[start, end])):
                    if _is_no_integer(start) or _is_no_integer(end):
                        message = "a range that is no whole number is refused in SQLAlchemy 2.1"
                        missing = "where the frame ends; write range_=FrameClause(start, end, FrameClauseType...., ...)"
                        yield self.report(keyword, message, missing=missing, given=[answer])

    def _polymorphic(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        model = ctx.value(call.args[0]) if call.args else None
        match model:
            case Answer(value=ModelClass(model=base)):
                tables = ctx.project.tables
                same = [one for one in ctx.project.models.subclasses(base) if tables.of(one) is tables.of(base)]
                if same and tables.of(base) is not None:
                    message = f"with_polymorphic() loads all of {base.name} in SQLAlchemy 2.1, also for one subclass"
                    missing = "whether a subclass is selected of it; then filter by the column that tells the classes"
                    yield self.report(call, message, missing=missing, given=[answer, model])

    def _columns(self, call: ast.Call, columns: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        answer = ctx.value(columns)
        match answer:
            case Answer(value=ColumnsOf() | Method(name="c" | "columns")):
                message = "the columns of a table cannot be changed"
                missing = "write table.append_column(column)"
                yield self.report(call, message, missing=missing, given=[answer])

    def _listener(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        for listener in ctx.ask(Listeners).of(ctx.path):
            if listener.call is call and listener.event in _CURSOR and (sent := _sent_by_cursor(listener)) is not None:
                message = f"errors of the cursor in {listener.event} are sqlalchemy.exc.DBAPIError in SQLAlchemy 2.1"
                missing = "who catches errors of the driver here"
                yield self.report(sent, message, missing=missing, given=[listener.answer])


def _sent_by_cursor(listener: Listener) -> ast.Call | None:
    """The call by which a listener executes something on the cursor of the driver itself."""
    parameters = listener.parameters
    if len(parameters) < 2 or listener.function is None:
        return None
    for node in ast.walk(listener.function):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="execute" | "executemany")):
                if name == parameters[1]:
                    return node
    return None


def _is_no_integer(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(inner, ast.Call):
        return last_name(inner) in {"timedelta", "Decimal", "float"}
    return isinstance(inner, ast.Constant) and isinstance(inner.value, float)


def _is_expected(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(_LABELLED.search(node.value))
