"""Rules that migrate code from one SQLAlchemy to the next (MIG)."""
