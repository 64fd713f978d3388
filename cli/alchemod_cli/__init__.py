"""The command line of alchemod: one module per command."""
