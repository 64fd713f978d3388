"""Refactors Python code bases that use SQLAlchemy."""
