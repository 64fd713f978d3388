"""A migration: where the project stands, what the MIG rules find and change, what is left to do by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from alchemod.engine.fixpoint import Change, Progress
from alchemod.engine.registry import Registry
from alchemod.facts.dependencies.bump import Bump, bump
from alchemod.facts.dependencies.companions import companions
from alchemod.facts.standing import standing
from alchemod.review.outcome import Outcome
from alchemod.review.plan import Plan
from alchemod.rules._index import registry as known_rules
from alchemod.runs.analyse import load, settle
from alchemod.settings.options import Goal, Settings
from alchemod.settings.selection import selected
from alchemod.text.source import decode

FAMILY = "MIG"
"""The family of the rules that migrate."""


def migrate(
    root: Path,
    paths: Sequence[Path],
    settings: Settings,
    *,
    raise_requirement: bool = False,
    registry: Registry | None = None,
    progress: Progress | None = None,
) -> Plan:
    """The migration of the project at `root` to `settings.goal`; `paths` say where edits are made. Nothing is written.

    With `raise_requirement` the dependency files ask for the goal afterwards. Raises SettingsError when the settings
    name a rule that does not exist, and ValueError when they have no goal.
    """
    goal = settings.goal
    if goal is None:
        raise ValueError("a migration needs a goal")
    registry = registry or known_rules()
    codes = rules_of_migration(registry, settings, goal)
    loaded = load(root, paths, settings, registry, codes)
    before = standing(loaded.project)
    outcome = settle(loaded, registry, codes, settings, progress)
    raised = bump(root, goal, asyncio=before.asyncio and goal == "2.1") if raise_requirement else None
    if raised is not None:
        outcome = _with_bump(outcome, raised)
    return Plan(goal, before, outcome, raised, tuple(companions(root, goal)))


def rules_of_migration(registry: Registry, settings: Settings, goal: Goal) -> frozenset[str]:
    """The MIG rules that a migration to `goal` runs: those that start at it or below, and what is selected."""
    entries = [replace(entry, on=entry.on and entry.since <= goal) for entry in registry]
    return selected(entries, settings, within=FAMILY)


def _with_bump(outcome: Outcome, raised: Bump) -> Outcome:
    """The outcome with the dependency files; they are written together or not at all."""
    group = max((change.group for change in outcome.changes.values()), default=-1) + 1
    changes = {
        path: Change(decode(old, path), decode(new, path), group) for path, (old, new) in raised.contents.items()
    }
    return replace(outcome, changes={**changes, **outcome.changes})
