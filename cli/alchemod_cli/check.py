"""`alchemod check`: the findings; nothing is written."""

from __future__ import annotations

import sys

from alchemod_cli import exits
from alchemod_cli.analysis import analysis, tell_failures, tell_summary
from alchemod_cli.options import ExitZero, Options, with_options
from alchemod_cli.output import say, show


@with_options
def check(options: Options, exit_zero: ExitZero = False) -> int:
    """Show what would be better otherwise. Exits with 1 if there is something above a note."""
    done = analysis(options, exit_zero=exit_zero)
    if done is None:
        return exits.ERROR
    from alchemod.review import json, text

    tell_failures(done)
    if done.settings.format == "json":
        show(json.document(done.outcome))
    else:
        say(text.findings(done.outcome, why=not done.settings.quiet))
        tell_summary(done, sys.stdout)
    remains = any(finding.level != "note" for finding in done.outcome.findings)
    return done.exit_code(remains and not done.settings.exit_zero)
