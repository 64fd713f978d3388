"""`alchemod rules`: every rule with one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alchemod_cli import exits
from alchemod_cli.options import Debug, Format
from alchemod_cli.output import say

if TYPE_CHECKING:
    from alchemod.engine.registry import RuleEntry


def rules(format: Format = None, debug: Debug = False) -> int:
    """List the rules: code, when it runs, name, what it does.

    `on` rules run by default, `off` rules when selected; a version is the lowest `migrate --to` that runs the rule.
    """
    from alchemod.rules._index import registry

    entries = list(registry())
    if format == "json":
        import json

        keys = ("code", "name", "summary", "on", "since", "level", "min_version")
        say([json.dumps([{key: getattr(entry, key) for key in keys} for entry in entries], indent=2)])
        return exits.CLEAN
    width = max(len(entry.name) for entry in entries)
    say(f"{entry.code}  {_when(entry):<3}  {entry.name:<{width}}  {entry.summary}" for entry in entries)
    return exits.CLEAN


def _when(entry: RuleEntry) -> str:
    if not entry.on:
        return "off"
    return entry.since or "on"
