"""What a translation changes in the code, told without the means of editing it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Source:
    """Source text of an expression, for a hole of a template."""

    text: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """The last name of an attribute, or a name, becomes another."""

    node: ast.AST
    to: str
    path: Path


@dataclass(frozen=True, slots=True)
class Replaced:
    """An expression or argument becomes `template`; its holes are nodes, identifiers or :class:`Source`.

    `{_}` is the expression itself, with the changes inside it.
    """

    node: ast.AST
    template: str
    path: Path
    holes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Added:
    """A call gets one more argument."""

    node: ast.Call
    template: str
    path: Path
    holes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removed:
    """An argument goes."""

    node: ast.AST
    path: Path


@dataclass(frozen=True, slots=True)
class Parameter:
    """A function gets one more parameter, to be given by name."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Inserted:
    """A statement is put before another one."""

    node: ast.stmt
    template: str
    path: Path
    holes: Mapping[str, Any] = field(default_factory=dict)


Change: TypeAlias = Renamed | Replaced | Added | Removed | Parameter | Inserted


def composed(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes with those that replace one expression made one: each works on what the ones before it give."""
    replaced: dict[ast.AST, Replaced] = {}
    for change in changes:
        if not isinstance(change, Replaced):
            yield change
        elif (before := replaced.get(change.node)) is None:
            replaced[change.node] = change
        else:
            template = change.template.replace("{_}", before.template)
            replaced[change.node] = replace(change, template=template, holes={**before.holes, **change.holes})
    yield from replaced.values()


@dataclass(frozen=True, slots=True)
class StepTranslation:
    """What becomes of one step of a chain. `doubt` says why that is not safe, "" when it is."""

    changes: tuple[Change, ...] = ()
    doubt: str = ""


class UntranslatedError(Exception):
    """A part of a chain that has no translation; the message names the fact that is missing, or the reason."""
