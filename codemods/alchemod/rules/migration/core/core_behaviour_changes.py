"""MIG213: what has no single equivalent in SQLAlchemy 2.0: it is named, with what to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alchemod.edits.verbs import swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names
from alchemod.facts.lookup import External
from alchemod.facts.module import last_name
from alchemod.inference.connections.dialects import Dialects
from alchemod.inference.values import (
    Answer,
    ColumnObject,
    Expression,
    FromClause,
    LibraryObject,
    Method,
    ModelAttribute,
    Outside,
    Statement,
    TableObject,
)

_DIALECTS = "use a driver that is maintained, or a dialect of its own package"
_TABLE = (
    Renamed("sqlalchemy.types.Variant", instead="with_variant() gives a copy of the type itself"),
    Renamed("sqlalchemy.dialects.firebird", instead=_DIALECTS, is_module=True),
    Renamed("sqlalchemy.dialects.sybase", instead=_DIALECTS, is_module=True),
    Renamed("sqlalchemy.dialects.postgresql.pygresql", instead=_DIALECTS, is_module=True),
    Renamed("sqlalchemy.dialects.postgresql.pypostgresql", instead=_DIALECTS, is_module=True),
    Renamed("sqlalchemy.dialects.mysql.oursql", instead=_DIALECTS, is_module=True),
)
_KEYWORDS = {
    ("Column", "mssql_identity_start"): "pass Identity(start=...) to the column",
    ("Column", "mssql_identity_increment"): "pass Identity(increment=...) to the column",
    ("ENUM", "quoting"): "the values are quoted by the dialect",
    ("create_engine", "legacy_schema_aliasing"): "SQL Server takes the schema as it is",
    ("create_engine", "use_binds_for_limits"): "Oracle takes bound values for limits, see optimize_limits",
}
"""Keywords that are gone, by the function that took them, and what to do."""


class CoreBehaviourChanges(RenamedNames):
    """Names what behaves otherwise in SQLAlchemy 2.0 and has no single equivalent.

    What it does:
        Reports `Column.copy()`, `anon_label`, `replace_selectable()`, columns that a `Table` declares twice,
        `distinct(column)` where no PostgreSQL is spoken of, `Sequence` without `start` on SQL Server, the class
        `Variant`, dialects and keywords of dialects that are gone. `column.match(words)` in a project for PostgreSQL
        keeps its operator.

    Why:
        SQLAlchemy 2.0 raises, ignores the call, or sends other SQL; which of several ways to go on is right depends on
        the program.

    Example:
        ```python
        engine = create_engine("postgresql://localhost/shop")


        def found(words):
            return select(Book.title).where(Book.title.match(words))
        ```

    Use instead:
        ```python
        engine = create_engine("postgresql://localhost/shop")


        def found(words):
            return select(Book.title).where(Book.title.bool_op("@@")(func.to_tsquery(words)))
        ```

    Fix safety:
        Unsafe for `match()`: 2.0 sends `plainto_tsquery`, which plain words may be meant for. A report for the rest.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/whatsnew_20.html
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html
    """

    code = "MIG213"
    names = (
        *last_names(_TABLE), "copy", "anon_label", "replace_selectable", "match", "distinct", "Table", "Sequence",
        *sorted({function for function, _ in _KEYWORDS}),
    )  # fmt: skip
    since = "2.0"
    table = _TABLE

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at `module.name`, and at `expression.anon_label`."""
        if node.attr == "anon_label":
            receiver = ctx.value(node.value)
            if receiver is not None and isinstance(receiver.value, _SQL):
                yield self.report(node, "anon_label is gone in SQLAlchemy 2.0: use label(None)", given=[receiver])
        else:
            yield from super().find_Attribute(node, ctx)

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one call of a function or method that behaves otherwise."""
        callee = ctx.value(call.func)
        match callee:
            case Answer(value=Method(owner=ColumnObject() | LibraryObject(name="Column"), name="copy")):
                message = "copy() of a column is deprecated, with no successor: declare the column again"
                yield self.report(call, message, given=[callee])
            case Answer(value=Method(owner=Statement() | FromClause() | TableObject(), name="replace_selectable")):
                message = "replace_selectable() is gone in SQLAlchemy 2.0: use sqlalchemy.sql.visitors"
                yield self.report(call, message, given=[callee])
            case Answer(value=Method(owner=ModelAttribute() | ColumnObject(), name="match")):
                yield from self._match(call, callee, ctx)
            case Answer(value=Method(owner=Statement(), name="distinct")) if call.args:
                if not ctx.ask(Dialects).speaks_of("postgresql", "postgres"):
                    message = "distinct() with columns is for PostgreSQL: other databases ignore the columns"
                    yield self.report(call, message, given=[callee])
            case Answer(value=Outside(definition=External(canonical=str() as name))):
                yield from self._function(call, name, callee, ctx)

    def _match(self, call: ast.Call, callee: Answer, ctx: Context) -> Iterator[Finding]:
        if not isinstance(call.func, ast.Attribute) or len(call.args) != 1 or call.keywords:
            return
        if ctx.ask(Dialects).speaks_of("postgresql", "postgres"):
            message = "match() on PostgreSQL is plainto_tsquery since SQLAlchemy 2.0, and was to_tsquery before"
            template = '{column}.bool_op("@@")({sqlalchemy.func}.to_tsquery({words}))'
            edit = swap(call, template, column=call.func.value, words=call.args[0])
            unsafe = "plain words may be meant"
            yield self.fix(call, message, edit, given=[callee], unsafe=unsafe)

    def _function(self, call: ast.Call, name: str, callee: Answer, ctx: Context) -> Iterator[Finding]:
        if name == "Table" and (twice := _declared_twice(call)):
            message = f"the table declares the column {twice} twice, which SQLAlchemy 2.0 refuses: rename one"
            yield self.report(call, message, given=[callee])
        elif name == "Sequence" and _starts_nowhere(call) and ctx.ask(Dialects).speaks_of("mssql"):
            message = "a Sequence on SQL Server starts at the lowest number since SQLAlchemy 2.0: say start=1"
            yield self.report(call, message, given=[callee], level="note")
        for keyword in call.keywords:
            if (advice := _KEYWORDS.get((name, keyword.arg or ""))) is not None:
                message = f"{keyword.arg}= is gone in SQLAlchemy 2.0: {advice}"
                yield self.report(keyword, message, given=[callee])


_SQL = (ModelAttribute, ColumnObject, Expression)


def _starts_nowhere(call: ast.Call) -> bool:
    return len(call.args) < 2 and not any(keyword.arg in {"start", None} for keyword in call.keywords)


def _declared_twice(call: ast.Call) -> str | None:
    """The first column that a `Table(...)` declares again."""
    seen: set[str] = set()
    for argument in call.args:
        match argument:
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if last_name(function) == "Column":
                if name in seen:
                    return name
                seen.add(name)
    return None
