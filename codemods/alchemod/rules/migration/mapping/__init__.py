"""Rules that migrate how classes are mapped (MIG3)."""
