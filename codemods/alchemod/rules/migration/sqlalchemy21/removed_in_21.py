"""MIG503: names and keywords that are gone, or called otherwise, in SQLAlchemy 2.1."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from alchemod.edits.verbs import drop, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.connections.dialects import Dialects
from alchemod.inference.mapping.reflected_indexes import ReflectedIndexes
from alchemod.inference.values import Answer, Outside


class RemovedIn21(Rule):
    """Takes away or renames what SQLAlchemy 2.1 does not know any more.

    What it does:
        Drops `@declarative_mixin` and `isolate_from_table=`, and renames `order=` and `on_null=` of sequences and
        identities to `oracle_order=` and `oracle_on_null=`, `_json_serializer=` to `json_serializer=`. The columns that
        an index of PostgreSQL includes are read from its `dialect_options`.

    Why:
        SQLAlchemy 2.1 warns of them or rejects them.

    Example:
        ```python
        store = create_engine("sqlite://", _json_serializer=str)
        ```

    Use instead:
        ```python
        store = create_engine("sqlite://", json_serializer=str)
        ```

    Fix safety:
        Safe: the new forms do the same. Keywords that only 2.1 knows are written where the project allows no older
        version. A report for `threaded=`, which has no successor, and for indexes of other databases. The same keywords
        of other calls are left alone.

    References:
        - https://docs.sqlalchemy.org/en/21/changelog/whatsnew_21.html
        - https://docs.sqlalchemy.org/en/21/changelog/changelog_21.html
    """

    code = "MIG503"
    names = ("declarative_mixin", "create_engine", "Sequence", "Identity", "DropConstraint", "include_columns")
    since = "2.1"
    tokens = ("declarative_mixin", "threaded", "_json_", "order", "on_null", "isolate_from_table", "include_columns")

    def find_ClassDef(self, node: ast.ClassDef, ctx: Context) -> Iterator[Finding]:
        """Looks at the decorators of one class."""
        for decorator in node.decorator_list:
            answer = ctx.value(decorator)
            match answer:
                case Answer(value=Outside(definition=definition)) if definition.canonical == "declarative_mixin":
                    message = "@declarative_mixin does nothing, and SQLAlchemy 2.1 deprecates it"
                    yield self.fix(decorator, message, drop(decorator), given=[answer])

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at the keywords of one call."""
        answer = ctx.value(call.func)
        if answer is None or not isinstance(answer.value, Outside):
            return
        for keyword in call.keywords:
            row = _KEYWORDS.get((answer.value.canonical or "", keyword.arg or ""))
            if row is None:
                continue
            new, minimum = row
            said = f"{answer.value.canonical}() has no {keyword.arg}= in SQLAlchemy 2.1"
            if new is None:
                missing = "give it to the driver: connect_args, or the arguments of oracledb"
                yield self.report(keyword, said, missing=missing, given=[answer])
            elif new:
                message = f"{said}, it is called {new}="
                yield self.fix(keyword, message, rename(keyword, new), given=[answer], min_version=minimum)
            else:
                yield self.fix(keyword, said, drop(keyword), given=[answer], min_version=minimum)

    def find_Subscript(self, node: ast.Subscript, ctx: Context) -> Iterator[Finding]:
        """Looks at one `index["include_columns"]` of what an Inspector tells."""
        match node:
            case ast.Subscript(slice=ast.Constant(value="include_columns"), ctx=ast.Load()):
                answer = ctx.ask(ReflectedIndexes).told_by(ctx.path, node.value)
            case _:
                return
        if answer is None:
            return
        message = "the columns that an index includes are among its dialect_options in SQLAlchemy 2.1"
        if not ctx.ask(Dialects).speaks_of("postgresql", "postgres") or ctx.ask(Dialects).speaks_of("mssql"):
            missing = 'which database is asked; write index["dialect_options"]["postgresql_include"] for PostgreSQL'
            yield self.report(node, message, missing=missing, given=[answer])
            return
        edit = swap(node, '{index}["dialect_options"]["postgresql_include"]', index=node.value)
        yield self.fix(node, message, edit, given=[answer], min_version="2.0")


_KEYWORDS: Final[dict[tuple[str, str], tuple[str | None, str]]] = {
    ("create_engine", "threaded"): (None, "2.1"),
    ("create_engine", "_json_serializer"): ("json_serializer", "1.4"),
    ("create_engine", "_json_deserializer"): ("json_deserializer", "1.4"),
    ("Sequence", "order"): ("oracle_order", "2.1"),
    ("Identity", "order"): ("oracle_order", "2.1"),
    ("Identity", "on_null"): ("oracle_on_null", "2.1"),
    ("DropConstraint", "isolate_from_table"): ("", "2.1"),
}
"""Callable and keyword to the new keyword ("" for none, None for one without a successor) and the version it needs."""
