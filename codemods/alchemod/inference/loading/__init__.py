"""How relationships are loaded: what a statement says of it, which reads load row by row, what would load at once."""
