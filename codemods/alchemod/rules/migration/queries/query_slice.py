"""MIG406: slices and items of a Query become `slice()` and `limit()` of a `select()`."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QuerySlice(TranslatingRule):
    """Turns `query[i:j]` and `query[i]` into an executed `select()`.

    What it does:
        Replaces `query[10:20]` by the list of a `select()` with `slice(10, 20)`, `query[:10]` by one with `limit(10)`,
        and `query[3]` by the only item of `slice(3, 4)`, which raises IndexError where there is none.

    Why:
        A slice of a Query executes it, which is easily overlooked. A `select()` cannot be sliced, and a Query is legacy
        in SQLAlchemy 2.0.

    Example:
        ```python
        def page(session):
            return session.query(User.id).order_by(User.id)[10:20]
        ```

    Use instead:
        ```python
        def page(session):
            return session.execute(select(User.id).order_by(User.id).slice(10, 20)).all()
        ```

    Fix safety:
        Safe for literal bounds. Unsafe for variables, which may be negative, and for a slice with a step. A report for
        negative bounds, which SQLAlchemy 2.0 refuses, and for empty slices, for which a Query sends nothing.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-orm-usage
        - https://docs.sqlalchemy.org/en/20/core/selectable.html#sqlalchemy.sql.expression.Select.slice
    """

    code = "MIG406"
    since = "2.0"
    family = "slice"
    instead = "select()"
