"""MIG413: `session.execute(select(User)).scalars()` becomes `session.scalars(select(User))`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alchemod.edits.verbs import rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.facts.project import Project
from alchemod.inference.ownership.session_classes import overriding
from alchemod.inference.values import Answer, Row, Rows, Session, SessionFactory, Statement

_SHORT = {"scalars": ("scalars", "1.4.24"), "scalar": ("scalar", "1.4")}
"""The method of a result, the method of the session that does both, and the version that has it."""
_OF_ROWS = frozenset({"count", "index", "keys", "items", "values", "tuple", "t"})


class ExecuteScalars(Rule):
    """Asks a session for single values in one call, and names rows that are taken for entities.

    What it does:
        `session.execute(select(User)).scalars()` becomes `session.scalars(select(User))`, and
        `session.execute(select(func.count(User.id))).scalar()` becomes `session.scalar(...)`. It reports attributes of
        an entity that are read from a row, and `columns()` of a result of one entity.

    Why:
        `execute()` gives rows, also of a single entity: `row.name` raises AttributeError where `row.User.name` is
        meant. The short form cannot be mistaken.

    Example:
        ```python
        def users(session: Session):
            return session.execute(select(User)).scalars().all()
        ```

    Use instead:
        ```python
        def users(session: Session):
            return session.scalars(select(User)).all()
        ```

    Fix safety:
        Safe: both forms do the same (SQLAlchemy 1.4.24 for `scalars()`). Unsafe when a session class of the project
        defines `execute()` itself, which the short form passes by. A report for rows that are taken for entities.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-20-unify-select
        - https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.scalars
    """

    code = "MIG413"
    names = ("scalars", "scalar", "columns")
    since = "1.4"
    on = False

    def names_from(self, project: Project) -> Iterable[str]:
        """The attributes of mapped classes, which rows do not have."""
        return {name for model in project.models.all() for name in model.attributes}

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterator[Finding]:
        """Looks at a result that is asked for values."""
        match call:
            case ast.Call(
                func=ast.Attribute(
                    attr=name, value=ast.Call(func=ast.Attribute(attr="execute", value=session) as method) as executed
                )
            ):
                pass
            case _:
                return
        answer, rows = ctx.value(session), ctx.value(executed)
        match answer, rows:
            case (
                Answer(value=Session(is_async=False) | SessionFactory(kind="scoped", is_async=False)),
                Answer(value=Rows(statement=Statement(style="select") as statement)),
            ):
                pass
            case _:
                return
        if len(statement.terms) != 1:
            return
        if name == "columns":
            if statement.terms[0].kind == "entity" and len(call.args) == 1:
                message = "columns() of a result gives rows in SQLAlchemy 2.0: scalars() gives the objects"
                yield self.report(call, message, given=[answer])
        elif name in _SHORT and not call.args and not call.keywords:
            short, since = _SHORT[name]
            message = f"execute().{name}() is {short}() of the session"
            unsafe = overriding("execute", ctx.project) or ctx.pinned("execute", name)
            edit, more = swap(call, "{executed}", executed=executed), rename(method, short)
            yield self.fix(call, message, edit, more, given=[answer], unsafe=unsafe, min_version=since)

    def find_Attribute(self, node: ast.Attribute, ctx: Context) -> Iterator[Finding]:
        """Looks at an attribute of an entity that is read from a row."""
        if node.attr in _OF_ROWS or not isinstance(node.ctx, ast.Load) or isinstance(node.value, ast.Attribute):
            return
        row = ctx.value(node.value)
        match row:
            case Answer(value=Row(statement=Statement(style="select", terms=[term]))) if term.entity is not None:
                attribute = term.entity.model.attributes.get(node.attr)
                if term.kind == "entity" and attribute is not None and node.attr != term.entity.model.name:
                    name = term.entity.model.name
                    message = f"a row has no {node.attr}: it holds the {name}, which scalars() gives itself"
                    yield self.report(node, message, given=[row], level="error")
