"""Rules for SQLAlchemy 2.1 (MIG5)."""
