"""The version, as a constant: `alchemod --version` must not read package metadata."""

__version__ = "0.1.0"
