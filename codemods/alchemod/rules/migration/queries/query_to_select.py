"""MIG401: a Query for one class becomes `select()`, executed with `scalars()`."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QueryToSelect(TranslatingRule):
    """Turns a Query for one mapped class into `select()`.

    What it does:
        Replaces `session.query(User).filter(...).all()` by `session.scalars(select(User).where(...)).all()`, and so for
        `first()`, `one()`, `one_or_none()` and for going through a Query. `first()` keeps its LIMIT 1. Where a join, a
        second class or an eager loaded collection may repeat a row, `.unique()` removes the repeated ones as Query did.

    Why:
        Query is legacy in SQLAlchemy 2.0. `select()` is the one construct for ORM and Core, works with asynchronous
        sessions and is typed.

    Example:
        ```python
        def members(session, name):
            return session.query(User).filter(User.name == name).order_by(User.id).all()
        ```

    Use instead:
        ```python
        def members(session, name):
            return session.scalars(
                select(User).where(User.name == name).order_by(User.id)
            ).all()
        ```

    Fix safety:
        Safe for one chain of calls whose class and steps are all known. Unsafe where the class is only known at run
        time, when the session of `Model.query` is found through the property, when the way of a `with_parent()` is told
        by its target only, for `enable_eagerloads(False)`, and when a test prepares the chain on a mock. A report for a
        step that has no counterpart or makes the Query raise, and while hooks that act on Query only would fall silent
        (MIG412). `scalars()` of the session is written where every version allowed has it.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-orm-usage
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html
    """

    code = "MIG401"
    since = "2.0"
    family = "entities"
    instead = "select()"
