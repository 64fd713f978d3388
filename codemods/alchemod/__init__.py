"""Refactors Python code bases that use SQLAlchemy.

The public names are imported when they are first used:

    from pathlib import Path
    import alchemod

    outcome = alchemod.analyse(Path("shop"), [], alchemod.Settings())
    for finding in outcome.findings:
        print(finding.path, finding.line, finding.message)
    alchemod.apply(outcome)
"""

from alchemod._version import __version__

TYPE_CHECKING = False  # as in `typing`, which takes longer to import than all of this
if TYPE_CHECKING:
    from alchemod.engine.context import Context
    from alchemod.engine.finding import Finding
    from alchemod.engine.rule import Rule
    from alchemod.review.outcome import Outcome, Summary
    from alchemod.review.plan import Plan
    from alchemod.runs.analyse import analyse
    from alchemod.runs.apply import apply
    from alchemod.runs.migrate import migrate
    from alchemod.settings.options import Settings, SettingsError
    from alchemod.text.discover import project_root
    from alchemod.text.journal import undo

_HOMES = {
    "Context": "engine.context",
    "Finding": "engine.finding",
    "Outcome": "review.outcome",
    "Plan": "review.plan",
    "Rule": "engine.rule",
    "Settings": "settings.options",
    "SettingsError": "settings.options",
    "Summary": "review.outcome",
    "analyse": "runs.analyse",
    "apply": "runs.apply",
    "migrate": "runs.migrate",
    "project_root": "text.discover",
    "undo": "text.journal",
}

__all__ = [
    "Context",
    "Finding",
    "Outcome",
    "Plan",
    "Rule",
    "Settings",
    "SettingsError",
    "Summary",
    "__version__",
    "analyse",
    "apply",
    "migrate",
    "project_root",
    "undo",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'alchemod' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"alchemod.{_HOMES[name]}"), name)
