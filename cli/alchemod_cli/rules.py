"""`alchemod rules`: every rule with one line."""

from __future__ import annotations

from alchemod_cli import exits
from alchemod_cli.options import Debug, Format
from alchemod_cli.output import say


def rules(format: Format = None, debug: Debug = False) -> int:
    """List the rules: code, whether it is part of the default run, name, what it does."""
    from alchemod.rules._index import registry

    entries = list(registry())
    if format == "json":
        import json

        keys = ("code", "name", "summary", "on", "level", "min_version")
        say([json.dumps([{key: getattr(entry, key) for key in keys} for entry in entries], indent=2)])
        return exits.CLEAN
    width = max(len(entry.name) for entry in entries)
    say(f"{entry.code}  {'on ' if entry.on else 'off'}  {entry.name:<{width}}  {entry.summary}" for entry in entries)
    return exits.CLEAN
