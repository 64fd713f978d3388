"""`alchemod migrate`: from one SQLAlchemy to the next: the plan, the diff, ask, write, what is left to do by hand."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alchemod_cli import exits
from alchemod_cli.analysis import Analysis, UsageError, request, tell_failures, tell_summary
from alchemod_cli.apply import write
from alchemod_cli.options import Checklist, DiffOnly, Options, RaiseRequirement, To, Yes, with_options
from alchemod_cli.output import complain, say, show, show_diff
from alchemod_cli.progress import progress

if TYPE_CHECKING:
    from alchemod.review.plan import Plan


@with_options
def migrate(
    options: Options,
    to: To = None,
    diff: DiffOnly = False,
    bump: RaiseRequirement = False,
    checklist: Checklist = False,
    yes: Yes = False,
) -> int:
    """Migrate the project to SQLAlchemy 1.4, 2.0 or 2.1: show the plan and the diff, ask, write.

    What --to 1.4 writes runs on 1.4 and on 2.0. Exit codes are those of apply, with --diff those of diff.
    """
    from alchemod.settings.options import SettingsError

    try:
        done, plan = _planned(options, to, bump)
    except (UsageError, SettingsError) as error:
        complain(str(error))
        return exits.ERROR
    if diff:
        return _diff(done, plan)
    as_json = done.settings.format == "json"
    if not as_json and not done.settings.quiet:
        show_diff(done.outcome)
    tell_failures(done)
    if not done.settings.quiet:
        say(plan.lines(verbose=done.settings.verbose), sys.stderr)
    code = done.exit_code(bool(done.outcome.dropped))
    written = False
    if done.outcome.changes:
        outcome = write(done, yes)
        written, code = outcome == exits.CLEAN, max(code, outcome)
    if checklist:
        code = max(code, _write_checklist(plan, written))
    if as_json:
        show(_document(plan))
    elif not done.settings.quiet:
        say(plan.ending(), sys.stderr)
    return code


def _planned(options: Options, to: str | None, bump: bool) -> tuple[Analysis, Plan]:
    from alchemod.runs.migrate import migrate as plan_of
    from alchemod.settings.options import GOALS

    goal = next((goal for goal in GOALS if goal == to), None)
    if goal is None:
        given = f", not {to!r}" if to is not None else ""
        raise UsageError(f"migrate needs --to with one of {', '.join(GOALS)}{given}")
    asked = request(options)
    if asked.stdin is not None:
        raise UsageError("migrate works on a project, not on standard input")
    settings = replace(asked.settings, goal=goal)
    with progress(not settings.quiet) as report:
        plan = plan_of(asked.root, asked.paths, settings, raise_requirement=bump, progress=report)
    return Analysis(settings, plan.outcome, None), plan


def _diff(done: Analysis, plan: Plan) -> int:
    if done.settings.format == "json":
        show(_document(plan))
    else:
        show_diff(done.outcome)
    tell_failures(done)
    tell_summary(done)
    return done.exit_code(bool(done.outcome.changes))


def _document(plan: Plan) -> str:
    from alchemod.review import json

    migration: dict[str, Any] = {
        "to": plan.goal,
        "from": str(plan.standing.declared),
        "review": [one.fingerprint for one in plan.review],
        "by_hand": [one.fingerprint for one in plan.by_hand],
        "requirements": [one.place for one in plan.bump.raised] if plan.bump else [],
    }
    return json.document(plan.outcome, diffs=True, migration=migration)


def _write_checklist(plan: Plan, written: bool) -> int:
    from alchemod.review.plan import CHECKLIST
    from alchemod.text.write import WriteError, write_or_create

    path = plan.outcome.root / CHECKLIST
    try:
        write_or_create(path, plan.checklist(written=written).encode())
    except WriteError as error:
        complain(f"{path} {error.message}")
        return exits.ERROR
    return exits.CLEAN
