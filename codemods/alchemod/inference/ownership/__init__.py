"""The life of a session in one function, and what a `with` block would change."""
