"""Rules for Alembic (MIG8)."""
