"""Rules about transactions (ALC3)."""
