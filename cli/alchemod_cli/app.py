"""The Typer application and its outermost frame: every way out ends in an exit code and at most one sentence."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from alchemod_cli import apply, check, diff, exits, explain, migrate, rules, undo
from alchemod_cli.output import OutputError, complain, use_utf8

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (check.check, diff.diff, apply.apply, migrate.migrate, undo.undo, rules.rules, explain.explain):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        from alchemod._version import __version__

        typer.echo(f"alchemod {__version__}")
        raise typer.Exit


@app.callback()
def alchemod(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Refactor Python code that uses SQLAlchemy: find anti-patterns, preview the diff, apply it, take it back."""


def run(arguments: Sequence[str]) -> int:
    """Run one command. Returns its exit code; only an internal failure under --debug shows a traceback."""
    use_utf8()
    try:
        code = app(list(arguments), prog_name="alchemod", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = exits.INTERRUPTED
    except _USAGE_ERROR as error:
        complain(_sentence(error))
        return exits.ERROR
    except OutputError as error:
        complain(f"standard output cannot be written: {error}")
        return exits.ERROR
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exc()
        complain(f"internal failure ({type(error).__name__}: {error}); --debug shows the traceback")
        return exits.ERROR
    if code == exits.INTERRUPTED:
        complain("interrupted")
    return code if isinstance(code, int) else exits.CLEAN


def _sentence(error: BaseException) -> str:
    """What click says of a usage error, as one line."""
    told = getattr(error, "format_message", lambda: str(error))()
    text = " ".join(str(told).split())
    return f"{text[:1].lower()}{text[1:]} (see alchemod --help)" if text else "wrong usage (see alchemod --help)"
