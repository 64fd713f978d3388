"""Engines and connections: what is sent through them, in which block, to which database."""
