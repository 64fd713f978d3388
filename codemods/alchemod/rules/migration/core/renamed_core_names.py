"""MIG207: names of the expression language that are called otherwise, or live elsewhere, by now."""

from __future__ import annotations

from alchemod.engine.renamed_names import Renamed, RenamedNames, last_names

_BASE = "what sqlalchemy.databases calls mysql is mysql.base of sqlalchemy.dialects, which has a few more names"
_TABLE = (
    Renamed("sqlalchemy.exceptions", "sqlalchemy.exc", since="1.3", is_module=True),
    Renamed("sqlalchemy.databases", "sqlalchemy.dialects", since="1.3", is_module=True, unsafe=_BASE),
    Renamed("sqlalchemy.future.select", "sqlalchemy.select"),
    Renamed("sqlalchemy.orm.exc.NoResultFound", "sqlalchemy.exc.NoResultFound"),
    Renamed("sqlalchemy.orm.exc.MultipleResultsFound", "sqlalchemy.exc.MultipleResultsFound"),
    Renamed("sqlalchemy.Binary", "sqlalchemy.LargeBinary", since="1.3"),
    Renamed("sqlalchemy.types.Binary", "sqlalchemy.types.LargeBinary", since="1.3"),
    Renamed("sqlalchemy.PassiveDefault", "sqlalchemy.DefaultClause", since="1.3"),
    Renamed("sqlalchemy.schema.PassiveDefault", "sqlalchemy.schema.DefaultClause", since="1.3"),
)


class RenamedCoreNames(RenamedNames):
    """Uses the current names of the expression language.

    What it does:
        Imports `NoResultFound` and `MultipleResultsFound` from `sqlalchemy.exc`, `select` from `sqlalchemy`, and
        changes `Binary`, `PassiveDefault`, `sqlalchemy.exceptions` and `sqlalchemy.databases` to `LargeBinary`,
        `DefaultClause`, `sqlalchemy.exc` and `sqlalchemy.dialects`.

    Why:
        The old names are gone in SQLAlchemy 2.0, or are kept only so that old code goes on running.

    Example:
        ```python
        def user(session, name):
            from sqlalchemy.orm.exc import NoResultFound

            try:
                return session.query(User).filter(User.name == name).one()
            except NoResultFound:
                return None
        ```

    Use instead:
        ```python
        def user(session, name):
            from sqlalchemy.exc import NoResultFound

            try:
                return session.query(User).filter(User.name == name).one()
            except NoResultFound:
                return None
        ```

    Fix safety:
        Safe: the new names are the same things; unsafe for `sqlalchemy.databases`, whose modules have a few more names
        than those of `sqlalchemy.dialects`. A name that strings, `__all__` or other files may rely on stays, as
        the name by which the new one is imported. Names that come from a star import are reported. Nothing is said
        where the code chooses between several imports of a name.

    References:
        - https://docs.sqlalchemy.org/en/14/changelog/migration_14.html
        - https://docs.sqlalchemy.org/en/20/changelog/migration_20.html
    """

    code = "MIG207"
    names = last_names(_TABLE)
    since = "1.4"
    table = _TABLE
