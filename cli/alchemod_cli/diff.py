"""`alchemod diff`: the unified diff that apply would write; nothing is written."""

from __future__ import annotations

from alchemod_cli import exits
from alchemod_cli.analysis import analysis, tell_failures, tell_summary
from alchemod_cli.options import ExitZero, Options, with_options
from alchemod_cli.output import show, show_diff


@with_options
def diff(options: Options, exit_zero: ExitZero = False) -> int:
    """Show the diff that `alchemod apply` would write. Exits with 1 if there is one.

    Standard output is the diff alone. Its paths are relative to the project root, where `git apply` takes it.
    """
    done = analysis(options, exit_zero=exit_zero)
    if done is None:
        return exits.ERROR
    from alchemod.review import json

    if done.settings.format == "json":
        show(json.document(done.outcome, diffs=True))
    else:
        show_diff(done.outcome)
    tell_failures(done)
    tell_summary(done)
    return done.exit_code(bool(done.outcome.changes) and not done.settings.exit_zero)
