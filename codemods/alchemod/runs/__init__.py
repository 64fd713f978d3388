"""A run over the files of one project: read, find, rewrite, write, take back."""
