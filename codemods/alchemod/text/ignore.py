"""What of a project is not its own source: what ``.gitignore`` covers, environments, build output, caches.

Only ``.gitignore`` and ``.git/info/exclude`` count, not the user's global excludes and not what git tracks in
spite of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from alchemod.text.gitignore import Pattern, Patterns, pattern

GITIGNORE = ".gitignore"

_GENERATED = frozenset({"__pycache__", "__pypackages__", "node_modules", "site-packages", "buck-out"})

_GENERATED_UNLESS_PACKAGE = frozenset({"build", "_build", "dist", "venv"})
"""Folder names that hold generated files, but also happen to be names of packages (with ``__init__.py``)."""


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns of one ignore file, which hold below ``folder``, and those of the files above it."""

    folder: str
    patterns: Patterns
    above: IgnoreRules | None

    def covers(self, path: str, is_folder: bool) -> bool:
        """Whether a path below ``folder`` is ignored. The nearest file that says something decides.

        The folders on the way to the path must not be ignored themselves: nothing below an ignored folder
        can be taken back.
        """
        rules: IgnoreRules | None = self
        while rules is not None:
            ignores = rules.patterns.ignores(path[len(rules.folder) :].replace(os.sep, "/"), is_folder)
            if ignores is not None:
                return ignores
            rules = rules.above
        return False


def rules_above(folder: str) -> IgnoreRules | None:
    """What the repository around ``folder`` ignores, by the files above it: not those in it and below.

    None without a repository, and when the repository ignores ``folder`` itself.
    """
    chain = [folder]
    while not os.path.exists(os.path.join(chain[-1], ".git")):
        parent = os.path.dirname(chain[-1])
        if parent == chain[-1]:
            return None
        chain.append(parent)
    rules = rules_of(os.path.join(chain[-1], ".git", "info", "exclude"), chain[-1], None)
    for outer, inner in zip(chain[:0:-1], chain[-2::-1], strict=True):
        rules = rules_of(os.path.join(outer, GITIGNORE), outer, rules)
        if rules and rules.covers(inner, is_folder=True):
            return None
    return rules


def rules_of(file: str, folder: str, above: IgnoreRules | None) -> IgnoreRules | None:
    """The rules ``above`` and those of an ignore file whose patterns are relative to ``folder``.

    An ignore file that is not there or cannot be read says nothing.
    """
    try:
        with open(file, encoding="utf-8", errors="surrogateescape", newline="\n") as content:
            lines = content.read().removeprefix("\ufeff").split("\n")
    except OSError:
        return above
    patterns = Patterns(_understood(lines))
    return IgnoreRules(folder.rstrip(os.sep) + os.sep, patterns, above) if patterns else above


def _understood(lines: Iterable[str]) -> Iterator[Pattern]:
    for line in lines:
        with suppress(ValueError):
            if (found := pattern(line)) is not None:
                yield found


def is_generated(name: str, path: str) -> bool:
    """Whether a folder is one that tools make: hidden, caches, build output, environments."""
    if name.startswith(".") or name in _GENERATED or name.endswith(".egg-info"):
        return True
    return name in _GENERATED_UNLESS_PACKAGE and not os.path.isfile(os.path.join(path, "__init__.py"))
