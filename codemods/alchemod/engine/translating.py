"""Findings made of the translations that inference knows: the shape of the rules that migrate Query."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from alchemod.edits.verbs import Code, Verb, add_argument, add_parameter, drop, insert, rename, swap
from alchemod.engine.context import Context
from alchemod.engine.finding import Finding
from alchemod.engine.rule import Rule
from alchemod.inference.translation.changes import (
    Added,
    Change,
    Inserted,
    Parameter,
    Removed,
    Renamed,
    Replaced,
    Source,
)
from alchemod.inference.translation.translations import QueryTranslations

if TYPE_CHECKING:
    from alchemod.inference.translation.translation import Translation


class TranslatingRule(Rule):
    """A rule that carries out the translations of one family. A subclass says which family it is, and its message."""

    names: ClassVar[tuple[str, ...]] = ("query", "Query")
    family: ClassVar[str] = ""
    instead: ClassVar[str] = ""
    """What to use in the place of Query, for the message."""

    def find_Call(self, call: ast.Call, ctx: Context) -> Iterable[Finding]:
        """Looks at one call that may begin a Query."""
        yield from self._translated(call, ctx)

    def find_Attribute(self, attribute: ast.Attribute, ctx: Context) -> Iterable[Finding]:
        """Looks at one `Model.query`."""
        yield from self._translated(attribute, ctx)

    def _translated(self, node: ast.expr, ctx: Context) -> Iterator[Finding]:
        translation = ctx.ask(QueryTranslations).at(ctx.path, node)
        if translation is not None and translation.family == self.family:
            yield self.finding(translation, ctx)

    def finding(self, translation: Translation, ctx: Context) -> Finding:
        """The finding for a translation: with its edits, or as a report."""
        message = f"{translation.shown} is legacy, use {self.instead}"
        missing = translation.missing
        if not missing and ctx.project.is_revision(ctx.path):
            missing = "this is a migration, which has to go on doing what it did"
        if missing:
            return self.report(translation.node, message, missing=missing, given=translation.given)
        here, elsewhere = _verbs(translation.changes, ctx.path)
        return self.fix(
            translation.node, message, *here,
            given=translation.given, unsafe=translation.doubt or None, elsewhere=elsewhere,
        )  # fmt: skip


def _verbs(changes: Iterable[Change], path: Path) -> tuple[list[Verb], list[tuple[Path, Verb]]]:
    """The changes as verbs: those in the file `path`, and those in other files."""
    here: list[Verb] = []
    elsewhere: list[tuple[Path, Verb]] = []
    for change in changes:
        verb = _verb(change)
        if change.path == path:
            here.append(verb)
        else:
            elsewhere.append((change.path, verb))
    return here, elsewhere


def _verb(change: Change) -> Verb:
    match change:
        case Renamed(node=node, to=to):
            return rename(node, to)
        case Replaced(node=node, template=template, holes=holes):
            return swap(node, template, **_filled(holes))
        case Added(node=call, template=template, holes=holes):
            return add_argument(call, template, **_filled(holes))
        case Parameter(node=function, name=name):
            return add_parameter(function, name)
        case Inserted(node=statement, template=template, holes=holes):
            return insert(template, before=statement, **_filled(holes))
        case Removed(node=node):
            return drop(node)


def _filled(holes: Any) -> dict[str, Any]:
    return {
        name: Code(value.text) if isinstance(value, Source) else value
        for name, value in holes.items()
        if value is not None
    }
