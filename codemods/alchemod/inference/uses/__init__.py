"""What becomes of a value where it stands: how it is used, where it flows, whether it may be missing."""
