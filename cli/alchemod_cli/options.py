"""The options of a run, declared once for all commands that run."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer


def _option(*names: str, metavar: str | None = None, says: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=says, show_default=False)


_Texts = list[str] | None

Paths = Annotated[
    _Texts,
    typer.Argument(
        metavar="PATHS", help="Files and folders; - reads standard input. Default: the project.", show_default=False
    ),
]
Select = Annotated[
    _Texts, _option("--select", metavar="RULES", says="Run these rules only: codes, names, prefixes, ALL; with commas.")
]
ExtendSelect = Annotated[_Texts, _option("--extend-select", metavar="RULES", says="Run these rules too.")]
Ignore = Annotated[_Texts, _option("--ignore", metavar="RULES", says="Do not run these rules.")]
UnsafeFixes = Annotated[bool, _option("--unsafe-fixes", says="Also make fixes whose safety is not proved.")]
Target = Annotated[
    str | None,
    _option("--target", metavar="VERSION", says="SQLAlchemy 1.3, 1.4, 2.0 or 2.1. Default: as the project requires."),
]
Format = Annotated[str | None, _option("--format", metavar="FORMAT", says="text or json.")]
Exclude = Annotated[_Texts, _option("--exclude", metavar="PATTERN", says="Leave these files alone; as in .gitignore.")]
Config = Annotated[
    Path | None, _option("--config", metavar="FILE", says="Read the settings here, not in pyproject.toml.")
]
StdinFilename = Annotated[
    Path | None, _option("--stdin-filename", metavar="FILE", says="What standard input stands for.")
]
Debug = Annotated[bool, _option("--debug", says="Show tracebacks.")]
Quiet = Annotated[bool, _option("--quiet", "-q", says="No summary, no reasons.")]
Verbose = Annotated[bool, _option("--verbose", "-v", says="Say more about what was left out.")]
ExitZero = Annotated[bool, _option("--exit-zero", says="Exit with 0 even if there is something to do.")]
To = Annotated[str | None, _option("--to", metavar="VERSION", says="SQLAlchemy 1.4, 2.0 or 2.1.")]
DiffOnly = Annotated[bool, _option("--diff", says="Show only the diff; write nothing.")]
RaiseRequirement = Annotated[bool, _option("--bump", says="Let the dependency files ask for that SQLAlchemy.")]
Checklist = Annotated[bool, _option("--checklist", says="Write what is left to alchemod-migration.md.")]
Yes = Annotated[bool, _option("--yes", "-y", says="Write without asking.")]


@dataclass(frozen=True)
class Options:
    """The options of a run as they were given, by the names of Settings; empty where nothing was given."""

    paths: Paths = None
    select: Select = None
    extend_select: ExtendSelect = None
    ignore: Ignore = None
    unsafe_fixes: UnsafeFixes = False
    target: Target = None
    format: Format = None
    exclude: Exclude = None
    config: Config = None
    stdin_filename: StdinFilename = None
    debug: Debug = False
    quiet: Quiet = False
    verbose: Verbose = False

    def overrides(self) -> dict[str, object]:
        """The options that settings know."""
        places = ("paths", "config", "stdin_filename")
        return {name: value for name, value in vars(self).items() if name not in places}


def with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command whose first parameter is Options all of them on the command line, before its own."""
    shared = [field.name for field in fields(Options)]

    def run(**given: Any) -> int:
        return command(Options(**{name: given.pop(name) for name in shared}), **given)

    hints = get_type_hints(Options, include_extras=True)
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    taken = [
        *(_parameter(field.name, hints[field.name], field.default) for field in fields(Options)),
        *(_parameter(parameter.name, parameter.annotation, parameter.default) for parameter in own),
    ]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in taken}
    return run


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=empty if default is MISSING else default
    )
