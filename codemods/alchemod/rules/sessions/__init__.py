"""Rules about the life of sessions (ALC1)."""
