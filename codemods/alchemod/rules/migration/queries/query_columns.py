"""MIG402: a Query for columns or several classes becomes `select()`, executed with `execute()`."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QueryColumns(TranslatingRule):
    """Turns a Query for columns, or for several classes, into `select()`.

    What it does:
        Replaces `session.query(User.id, User.name).all()` by `session.execute(select(User.id, User.name)).all()`. Rows
        stay tuples. `scalar()` becomes `scalar_one_or_none()`, which raises for several rows as it did, or `scalar()`
        of the session for an aggregate; `value()`, `values()` and going through the rows are rewritten too.

    Why:
        Query is legacy in SQLAlchemy 2.0; `select()` is the one construct for ORM and Core.

    Example:
        ```python
        def names(session):
            return session.query(User.id, User.name).filter(User.active).all()
        ```

    Use instead:
        ```python
        def names(session):
            return session.execute(select(User.id, User.name).where(User.active)).all()
        ```

    Fix safety:
        Safe for columns with names of their own, for aggregates, and for rows that are taken apart. Unsafe where two
        columns have the same name, or an expression has none, and the rows go where their keys may be read; for
        `value()` and `values()`. A report when it is not known whether something is a class or a column.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-orm-usage
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html#selecting-multiple-orm-entities-simultaneously
    """

    code = "MIG402"
    since = "2.0"
    family = "columns"
    instead = "select()"
