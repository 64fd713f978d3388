"""The names of SQLAlchemy, and of the libraries built on it, that mean something to the analysis.

A name is known by its last part once its first part is SQLAlchemy's: `sqlalchemy.orm.Session` and
`sqlalchemy.orm.session.Session` are one class (public and defining module, SQLAlchemy 1.3 to 2.1).
"""

from __future__ import annotations

from typing import Final

FLASK_DATABASE = frozenset(
    {"flask_sqlalchemy.SQLAlchemy", "flask_appbuilder.SQLA", "flask_appbuilder.models.sqla.SQLA"}
)
"""Classes whose instance is a Flask-SQLAlchemy `db` object (Flask-SQLAlchemy 2 and 3; Flask-AppBuilder's subclass)."""

FLASK_QUERIES = frozenset({"flask_sqlalchemy.BaseQuery", "flask_sqlalchemy.query.Query"})
"""The query class of Flask-SQLAlchemy, as 2 and 3 name it."""

FLASK_MODELS = frozenset({"flask_sqlalchemy.Model", "flask_sqlalchemy.model.Model"})
DECLARATIVE_BASES = frozenset(
    {
        "flask_appbuilder.Model",
        "flask_appbuilder.models.sqla.Model",
        "flask_appbuilder.models.sqla.Base",
        "sqlmodel.SQLModel",
        "sqlmodel.main.SQLModel",
    }
)
"""Declarative bases that a library hands out ready-made."""

FLASK_OWN = frozenset({"Model", "session", "engine", "engines", "metadata", "metadatas", "Query", "Table", "init_app"})
"""Attributes a Flask-SQLAlchemy `db` object has of its own; the others are `sqlalchemy`'s and `sqlalchemy.orm`'s."""

FLASK = "flask_sqlalchemy:"
"""Prefix of the names this analysis gives to Flask-SQLAlchemy's own attributes: `flask_sqlalchemy:session`."""

_LIBRARIES = frozenset({"sqlalchemy", "sqlmodel"})
KNOWN_LIBRARIES = _LIBRARIES | {"flask_sqlalchemy", "flask_appbuilder", "alembic"}
"""Libraries the analysis knows: a folder of the same name elsewhere in a project does not stand for them."""


PUBLIC_HOMES: Final = {
    "sqlalchemy.sql": "sqlalchemy",
    "sqlalchemy.sql.expression": "sqlalchemy",
    "sqlalchemy.schema": "sqlalchemy",
    "sqlalchemy.types": "sqlalchemy",
    "sqlalchemy.orm.session": "sqlalchemy.orm",
    "sqlalchemy.orm.query": "sqlalchemy.orm",
}
"""Modules whose functions and classes are those that another module gives under the same names (1.4, 2.0 and 2.1)."""


def canonical(dotted: str) -> str | None:
    """The short name of something of SQLAlchemy's: `Session` for `sqlalchemy.orm.session.Session`, else None."""
    if dotted.startswith(FLASK):
        return dotted
    if dotted in FLASK_DATABASE:
        return FLASK + "SQLAlchemy"
    if dotted in FLASK_QUERIES:
        return FLASK + "Query"
    if dotted in FLASK_MODELS:
        return FLASK + "Model"
    if dotted in DECLARATIVE_BASES:
        return "DeclarativeBase"
    top, _, rest = dotted.partition(".")
    return rest.rpartition(".")[2] if top in _LIBRARIES and rest else None


def flask_attribute(name: str) -> str:
    """The dotted name of attribute `name` of a Flask-SQLAlchemy `db` object."""
    return FLASK + name if name in FLASK_OWN else f"sqlalchemy.{name}"
