"""What the dependency files of a project say, above all which SQLAlchemy it allows (facts F5 of its code)."""

from alchemod.facts.dependencies.project import Dependencies, package_range, sqlalchemy_range
from alchemod.facts.dependencies.requirement import Kind, Requirement

__all__ = ["Dependencies", "Kind", "Requirement", "package_range", "sqlalchemy_range"]
