"""Calls, arguments and listeners in the forms of older versions of SQLAlchemy."""
