"""Rules that migrate queries and sessions of the ORM (MIG4)."""
