"""Rules about database errors (ALC7)."""
