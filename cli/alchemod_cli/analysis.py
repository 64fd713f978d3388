"""What check, diff and apply have in common: settings from the options, the run, and what is said about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from alchemod_cli import exits
from alchemod_cli.options import Options
from alchemod_cli.output import complain, say
from alchemod_cli.progress import progress

if TYPE_CHECKING:
    from alchemod.review.outcome import Outcome
    from alchemod.settings.options import Settings
    from alchemod.text.source import SourceFile

STDIN = "-"


class UsageError(Exception):
    """A wrong option, path or configuration; the message is one sentence."""


@dataclass(frozen=True)
class Analysis:
    """A finished run: its settings and its outcome; `stdin` is what was read from standard input, if it was."""

    settings: Settings
    outcome: Outcome
    stdin: SourceFile | None

    def exit_code(self, remains: bool) -> int:
        """2 if something failed, else 1 if something `remains`, else 0."""
        if self.outcome.failures:
            return exits.ERROR
        return exits.LEFT if remains else exits.CLEAN


def analysis(options: Options, *, exit_zero: bool = False) -> Analysis | None:
    """Run. None, with the sentence said, when options, paths or configuration are wrong; nothing is scanned then."""
    from alchemod.settings.options import SettingsError

    try:
        return _analysis(options, exit_zero)
    except (UsageError, SettingsError) as error:
        complain(str(error))
        return None


def _analysis(options: Options, exit_zero: bool) -> Analysis:
    from alchemod.runs.analyse import analyse

    asked = request(options, exit_zero=exit_zero)
    contents = {asked.stdin.path: asked.stdin} if asked.stdin else None
    with progress(not asked.settings.quiet) as report:
        outcome = analyse(asked.root, asked.paths, asked.settings, contents=contents, progress=report)
    return Analysis(asked.settings, outcome, asked.stdin)


@dataclass(frozen=True)
class Request:
    """What a run is asked to do: the project, the paths in it, the settings, and standard input if it was read."""

    root: Path
    paths: Sequence[Path]
    settings: Settings
    stdin: SourceFile | None


def request(options: Options, *, exit_zero: bool = False) -> Request:
    """What the options ask for. Raises UsageError or SettingsError when they are wrong; nothing is scanned yet."""
    from alchemod.settings.pyproject import load
    from alchemod.text.discover import project_root

    if "" in (options.paths or ()):
        raise UsageError("a path is empty: name a file or folder, or nothing for the whole project")
    stdin_path = _stdin_path(options)
    paths = [stdin_path] if stdin_path else [Path(path) for path in options.paths or ()]
    if not stdin_path:
        _require(paths)
    root = project_root(paths)
    settings = load(root, options.config, {**options.overrides(), "exit_zero": exit_zero})
    stdin = _read_stdin(stdin_path) if stdin_path else None
    _warn_of_unfinished(root)
    return Request(root, paths, settings, stdin)


def _stdin_path(options: Options) -> Path | None:
    paths = options.paths or []
    if STDIN not in paths:
        if options.stdin_filename:
            raise UsageError("--stdin-filename goes with the path - (standard input) only")
        return None
    if paths != [STDIN]:
        raise UsageError("- (standard input) cannot be mixed with other paths")
    return Path(os.path.abspath(options.stdin_filename or "stdin.py"))


def _require(paths: Sequence[Path]) -> None:
    for path in paths:
        if not os.path.lexists(path):
            raise UsageError(f"{path}: no such file or folder")


def _read_stdin(path: Path) -> SourceFile:
    from alchemod.text.problem import FileError
    from alchemod.text.source import decode

    try:
        return decode(sys.stdin.buffer.read(), path)
    except FileError as error:
        raise UsageError(f"standard input {error.message}") from None


def _warn_of_unfinished(root: Path) -> None:
    from alchemod.text.journal import JournalError, unfinished

    try:
        run = unfinished(root)
    except JournalError as error:
        complain(str(error))
        return
    if run:
        files = f"{len(run.files)} file{'s' * (len(run.files) != 1)}"
        complain(f"the run {run.run} was interrupted while it wrote {files}; `alchemod undo {run.run}` takes it back")


def tell_failures(done: Analysis) -> None:
    """Say on the error output what went wrong."""
    from alchemod.review.text import failures

    say(failures(done.outcome, traces=done.settings.debug), sys.stderr)


def tell_summary(done: Analysis, stream: TextIO | None = None) -> None:
    """Say on the error output, or on `stream`, what was scanned, found, changed and left out; not under --quiet."""
    if done.settings.quiet:
        return
    from alchemod.review.text import summary

    lines = list(summary(done.outcome, verbose=done.settings.verbose))
    if done.outcome.findings and Path.cwd() != done.outcome.root:
        lines.append(f"Paths are relative to {done.outcome.root}.")
    say(lines, stream or sys.stderr)
