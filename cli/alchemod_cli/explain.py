"""`alchemod explain`: the documentation of one rule."""

from __future__ import annotations

from typing import Annotated

import typer

from alchemod_cli import exits
from alchemod_cli.options import Debug
from alchemod_cli.output import complain, say


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code or the name of a rule.", show_default=False)],
    debug: Debug = False,
) -> int:
    """Explain a rule: what it does, why, an example, and when its fix is safe."""
    from alchemod.rules._index import registry
    from alchemod.settings.suggestion import did_you_mean

    known = registry()
    entry = next((entry for entry in known if code.upper() == entry.code or code == entry.name), None)
    if entry is None:
        names = [name for entry in known for name in (entry.code, entry.name)]
        complain(f"there is no rule {code!r}{did_you_mean(code, names)}")
        return exits.ERROR
    default = "part of the default run" if entry.on else "runs when selected"
    say([f"{entry.code} {entry.name} ({default}; fixed code needs SQLAlchemy {entry.min_version})", ""])
    say([known.documentation(entry.code)])
    return exits.CLEAN
