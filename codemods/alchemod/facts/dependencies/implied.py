"""Which SQLAlchemy a package implies that is built on it, for projects that do not name SQLAlchemy."""

from __future__ import annotations

from alchemod.facts.versions import NONE, Step, VersionRange, VersionSet, parse_specifiers

_IMPLIED = {
    "flask-sqlalchemy": (
        ("<3", ">=1.3,<2"),
        (">=3,<3.1", ">=1.4.18"),
        (">=3.1", ">=2.0.16"),
    ),
    "sqlmodel": (
        ("<0.0.14", ">=1.4.17,<2"),
        (">=0.0.14", ">=2.0.0,<2.2"),
    ),
    "advanced-alchemy": (("*", ">=2.0.20"),),
}
"""Package: rows of (versions of the package, versions of SQLAlchemy that these ask for and work with).

From the metadata of the releases. Flask-SQLAlchemy 2 names no upper bound but fails with SQLAlchemy 2.0.
"""

_LOWEST_TAKEN = {"flask-sqlalchemy": ">=3", "sqlmodel": ">=0.0.14"}
"""What counts as the lower bound where the project names none, as 1.4 does for SQLAlchemy itself."""

IMPLYING = tuple(_IMPLIED)
"""The packages of the table, the most telling first."""


def implied_versions(package: str, versions: VersionSet) -> VersionSet:
    """Return the versions of SQLAlchemy that go with `versions` of `package`, one of IMPLYING."""
    if versions.lower is None:
        versions = versions & parse_specifiers(_LOWEST_TAKEN.get(package, "*")) or versions
    allowed = NONE
    for own, sqlalchemy in _IMPLIED[package]:
        if versions & parse_specifiers(own):
            allowed |= parse_specifiers(sqlalchemy)
    return allowed


def working_versions(package: str, goal: Step) -> str:
    """The versions of `package`, one of IMPLYING, that go with a series of SQLAlchemy, as a requirement."""
    asked = VersionRange.exactly(goal, "").versions
    own = next((own for own, sqlalchemy in _IMPLIED[package] if parse_specifiers(sqlalchemy) & asked), "*")
    return f"{package}{own.split(',')[0]}"
