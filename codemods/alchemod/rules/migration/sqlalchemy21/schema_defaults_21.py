"""MIG511: declarations of tables that give another schema in SQLAlchemy 2.1 unless they say more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

from alchemod.edits.verbs import add_argument, drop, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.module import last_name
from alchemod.inference.connections.dialects import Dialects
from alchemod.inference.legacy.library_calls import LibraryCalls
from alchemod.inference.mapping.schemas import Schemas
from alchemod.inference.values import Answer, ModelClass, Outside, TableObject

_NAMED: Final = frozenset({"Enum", "ENUM", "DOMAIN"})
"""Types that PostgreSQL knows by name."""
_POSTGRESQL: Final = ("postgresql", "postgres", "psycopg2", "psycopg", "asyncpg")
_OTHERS: Final = ("sqlite", "mysql", "mariadb", "oracle", "mssql")
_EXCLUDING: Final = "exclude_properties"


class SchemaDefaults21(Rule):
    """Spells out what a table is to be where SQLAlchemy 2.1 takes other defaults.

    What it does:
        `Computed(...)` in a project for PostgreSQL gets `persisted=True`, `inherit_schema=True` of an Enum becomes the
        schema of its table. Attributes that `exclude_properties` takes out of the mapping become `Unmapped[...]`.
        Reports types that move to the default schema of their MetaData, `table.drop()` that leaves such types behind,
        `Uuid` on MariaDB, and the name of a table without a schema in `secondary=`.

    Why:
        The same models give another schema under SQLAlchemy 2.1: virtual columns instead of stored ones, types in
        another schema, UUID columns instead of CHAR(32). Alembic sees the difference, or the data does not fit.

    Example:
        ```python
        from sqlalchemy import Computed

        engine = create_engine("postgresql+psycopg2://localhost/shop")


        class Square(Base):
            __tablename__ = "squares"
            id = Column(Integer, primary_key=True)
            side = Column(Integer)
            area = Column(Integer, Computed("side * side"))
        ```

    Use instead:
        ```python
        from sqlalchemy import Computed

        engine = create_engine("postgresql+psycopg2://localhost/shop")


        class Square(Base):
            __tablename__ = "squares"
            id = Column(Integer, primary_key=True)
            side = Column(Integer)
            area = Column(Integer, Computed("side * side", persisted=True))
        ```

    Fix safety:
        Unsafe: the new default may be wanted. A report where the databases, or the schema of a table, are not seen.
        Computed columns that say `persisted=`, and MetaData without a schema, are left alone.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/migration_21.html
        - https://docs.sqlalchemy.org/en/21/dialects/postgresql.html#postgresql-enum-types
    """

    code = "MIG511"
    names = ("Computed", *sorted(_NAMED), "MetaData", "Uuid", "relationship", "drop", _EXCLUDING)
    since = "2.1"

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at one declaration, or at one `table.drop()`."""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "drop":
            yield from self._drop(call, call.func.value, ctx)
            return
        answer = ctx.value(call.func)
        if answer is None or not isinstance(answer.value, Outside):
            return
        match answer.value.canonical:
            case "Computed":
                yield from self._computed(call, answer, ctx)
            case "Uuid":
                yield from self._uuid(call, answer, ctx)
            case "MetaData":
                yield from self._metadata(call, answer, ctx)
            case "relationship":
                yield from self._secondary(call, answer, ctx)
            case name if name in _NAMED:
                yield from self._inherited(call, answer, ctx)

    def find_ClassDef(self, node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
        """Looks at the attributes that one class takes out of its mapping."""
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id="__mapper_args__")], value=ast.Dict(keys=keys, values=values)):
                    for key, value in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == _EXCLUDING:
                            yield from self._excluded(node, value, ctx)

    def _computed(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        if len(call.args) > 1 or any(keyword.arg in {"persisted", None} for keyword in call.keywords):
            return
        dialects = ctx.ask(Dialects)
        if not dialects.speaks_of(*_POSTGRESQL):
            return
        message = "a computed column on PostgreSQL is no longer STORED unless it says so in SQLAlchemy 2.1"
        if dialects.speaks_of(*_OTHERS):
            missing = "which databases it is for; on PostgreSQL alone write persisted=True"
            yield self.report(call, message, missing=missing, given=[answer])
            return
        unsafe = "whether a stored column is meant, as PostgreSQL had it before version 18"
        yield self.fix(call, message, add_argument(call, "persisted=True"), given=[answer], unsafe=unsafe)

    def _uuid(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        calls = ctx.ask(LibraryCalls)
        first = next((found for found in calls.of("Uuid") if _is_plain(found.node)), None)
        if first is not None and first.is_at(ctx.path, call) and ctx.ask(Dialects).opens("mariadb"):
            message = "Uuid on MariaDB is a UUID column in SQLAlchemy 2.1, and was CHAR(32) before, here and elsewhere"
            missing = "whether tables with CHAR(32) exist; to keep these write Uuid(native_uuid=False)"
            yield self.report(call, message, missing=missing, given=[answer])

    def _inherited(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(arg="inherit_schema", value=ast.Constant(value=True)):
                    message = "inherit_schema= is deprecated in SQLAlchemy 2.1: a type is in the schema of its MetaData"
                    schema = ctx.ask(Schemas).around(ctx.path, call)
                    if schema is None:
                        missing = "the schema of the table; write schema= with that"
                        yield self.report(keyword, message, missing=missing, given=[answer])
                        return
                    edit = swap(keyword, "schema={name!r}", name=schema.name) if schema.name else drop(keyword)
                    unsafe = "whether the type stands in that schema of the database"
                    yield self.fix(keyword, message, edit, given=[answer], unsafe=unsafe)

    def _metadata(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        schema = next((keyword.value for keyword in call.keywords if keyword.arg == "schema"), None)
        if schema is None or (isinstance(schema, ast.Constant) and schema.value is None):
            return
        types = _named_types(ctx) if ctx.ask(Dialects).speaks_of(*_POSTGRESQL) else []
        if types:
            more = f" and {len(types) - _SHOWN} more" if len(types) > _SHOWN else ""
            shown = f"{', '.join(types[:_SHOWN])}{more}"
            code = ast.unparse(schema)
            message = f"named types of PostgreSQL move to the schema of their MetaData in SQLAlchemy 2.1: {shown}"
            missing = f'whether they exist in another schema; then give them schema="public", or move them to {code}'
            yield self.report(call, message, missing=missing, given=[answer])

    def _drop(self, call: ast.Call, receiver: ast.expr, ctx: Context) -> Iterator[Finding]:
        answer = ctx.value(receiver)
        match answer:
            case Answer(value=TableObject(table=table)):
                calls = [column.call for column in table.columns.values() if column.call is not None]
                named = any(last_name(argument) in _NAMED for made in calls for argument in made.args)
                if named and ctx.ask(Dialects).speaks_of(*_POSTGRESQL):
                    message = "drop() of a table leaves its named types in SQLAlchemy 2.1"
                    missing = "whether the types are to go too; call drop() of the type after that of the table"
                    yield self.report(call, message, missing=missing, given=[answer])

    def _secondary(self, call: ast.Call, answer: Answer, ctx: Context) -> Iterator[Finding]:
        for keyword in call.keywords:
            match keyword:
                case ast.keyword(arg="secondary", value=ast.Constant(value=str(name)) as value) if "." not in name:
                    pass
                case _:
                    continue
            blank = ctx.ask(Schemas).in_blank_schema(name) if ctx.ask(Schemas).defaults else []
            if not blank:
                return
            message = f'secondary="{name}" means the table in the schema of the MetaData in SQLAlchemy 2.1'
            variable = next((found for table in blank if (found := _variable(table.call, ctx)) is not None), None)
            if variable is None or len(blank) > 1:
                missing = f"which table is meant; give the Table itself, as {name} has no schema"
                yield self.report(keyword, message, missing=missing, given=[answer])
                return
            unsafe = f"whether {variable}, which has no schema, is meant"
            edit = swap(value, f"lambda: {variable}")
            yield self.fix(keyword, message, edit, given=[answer], unsafe=unsafe)

    def _excluded(self, node: ast.ClassDef, excluded: ast.expr, ctx: Context) -> Iterator[Finding]:
        answer = ctx.value(ast.copy_location(ast.Name(node.name, ast.Load()), node))
        if answer is None or not isinstance(answer.value, ModelClass):
            return
        if not isinstance(excluded, ast.List | ast.Tuple | ast.Set):
            return
        names = {element.value for element in excluded.elts if isinstance(element, ast.Constant)}
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    if name in names:
                        yield self._unmapped(statement, name, excluded, answer)

    def _unmapped(self, statement: ast.Assign | ast.AnnAssign, name: str, excluded: Any, answer: Answer) -> Finding:
        message = f"excluding {name}, which the class declares, from its mapping is deprecated in SQLAlchemy 2.1"
        match statement:
            case ast.AnnAssign(
                annotation=ast.Subscript(value=ast.Name(id="Mapped") as wrapper),
                value=ast.Call(func=ast.Name(id="mapped_column") as maker),
            ):
                kept = [one for one in excluded.elts if not (isinstance(one, ast.Constant) and one.value == name)]
                holes: dict[str, Any] = {f"name{number}": one for number, one in enumerate(kept)}
                listed = ", ".join(f"{{{hole}}}" for hole in holes)
                edits = [
                    swap(wrapper, "{sqlalchemy.orm.Unmapped}"),
                    swap(maker, "{sqlalchemy.orm.unmapped_column}"),
                    swap(excluded, f"[{listed}]", **holes),
                ]
                unsafe = "whether code relies on the attribute, which some versions map all the same"
                return self.fix(statement, message, *edits, given=[answer], unsafe=unsafe, min_version="2.1")
        missing = f"the type of the column; write {name}: Unmapped[...] = unmapped_column(...)"
        return self.report(statement, message, missing=missing, given=[answer])


_SHOWN: Final = 3


def _named_types(ctx: Context) -> list[str]:
    """Where the project makes types with a name and without a schema, as `file:line`."""
    calls = ctx.ask(LibraryCalls)
    return [calls.shown(found) for found in calls.of(*sorted(_NAMED)) if _is_named(found.node)]


def _is_plain(call: ast.Call) -> bool:
    """Whether a `Uuid()` leaves it to the database what it is."""
    return not any(keyword.arg in {"native_uuid", None} for keyword in call.keywords)


def _is_named(call: ast.Call) -> bool:
    """Whether a call makes a type that has a name, also by a class of values, and no schema."""
    given = {keyword.arg for keyword in call.keywords}
    has_class = bool(call.args) and isinstance(call.args[0], ast.Name | ast.Attribute)
    return ("name" in given or has_class) and given.isdisjoint({"schema", "inherit_schema", "native_enum", None})


def _variable(call: ast.Call | None, ctx: Context) -> str | None:
    """The name at the top level of this file that is bound to a `Table(...)`."""
    for statement in ctx.tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as made) if call is not None:
                if (made.lineno, made.col_offset) == (call.lineno, call.col_offset) and last_name(made) == "Table":
                    return name
    return None
