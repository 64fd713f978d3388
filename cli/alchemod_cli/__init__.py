"""The command line of alchemod."""
