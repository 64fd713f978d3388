"""The ways control can take through a block of code, and what holds on each of them."""
