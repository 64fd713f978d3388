"""The sessions a function works with, what happens to them and in which order, what handlers do."""
