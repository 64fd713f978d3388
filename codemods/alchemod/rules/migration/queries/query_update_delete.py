"""MIG407: `update()` and `delete()` of a Query become the constructs of that name."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QueryUpdateDelete(TranslatingRule):
    """Turns `update()` and `delete()` of a Query into `update()` and `delete()` constructs.

    What it does:
        Replaces `session.query(User).filter(...).delete()` by `session.execute(delete(User).where(...))`, and the same
        for `update({...})`. How the session is synchronised becomes an execution option. Where the number of rows is
        used, `rowcount` gives it.

    Why:
        Query is legacy in SQLAlchemy 2.0; the constructs do the same with asynchronous sessions too.

    Example:
        ```python
        def rename(session, old, new):
            return session.query(User).filter(User.name == old).update({"name": new})
        ```

    Use instead:
        ```python
        def rename(session, old, new):
            return session.execute(
                update(User).where(User.name == old).values({"name": new})
            ).rowcount
        ```

    Fix safety:
        Safe for one class with criteria whose values have keys that are seen. Unsafe where the values are a variable. A
        report for `update_args`, for a chain that a Query refuses to update, and where a listener for bulk changes or a
        query class of the project would not be asked any more (MIG412).

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-orm-usage
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/dml.html#orm-update-and-delete-with-custom-where-criteria
    """

    code = "MIG407"
    since = "2.0"
    family = "bulk"
    instead = "update() and delete()"
