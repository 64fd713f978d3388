"""Every rule, as far as it is known without importing it. Written by `scripts/index_rules.py`."""

# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from alchemod.engine.registry import Registry, RuleEntry

ENTRIES: tuple[RuleEntry, ...] = (
)


def registry() -> Registry:
    """All rules of alchemod."""
    return Registry(ENTRIES)
