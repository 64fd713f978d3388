"""Rules that migrate statements of the expression language (MIG2)."""
