"""What names a function, class, module or comprehension binds, and where."""
