"""Rules that migrate engines and connections (MIG1)."""
