"""MIG404: `count()` and `exists()` of a Query become expressions of `select()`."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QueryCountExists(TranslatingRule):
    """Turns `count()` and `exists()` of a Query into `select()`.

    What it does:
        Replaces `query.count()` by the scalar of a `select(func.count())`: over the table for one class with criteria,
        over the statement as a subquery for everything else, as Query counts too. `query.exists()` becomes `exists()`
        of the `select()`. An ORDER BY that a count does not need goes.

    Why:
        Query is legacy in SQLAlchemy 2.0; `select()` is the one construct for ORM and Core.

    Example:
        ```python
        def members(session):
            return session.query(User).filter(User.active).count()
        ```

    Use instead:
        ```python
        def members(session):
            return session.scalar(select(func.count()).select_from(User).where(User.active))
        ```

    Fix safety:
        Safe where every step of the chain is known. Unsafe for a distinct Query that SQLAlchemy 1.4 orders by something
        it does not select, as it then selects that too. A report for `exists()` of an aggregate, which is true without
        any row.

    References:
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/query.html#sqlalchemy.orm.Query.count
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-orm-usage
    """

    code = "MIG404"
    since = "2.0"
    family = "count and exists"
    instead = "select()"
