"""Rules about queries and loading (ALC2)."""
