"""Exit codes, the same for all commands; the highest wins."""

from __future__ import annotations

CLEAN = 0
"""Nothing to say, or everything done."""

LEFT = 1
"""Something remains: findings, a diff, a declined or incomplete apply, a file that `undo` left alone."""

ERROR = 2
"""Wrong usage or configuration, a file that could not be read, parsed or written, an internal failure."""

INTERRUPTED = 130
"""Ctrl-C."""
