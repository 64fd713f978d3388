"""What one name stands for, and how a class or constant is written at a place."""
