"""Diffs in colour, for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

_STYLES = (("+++", "bold"), ("---", "bold"), ("diff ", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


def show_coloured(diff: str) -> None:
    """Write a unified diff to standard output, one style per line, never wrapped."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in diff.removesuffix("\n").split("\n"):
        style = next((style for start, style in _STYLES if line.startswith(start)), "")
        console.print(Text(line, style))
