"""`alchemod apply`: show the diff, ask, write."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from alchemod_cli import exits
from alchemod_cli.analysis import Analysis, analysis, tell_failures, tell_summary
from alchemod_cli.options import Options, Yes, with_options
from alchemod_cli.output import complain, is_terminal, say, show, show_bytes, show_diff

if TYPE_CHECKING:
    from alchemod.text.source import SourceFile


@with_options
def apply(options: Options, yes: Yes = False) -> int:
    """Show the diff, ask, and write it. `alchemod undo` takes it back.

    Exits with 1 if the answer was no, there was nobody to ask, or a change set was left out.
    """
    done = analysis(options)
    if done is None:
        return exits.ERROR
    if done.stdin is not None:
        return _filter(done, done.stdin)
    as_json = done.settings.format == "json"
    if not as_json and not done.settings.quiet:
        show_diff(done.outcome)
    tell_failures(done)
    tell_summary(done)
    code = done.exit_code(bool(done.outcome.dropped))
    if done.outcome.changes:
        code = max(code, write(done, yes))
    if as_json:
        from alchemod.review import json

        show(json.document(done.outcome, diffs=True))
    return code


def _filter(done: Analysis, stdin: SourceFile) -> int:
    """Standard input to standard output, as it would be written."""
    change = done.outcome.changes.get(stdin.path)
    tell_failures(done)
    show_bytes(change.new.data if change else stdin.data)
    return done.exit_code(bool(done.outcome.dropped))


def write(done: Analysis, yes: bool) -> int:
    """Ask, unless `yes`, and write the changes of a run; returns the exit code."""
    counts = done.outcome.summary
    files = f"{counts.files_changed} file{'s' * (counts.files_changed != 1)}"
    fixes = f"{counts.fixed} fix{'es' * (counts.fixed != 1)}"
    if not yes:
        if not is_terminal(sys.stdin):
            complain("nothing was written: there is no terminal to ask on, --yes writes without asking")
            return exits.LEFT
        if not _confirmed(f"Write {fixes} to {files}? [y/N] "):
            complain("nothing was written")
            return exits.LEFT
    from alchemod.runs.apply import apply as write_changes
    from alchemod.text.journal import JournalError

    try:
        applied = write_changes(done.outcome)
    except JournalError as error:
        complain(f"nothing was written: {error}")
        return exits.ERROR
    say((f"{done.outcome.displayed(p.path)}: error: {p.message}" for p in applied.failures), sys.stderr)
    if applied.run and not done.settings.quiet:
        written = f"{len(applied.written)} file{'s' * (len(applied.written) != 1)}"
        say([f"Wrote {written}. `alchemod undo` takes it back (run {applied.run})."], sys.stderr)
    return exits.ERROR if applied.failures else exits.CLEAN


def _confirmed(question: str) -> bool:
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
