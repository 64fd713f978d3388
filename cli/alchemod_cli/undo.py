"""`alchemod undo`: bring back what a run wrote."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from alchemod_cli import exits
from alchemod_cli.options import Debug, Quiet
from alchemod_cli.output import complain, say


def undo(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="The run to take back; default: the newest.", show_default=False),
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Bring back the files that a run of this project wrote. Files that changed since are left alone and named."""
    from alchemod.text.discover import project_root
    from alchemod.text.journal import JournalError
    from alchemod.text.journal import undo as take_back

    root = project_root([])
    try:
        undone = take_back(root, run)
    except JournalError as error:
        complain(str(error))
        return exits.ERROR
    if undone.nothing_to_do:
        complain(f"there is no run to undo in {root}")
        return exits.LEFT
    for problem in (*undone.left_alone, *undone.failures):
        say([f"{problem.path}: {problem.message}"], sys.stderr)
    if not quiet:
        files = f"{len(undone.restored)} file{'s' * (len(undone.restored) != 1)}"
        say([f"Brought back {files} of the run {undone.run}."])
    if undone.failures:
        return exits.ERROR
    return exits.LEFT if undone.left_alone else exits.CLEAN
