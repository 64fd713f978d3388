"""What is in force for a run, and where each option came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

TARGETS = ("1.3", "1.4", "2.0", "2.1")
"""Versions of SQLAlchemy that ``--target`` takes."""

Goal: TypeAlias = Literal["1.4", "2.0", "2.1"]
"""A version that ``migrate --to`` takes."""

GOALS: tuple[Goal, ...] = ("1.4", "2.0", "2.1")

FORMATS = ("text", "json")
"""Shapes of output that ``--format`` takes."""


class SettingsError(Exception):
    """An option or the configuration is wrong. The message is one sentence with file and line or option."""


@dataclass(frozen=True, slots=True)
class Selectors:
    """Rule selectors from one place. ``select`` is None where that place does not say."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a run.

    ``select``, ``extend_select`` and ``ignore`` hold all selectors that were given; ``layers`` says where
    each stood, the configuration first, the command line last (empty: one place). ``target`` is one of
    TARGETS or None, ``goal`` the version that ``migrate`` goes to; ``origin`` maps an option to the place it
    came from.
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe_fixes: bool = False
    target: str | None = None
    goal: Goal | None = None
    format: str = "text"
    exclude: tuple[str, ...] = ()
    exit_zero: bool = False
    debug: bool = False
    quiet: bool = False
    verbose: bool = False
    origin: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Selectors, ...] = ()
