"""MIG408: a Query that stands for a statement becomes one."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QueryAsStatement(TranslatingRule):
    """Turns a Query that is used as a statement into `select()`.

    What it does:
        Replaces a Query by `select()` where it is not executed as a Query: as a subquery, a common table expression, a
        scalar, the argument of `in_()` or of the session's `execute()`, and for its `statement`.

    Why:
        Query is legacy in SQLAlchemy 2.0, and SQLAlchemy 2.1 does not execute one that is given to `execute()`.

    Example:
        ```python
        def without_address(session):
            known = select(User).where(User.id.not_in(session.query(Address.user_id)))
            return session.scalars(known).all()
        ```

    Use instead:
        ```python
        def without_address(session):
            known = select(User).where(User.id.not_in(select(Address.user_id)))
            return session.scalars(known).all()
        ```

    Fix safety:
        Safe for a chain that is built in place. A report where text speaks of the labels that only a Query gives its
        columns, and for what has no counterpart.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-orm-usage
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html#selecting-entities-from-subqueries
    """

    code = "MIG408"
    since = "2.0"
    family = "statement"
    instead = "select()"
