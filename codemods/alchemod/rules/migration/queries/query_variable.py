"""MIG403: a Query that is held in a variable becomes a statement, executed where it is used."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QueryVariable(TranslatingRule):
    """Turns a Query that a variable holds into `select()`.

    What it does:
        Replaces a Query that is built in several steps, in branches and loops, by a `select()` that is built the same
        way. Each place that executes the Query executes the statement instead, with the session that the Query had. A
        Query is followed through what functions return and are given, and through attributes of objects; a function
        that executes it and has no session gets one as a new parameter, and all its calls give it. A function that only
        goes through the rows is given a list of them.

    Why:
        Query is legacy in SQLAlchemy 2.0; `select()` is the one construct for ORM and Core.

    Example:
        ```python
        def members(session, name=None):
            query = session.query(User)
            if name is not None:
                query = query.filter(User.name == name)
            return query.order_by(User.id).all()
        ```

    Use instead:
        ```python
        def members(session, name=None):
            query = select(User)
            if name is not None:
                query = query.where(User.name == name)
            return session.scalars(query.order_by(User.id)).all()
        ```

    Fix safety:
        Safe when all uses of the variable are in one function and the session means the same at each of them. Unsafe
        when the Query is returned, passed on or kept by an object and all callers, callees and readers are seen: they
        change together. A report where one of them is not seen, where the Query is tested for truth, and where the same
        Query is used for rows and for `update()` or `delete()`.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#migration-orm-usage
        - https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html
    """

    code = "MIG403"
    since = "2.0"
    family = "variable"
    instead = "select()"
