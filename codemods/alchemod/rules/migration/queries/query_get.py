"""MIG405: `Query.get()` becomes `Session.get()`."""

from __future__ import annotations

from alchemod.engine.translating import TranslatingRule


class QueryGet(TranslatingRule):
    """Turns `session.query(User).get(5)` into `session.get(User, 5)`.

    What it does:
        Replaces `get()` of a Query by `get()` of the session. Loader options, `populate_existing()`,
        `with_for_update()` and execution options of the chain become its arguments.

    Why:
        `Query.get()` is deprecated since SQLAlchemy 1.4 and removed from the 2.0 style of working.

    Example:
        ```python
        def user(session, user_id):
            return session.query(User).get(user_id)
        ```

    Use instead:
        ```python
        def user(session, user_id):
            return session.get(User, user_id)
        ```

    Fix safety:
        Safe for a mapped class and a chain of only those steps. A report for an alias, for a chain with criteria, which
        Query refuses too, and while a query class or a hook of the project may change what `get()` finds.

    References:
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html#orm-query-get-method-moves-to-session
    """

    code = "MIG405"
    since = "1.4"
    family = "get"
    instead = "Session.get()"
