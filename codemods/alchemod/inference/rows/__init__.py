"""Which attributes of the rows of a query a function reads, and what happens to them on the way."""
